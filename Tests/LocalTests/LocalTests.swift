import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceLocal
@testable import SluiceStreaming

@Suite struct FunctionURLEventTests {
    private func event(_ target: String, _ lines: [HTTPLine] = [], body: [UInt8] = []) throws -> JSONView {
        var head = HTTPMessageHead()
        head.method = "POST"
        head.target = target
        head.lines = [HTTPLine("host", "127.0.0.1:8080")] + lines
        let date = Date(timeIntervalSince1970: 1_583_348_638)
        let json = try FunctionURLEvent(head, body: body, requestID: "the-id", port: 8080, now: date).json()
        return try #require(JSONView(json))
    }

    @Test("path and query as sent; what is decoded is decoded; absent is absent")
    func fields() throws {
        let json = try event("/a%20b/c?x=1&x=2&y=a+b%2B")
        #expect(json["version"]?.text == "2.0")
        #expect(json["rawPath"]?.text == "/a%20b/c")
        #expect(json["rawQueryString"]?.text == "x=1&x=2&y=a+b%2B")
        #expect(json["queryStringParameters"]?.dictionary == ["x": "1,2", "y": "a b+"])
        #expect(json["requestContext"]?["http"]?["path"]?.text == "/a b/c")
        #expect(json["requestContext"]?["time"]?.text == "04/Mar/2020:19:03:58 +0000")
        #expect(json["requestContext"]?["timeEpoch"]?.number == 1_583_348_638_000)
        #expect(json["body"] == nil)
        #expect(json["cookies"] == nil)
        #expect(try event("/")["queryStringParameters"] == nil)
    }

    @Test("an escape has two hexadecimal digits and no sign; separators are octets")
    func octets() throws {
        #expect("%41%4a".percentDecoded == "AJ")
        for broken in ["%+5", "%-1", "%4", "%", "%zz", "%ff"] { #expect(broken.percentDecoded == nil, "\(broken)") }
        #expect(" \t;\u{301}a= b\t".parts(at: ";").map(\.withoutBlanks) == ["", "\u{301}a= b"])
        #expect("a?\u{301}b?c".parts(at: "?", atMost: 2).map(String.init) == ["a", "\u{301}b?c"])
    }

    @Test("headers in lower case, repeats joined without a space, cookies twice")
    func headers() throws {
        let json = try event(
            "/",
            [
                HTTPLine("x-a", "first"), HTTPLine("x-a", "second"), HTTPLine("cookie", "a=1; b=2"),
                HTTPLine("connection", "close"),
            ])
        #expect(json["headers"]?["x-a"]?.text == "first,second")
        #expect(json["headers"]?["cookie"]?.text == "a=1; b=2")
        #expect(json["cookies"]?.texts == ["a=1", "b=2"])
        #expect(json["headers"]?["connection"] == nil)
        #expect(json["headers"]?["x-forwarded-proto"]?.text == "http")
    }

    @Test("JSON and text travel as text, all else as base64")
    func bodies() throws {
        let text = try event("/", [HTTPLine("content-type", "application/json")], body: Array("{\"λ\":1}".utf8))
        #expect(text["body"]?.text == "{\"λ\":1}" && text["isBase64Encoded"]?.flag == false)
        let other = try event("/", [HTTPLine("content-type", "idk")], body: Array("<idk/>".utf8))
        #expect(other["body"]?.text == "PGlkay8+" && other["isBase64Encoded"]?.flag == true)
        #expect(try event("/", [HTTPLine("content-type", "text/plain")], body: [0xFF])["isBase64Encoded"]?.flag == true)
    }
}

@Suite struct WireAnswerTests {
    @Test("the prelude is found wherever the chunks are cut")
    func scanner() {
        let bytes = Array("{\"statusCode\":200}".utf8) + [UInt8](repeating: 0, count: 8) + [0, 0, 1, 2]
        for size in 1...bytes.count {
            var scanner = PreludeScanner()
            var body: [UInt8] = []
            var prelude: [UInt8]?
            for start in stride(from: 0, to: bytes.count, by: size) {
                let part = Array(bytes[start..<min(start + size, bytes.count)])
                if scanner.isDone {
                    body += part
                } else if let found = scanner.take(part) {
                    prelude = found.prelude
                    body += found.rest
                }
            }
            #expect(prelude.map { String(decoding: $0, as: UTF8.self) } == "{\"statusCode\":200}")
            #expect(body == [0, 0, 1, 2])
            #expect(scanner.delimiterIsWhole)
        }
        var seven = PreludeScanner()
        _ = seven.take(Array("{}".utf8) + [UInt8](repeating: 0, count: 7) + [1])
        #expect(!seven.delimiterIsWhole)
    }

    @Test(
        "what a gateway would answer with 502",
        arguments: [
            ("{\"statusCode\":99}", true), ("{\"statusCode\":199}", true),
            ("{\"statusCode\":200,\"headers\":{\"a b\":\"x\"}}", true),
            ("{\"statusCode\":200,\"headers\":{\"a\":\"x\\r\\ny\"}}", true),
            ("{\"statusCode\":200,\"cookies\":[\"a\\u0000\"]}", true),
            ("{\"statusCode\":200,\"headers\":{\"a\":\"x\"},\"cookies\":[\"a=b\"]}", false),
        ])
    func problems(_ json: String, isOne: Bool) throws {
        let response = try JSONDecoder().decode(WireResponse.self, from: Data(json.utf8))
        #expect((response.problem != nil) == isOne)
    }

    @Test(
        "the platform keeps error types of its form, and calls the others Unknown",
        arguments: [
            ("Function.HandlerError", true), ("Runtime.ExitError", true), ("xRuntime.Abc", true), ("", false),
            ("MyCustomError", false),
            ("MyCustomError.Error", false), ("Function.x", false), ("Function.X", false), ("Unhandled", false),
        ])
    func errorTypes(_ sent: String, kept: Bool) {
        let shown = RuntimeAPIServer.platformType(sent)
        #expect((shown == sent) == kept)
        if !kept { #expect(shown.hasPrefix(sent.hasPrefix("Function.") ? "Function.Unknown" : "Runtime.Unknown")) }
    }
}

@Suite struct LocalSettingsTests {
    @Test("the program in the sandbox may be another one; one that cannot be run stops the start, with the variable's name")
    func program() throws {
        #expect(try LocalSettings([:]).program == nil)
        #expect(try LocalSettings(["SLUICE_LOCAL_PROGRAM": "/bin/sh"]).program == "/bin/sh")
        let problem = #expect(throws: LocalSettings.Problem.self) { try LocalSettings(["SLUICE_LOCAL_PROGRAM": "/bin/nobody"]) }
        #expect(problem?.description.hasPrefix("SLUICE_LOCAL_PROGRAM: ") == true)
    }
}
