import Foundation
import Testing

@_spi(JSON) @testable import SluiceCore
@testable import Sluice

/// Bodies that are decoded while the JSON text is read.
@Suite("Long bodies") struct LongBodyTests {
    private static let threshold = JSONReader.longString

    private static func octets(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    /// What the reader makes of a string, and where it stands afterwards.
    private func long(_ text: String, before rest: String = "}") throws -> (decoded: [UInt8], text: String, offset: Int)? {
        try JSONReader.read(Array("\"\(text)\"\(rest)".utf8)) { (reader) throws(JSONError) in
            guard let long = reader.longBase64() else {
                // Nothing was read.
                #expect(reader.offset == 0)
                return nil
            }
            return (long.decoded, long.text.string, reader.offset)
        }
    }

    @Test("a long string of base64 is read and decoded at once, whatever its padding and what follows")
    func decoded() throws {
        for count in [24_576, 24_577, 24_578, 24_600, 50_000, 50_001, 50_002]
            + (0..<50).map({ _ in Int.random(in: 24_576...90_000) })
        {
            let octets = Self.octets(count)
            let text = Data(octets).base64EncodedString()
            for rest in ["}", "", ",\"isBase64Encoded\":true}", String(repeating: "A", count: 200_000)] {
                let found = try #require(try long(text, before: rest), "\(count) \(rest.count)")
                #expect(found.decoded == octets)
                #expect(found.text == text)
                #expect(found.offset == text.utf8.count + 2)
                #expect(found.decoded.capacity < 3 * count)
            }
        }
    }

    @Test("what is short or anything else is left to be read as before, wherever the other character is")
    func refused() throws {
        let text = Data(Self.octets(60_000)).base64EncodedString()
        for place in [0, 1, 31, 32, 1000, 32_766, 32_767, 79_996, 79_997, 79_998, 79_999] {
            for other in ["-", "=", "\\/", "\\n", " ", "é", "\u{7F}", "\u{0}"] {
                var characters = Array(text.utf8)
                characters.replaceSubrange(place...place, with: Array(other.utf8))
                let changed = String(decoding: characters, as: UTF8.self)
                // One character less before the padding is base64 again.
                if other == "=", place == 79_999 { continue }
                #expect(try long(changed) == nil, "\(place) \(other)")
            }
        }
        #expect(try long(String(text.prefix(Self.threshold - 4)), before: String(repeating: "x", count: 100_000)) == nil)
        for count in 1...3 { #expect(try long(String(text.dropLast(count))) == nil) }
        #expect(try long(String(text.dropLast(2)) + "==", before: "") != nil)
        #expect(try long(String(text.dropLast(3)) + "===") == nil)
        // It does not end.
        for left in 0..<8 {
            try JSONReader.read(Array(("\"" + text.dropLast(left)).utf8)) { (reader) throws(JSONError) in
                #expect(reader.longBase64() == nil)
            }
        }
    }

    @Test(
        "events of both forms have the same body as before: base64, escaped base64, text that could be base64, base64 that is none"
    )
    func events() throws {
        let octets = Self.octets(100_000)
        let text = Data(octets).base64EncodedString()
        let rest: [String: Any] = [
            "httpMethod": "POST", "path": "/x", "headers": ["host": "a"], "requestContext": ["stage": "$default"],
        ]
        func body(_ content: Any, _ isBase64: Bool, isREST: Bool) throws -> [UInt8] {
            guard isREST else {
                return try read(eventJSON(changes: ["body": content, "isBase64Encoded": isBase64])).body.plainBytes
            }
            let event = rest.merging(["body": content, "isBase64Encoded": isBase64]) { _, new in new }
            let json = try JSONSerialization.data(withJSONObject: event)
            return try RequestEvent([UInt8](json), id: "1", deadline: nil).request.body.plainBytes
        }
        for isREST in [false, true] {
            // Foundation writes each "/" as "\/".
            #expect(text.contains("/"))
            #expect(try body(text, true, isREST: isREST) == octets)
            #expect(try body(text, false, isREST: isREST) == Array(text.utf8))
            let plain = text.replacing("/", with: "A")
            #expect(try body(plain, true, isREST: isREST) == Array(Data(base64Encoded: plain) ?? Data()))
            #expect(try body(plain, false, isREST: isREST) == Array(plain.utf8))
            for wrong in [plain + "A", plain + "=", String(plain.dropLast(3)) + "-==", plain + "\n"] {
                let error = #expect(throws: EventError.self) { try body(wrong, true, isREST: isREST) }
                #expect(error?.description.contains("base64") == true)
                #expect(try body(wrong, false, isREST: isREST) == Array(wrong.utf8))
            }
        }
    }
}
