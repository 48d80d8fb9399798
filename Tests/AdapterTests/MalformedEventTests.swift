import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import Sluice

@Suite struct MalformedEventTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let isHTTP: Bool
        /// What the record must say.
        let says: String
        var testDescription: String { name }

        init(_ name: String, _ text: String, isHTTP: Bool, says: String) {
            self.init(name, Array(text.utf8), isHTTP: isHTTP, says: says)
        }

        init(_ name: String, _ bytes: [UInt8], isHTTP: Bool, says: String) {
            (self.name, self.bytes, self.isHTTP, self.says) = (name, bytes, isHTTP, says)
        }
    }

    static let http = "\"requestContext\":{\"http\":{\"method\":\"GET\"}}"

    static let cases: [Case] = [
        Case("nothing", "", isHTTP: false, says: "ends too early at byte 0"),
        Case("no JSON", "hello", isHTTP: false, says: "no JSON value begins at byte 0"),
        Case("a string", "\"x\"", isHTTP: false, says: "object expected, found string"),
        Case("no JSON at all", "{not json", isHTTP: false, says: "a name in quotes expected at byte 1"),
        Case("no value", "nothing", isHTTP: false, says: "no JSON value begins at byte 0"),
        Case("null", "null", isHTTP: false, says: "object expected, found null"),
        Case("an array", "[]", isHTTP: false, says: "object expected, found array"),
        Case("100,000 nested arrays", String(repeating: "[", count: 100_000), isHTTP: false, says: "object expected"),
        Case(
            "100,000 nested arrays in a field", "{\(http),\"rawPath\":\"/\",\"x\":" + String(repeating: "[", count: 100_000),
            isHTTP: true, says: "'x': nested deeper than 512 levels"),
        Case(
            "100,000 nested objects in a field",
            "{\(http),\"rawPath\":\"/\",\"x\":" + String(repeating: "{\"a\":", count: 100_000), isHTTP: true,
            says: "'x': nested deeper than 512 levels"),
        Case("not HTTP", "{\"Records\":[]}", isHTTP: false, says: "'requestContext.http' is missing"),
        Case("context of another type", "{\"requestContext\":\"x\"}", isHTTP: false, says: "'requestContext': object expected"),
        Case(
            "http of another type", "{\"requestContext\":{\"http\":3}}", isHTTP: true,
            says: "'requestContext.http': object expected, found number"),
        Case(
            "no method", "{\"requestContext\":{\"http\":{}},\"rawPath\":\"/\"}", isHTTP: true,
            says: "'requestContext.http.method' is missing"),
        Case("no path", "{\(http)}", isHTTP: true, says: "'rawPath' is missing"),
        Case(
            "method of another type", "{\"requestContext\":{\"http\":{\"method\":1}}}", isHTTP: true,
            says: "'requestContext.http.method': string expected, found number"),
        Case(
            "method that is no token", "{\"requestContext\":{\"http\":{\"method\":\"G T\"}},\"rawPath\":\"/\"}", isHTTP: true,
            says: "is not an HTTP token"),
        Case(
            "path of another type", "{\(http),\"rawPath\":[]}", isHTTP: true,
            says: "'rawPath': string expected, found array at byte"),
        Case("headers of another type", "{\(http),\"headers\":[1]}", isHTTP: true, says: "'headers': object expected"),
        Case(
            "header of another type", "{\(http),\"headers\":{\"x-a\":{}}}", isHTTP: true,
            says: "'headers.x-a': string expected, found object"),
        Case("cookies of another type", "{\(http),\"cookies\":[1]}", isHTTP: true, says: "'cookies': string expected"),
        Case(
            "flag of another type", "{\(http),\"isBase64Encoded\":\"yes\"}", isHTTP: true,
            says: "'isBase64Encoded': bool expected"),
        Case(
            "body of another type", "{\(http),\"body\":{\"a\":1}}", isHTTP: true, says: "'body': string expected, found object"),
        Case(
            "65,536 headers",
            "{\(http),\"rawPath\":\"/\",\"headers\":{" + (0..<65_536).map { "\"x\($0)\":\"\"" }.joined(separator: ",") + "}}",
            isHTTP: true, says: "more than 10000 names"),
        Case(
            "another version", "{\"version\":\"1.0\",\(http),\"rawPath\":\"/\"}", isHTTP: false, says: "'version' is another"),
        Case(
            "bad base64", "{\(http),\"rawPath\":\"/\",\"body\":\"%\",\"isBase64Encoded\":true}", isHTTP: true,
            says: "'body' is not valid base64"),
        Case(
            "header name with a line break", "{\(http),\"rawPath\":\"/\",\"headers\":{\"a\\r\\nb\":\"c\"}}", isHTTP: true,
            says: "not an HTTP token"),
        Case("cut off", "{\(http),\"rawPath\":\"/", isHTTP: true, says: "a string does not end"),
        Case("something behind it", "{\(http),\"rawPath\":\"/\"} x", isHTTP: true, says: "something follows the JSON value"),
        Case(
            "not UTF-8", Array("{\(http),\"rawPath\":\"".utf8) + [0xFF, 0x22, 0x7D], isHTTP: true,
            says: "'rawPath': a string is not UTF-8"),
        Case(
            "a raw control character", "{\(http),\"rawPath\":\"\u{1}\"}", isHTTP: true,
            says: "a control character stands in a string"),
    ]

    @Test(
        "ends by the table, with one record that says what was wrong and where; the next invocation works", arguments: cases,
        ["buffered", "response_stream"])
    func malformed(_ one: Case, mode: String) async throws {
        let served = await serve(
            app { _ in .text("fine") }, [.init(bytes: one.bytes, id: "bad"), .init(eventJSON(), id: "good")], mode: mode)
        try #require(served.posts.count == 2)
        #expect(served.failures.count == 1)
        let record = try #require(served.failures.first)
        #expect(record.outcome == .badEvent)
        #expect(record.error.map { "\($0)" }?.contains(one.says) == true, "\(record.error.map { "\($0)" } ?? "")")
        #expect(record.level == (one.isHTTP ? .warning : .error))
        let first = served.posts[0]
        if one.isHTTP {
            #expect(first.target.hasSuffix("/bad/response"))
            let status =
                mode == "buffered" ? JSONView(first.body)?["statusCode"] : splitPrelude(first.body)?.prelude["statusCode"]
            #expect(status?.number == 400)
        } else {
            #expect(first.target.hasSuffix("/bad/error"))
            #expect(first["Lambda-Runtime-Function-Error-Type"] == "Runtime.EventError")
        }
        #expect(served.posts[1].target.hasSuffix("/good/response"))
        #expect(served.posts[1].text.contains("fine"))
    }

    @Test("every prefix of an event, and every event with one byte changed, is answered or refused, never a crash")
    func fuzz() {
        let whole = Array(
            eventJSON(
                method: "POST", query: "a=b", changes: ["cookies": ["a=b"], "body": "eA==\\u00e4", "isBase64Encoded": true]
            ).utf8)
        var refused = 0
        for length in 0..<whole.count {
            if (try? HTTPEvent(Array(whole[..<length]))) == nil { refused += 1 }
        }
        #expect(refused == whole.count)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var bytes = whole
            let index = Int.random(in: bytes.indices, using: &generator)
            bytes[index] = UInt8.random(in: 0...255, using: &generator)
            _ = try? HTTPEvent(bytes).request(of: bytes, id: "x", deadline: nil).headers
        }
    }
}
