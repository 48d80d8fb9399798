import Foundation
import SluiceTestSupport
import Testing

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
