import Foundation
import SluiceTestSupport
import Testing

@_spi(JSON) @testable import SluiceCore
@testable import Sluice
@testable import SluiceReporting

@Suite struct EncodingTests {
    @Test("strings survive our writer and Foundation's reader, and Foundation's writer and our reader")
    func strings() throws {
        var all = String.UnicodeScalarView()
        for value in UInt32(0)..<0x800 { if let scalar = Unicode.Scalar(value) { all.append(scalar) } }
        for text in [String(all), "", "\"\\/\u{8}\u{C}\n\r\t", "😀 𝄞 é", "\u{2028}\u{FFFD}"] {
            var json = JSONWriter()
            json.array { $0.string(text.utf8) }
            #expect(JSONView(json.bytes)?[0]?.text == text)
            let theirs = try JSONSerialization.data(withJSONObject: [text])
            var read: [String] = []
            try JSONReader.read([UInt8](theirs)) { (reader) throws(JSONError) in
                try reader.array { (reader) throws(JSONError) in read.append(try reader.string()) }
            }
            #expect(read == [text])
        }
    }

    @Test("escapes: surrogate pairs are joined, lone ones replaced")
    func surrogates() throws {
        for (json, text) in [
            ("\"\\ud83d\\ude00\"", "😀"), ("\"\\ud83d\"", "\u{FFFD}"), ("\"\\ud83dx\"", "\u{FFFD}x"),
            ("\"\\ude00\\u0041\"", "\u{FFFD}A"), ("\"\\ud83d\\u0041\"", "\u{FFFD}A"),
        ] {
            #expect(try JSONReader.read(Array(json.utf8)) { (reader) throws(JSONError) in try reader.string() } == text)
        }
    }

    @Test("a string that is left where it stands is checked as one that is read is, and ends where that ends")
    func inPlace() throws {
        let ends = ["", "plain", String(repeating: "long ", count: 300), "é炎😀"]
        let middles = [
            "", #"\""#, #"\\\/\b\f\n\r\t"#, #"\u0041"#, #"\ud83d\ude00"#, #"\ud83d"#, #"\ud83dx"#, #"\ud83d\u0041"#, #"\ude00"#,
            #"\u12"#, #"\u12g4"#, #"\x"#, #"\"#, "\u{1F}", "\u{7F}", "\"",
        ]
        for (start, middle, end) in ends.flatMap({ start in middles.flatMap { m in ends.map { (start, m, $0) } } }) {
            let text = Array("\"\(start)\(middle)\(end)\" ,".utf8)
            for text in [text, text + [0x20, 0xFF], [UInt8](text.dropLast(3)), [0x22, 0xC3] + text.dropFirst()] {
                let (read, left) = (
                    Self.outcome(text) { (r) throws(JSONError) in try r.text() },
                    Self.outcome(text) { (r) throws(JSONError) in try r.textInPlace() }
                )
                #expect(read.problem == left.problem && read.end == left.end, "\(start)\(middle)\(end)")
                // What has no escapes is there word for word.
                #expect(left.text == (read.isThere ? read.text : nil), "\(start)\(middle)\(end)")
            }
        }
    }

    private static func outcome(
        _ json: [UInt8], _ body: (inout JSONReader) throws(JSONError) -> JSONText?
    ) -> (text: String?, isThere: Bool, problem: String?, end: Int) {
        JSONReader.read(json) { reader in
            do throws(JSONError) {
                let text = try body(&reader)
                return (text?.string, text.map { $0.isEmpty || reader.place(of: $0) != nil } ?? false, nil, reader.offset)
            } catch {
                return (nil, false, "\(error)", reader.offset)
            }
        }
    }

    @Test("whole numbers are written as Swift writes them")
    func wholeNumbers() {
        for number in [0, 1, 9, 10, 99, 100, 404, 65_536, 1_000_000, .max, .max - 1, 999_999_999_999_999_999, -1, .min] {
            var bytes: [UInt8] = [0x20]
            bytes.append(decimal: number)
            #expect(String(decoding: bytes, as: UTF8.self) == " \(number)")
        }
    }

    @Test("what Foundation calls JSON is JSON, and what it does not is an error")
    func validity() {
        let texts = [
            "1", "-0", "0.5", "1e9", "1E+9", "01", "+1", ".5", "1.", "1e", "-", "tru", "true", "nul", "null", "[,1]", "[1 2]",
            "{\"a\"}",
            "{\"a\":}", "{a:1}", "{\"a\":1}", "[[],{}]", "[", "]", "{\"a\":[1,{\"b\":[true,false,null]}]}", "\"\\x\"",
            "\"\\u12\"", "\"",
            "[1]x", " [ 1 , 2 ] ", "{\"a\":1,\"a\":2}", "[}", "{]", "[1}",
        ]
        for text in texts {
            let ours: Void? = try? JSONReader.read(Array(text.utf8)) { (reader) throws(JSONError) in
                try reader.skip()
                try reader.end()
            }
            #expect((ours != nil) == (JSONView(Array(text.utf8)) != nil), "\(text)")
        }
        // Foundation takes a trailing comma, RFC 8259 does not.
        for text in ["[1,]", "{\"a\":1,}"] {
            #expect(throws: JSONError.self) {
                try JSONReader.read(Array(text.utf8)) { (reader) throws(JSONError) in try reader.skip() }
            }
        }
    }

    @Test("base64 of every length is Foundation's, and what is none is refused")
    func base64() {
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255) }
            let theirs = Data(bytes).base64EncodedString()
            #expect(String(decoding: Base64.encode(bytes), as: UTF8.self) == theirs)
            #expect(Array(theirs.utf8).withUnsafeBufferPointer(Base64.decode) == bytes)
        }
        for text in ["A", "AA", "AAA", "AA=A", "=AAA", "AAA*", "A===", "AAAA=", "AA\nA", "AAA\u{80}"] {
            #expect(Array(text.utf8).withUnsafeBufferPointer(Base64.decode) == nil, "\(text)")
        }
    }
}

/// The vectorised loops: every length and every place, against Foundation or against the rule itself.
@Suite struct VectorTests {
    @Test("base64: a foreign byte is seen at every place of a long text, and large bodies are Foundation's")
    func base64() {
        let text = Array(Data((0..<150).map { UInt8($0) }).base64EncodedString().utf8)
        for place in text.indices {
            for byte: UInt8 in [0x00, 0x20, 0x2C, 0x2E, 0x40, 0x5B, 0x60, 0x7B, 0x80, 0xFF] {
                var broken = text
                broken[place] = byte
                #expect(broken.withUnsafeBufferPointer(Base64.decode) == nil, "\(byte) at \(place)")
            }
        }
        for count in [4095, 65_537, 1_000_003] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
            let theirs = Data(bytes).base64EncodedString()
            #expect(String(decoding: Base64.encode(bytes), as: UTF8.self) == theirs)
            #expect(Array(theirs.utf8).withUnsafeBufferPointer(Base64.decode) == bytes)
        }
    }

    @Test("JSON: what needs an escape is found at every place, and what is not UTF-8 is refused wherever it stands")
    func strings() throws {
        for length in [0, 1, 7, 8, 15, 16, 17, 31, 63, 64, 65, 96, 200] {
            for place in 0..<length {
                for byte: UInt8 in [0x00, 0x0A, 0x1F, 0x22, 0x5C, 0x7F] {
                    var text = [UInt8](repeating: 0x61, count: length)
                    text[place] = byte
                    var json = JSONWriter()
                    json.array { $0.string(text) }
                    #expect(
                        JSONView(json.bytes)?[0]?.text == String(decoding: text, as: UTF8.self),
                        "\(byte) at \(place) of \(length)")
                }
                var raw = Array("[\"".utf8) + [UInt8](repeating: 0x61, count: length) + Array("\"]".utf8)
                raw[2 + place] = 0xFF
                #expect(throws: JSONError.self) { try JSONReader.read(raw) { (reader) throws(JSONError) in try reader.skip() } }
                raw[2 + place] = 0x1F
                #expect(throws: JSONError.self) { try JSONReader.read(raw) { (reader) throws(JSONError) in try reader.skip() } }
                raw[2 + place] = 0x7F
                #expect(throws: Never.self) { try JSONReader.read(raw) { (reader) throws(JSONError) in try reader.skip() } }
            }
        }
    }

    @Test("names: what swift-http-types takes is a token, and nothing else")
    func names() {
        for name in ["host", "x-forwarded-proto", "cookie", "Host", "x", "x-unknown", "accept-languagf", "", "a b", "a:b", "ä"]
        {
            let found = Array(name.utf8).withUnsafeBufferPointer { bytes in
                (EventNames.header(JSONText(bytes)), EventNames.isToken(JSONText(bytes)))
            }
            #expect(found.0?.rawName == HTTPField.Name(name)?.rawName, "\(name)")
            #expect(found.1 == (HTTPField.Name(name) != nil), "\(name)")
        }
        for byte in UInt8.min...0x7F {
            let isToken = [0x61, byte].withUnsafeBufferPointer { EventNames.isToken(JSONText($0)) }
            #expect(isToken == (HTTPField.Name(String(decoding: [0x61, byte], as: UTF8.self)) != nil), "\(byte)")
        }
    }
}
