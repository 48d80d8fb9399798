import Foundation
import Sluice
import Testing

@testable import SluiceSessions

/// Python's hmac, base64 and json read what we write, and write what we read: code that shares nothing with ours.
@Suite struct SignedCookieOracleTests {
    private static let reader = """
        import base64, hashlib, hmac, os, sys
        secret, purpose, name, cookie = map(os.fsencode, sys.argv[1:])
        value, expiry, signature = cookie.split(b".")
        message = b"\\0".join([b"sluice-1", purpose, name, value + b"." + expiry])
        expected = base64.urlsafe_b64encode(hmac.new(secret, message, hashlib.sha256).digest()).rstrip(b"=")
        plain = base64.urlsafe_b64decode(value + b"=" * (-len(value) % 4))
        print(expected == signature, plain.hex(), expiry.decode())
        """

    private static let writer = """
        import base64, hashlib, hmac, os, sys
        secret, purpose, name, value, expiry = map(os.fsencode, sys.argv[1:])
        def encode(octets): return base64.urlsafe_b64encode(octets).rstrip(b"=")
        text = encode(value) + b"." + expiry
        message = b"\\0".join([b"sluice-1", purpose, name, text])
        print((text + b"." + encode(hmac.new(secret, message, hashlib.sha256).digest())).decode())
        """

    private static let values = """
        import base64, json, sys
        value = sys.argv[1].split(".")[0]
        values = json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
        print(json.dumps(values, sort_keys=True))
        """

    private func python(_ script: String, _ arguments: String...) throws -> String {
        let (process, output) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script] + arguments
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
    }

    @Test("Python finds the signature that we have made, and the value", arguments: ["dark", "", "dunkel, \u{E4}; 🫖"])
    func reads(_ value: String) throws {
        var response = Response()
        let clock = TestClock()
        try response.setSignedCookie(
            SetCookie(name: "theme", value: value, maxAge: .seconds(60)), SigningKeys(secret), at: clock.now)
        let line = try #require(response.headers[.setCookie])
        let text = try #require(line.split(separator: ";").first).dropFirst("theme=".count)
        let hexadecimal = value.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(try python(Self.reader, secret, "cookie", "theme", String(text)) == "True \(hexadecimal) 1800000060000")
        #expect(try python(Self.reader, foreignSecret, "cookie", "theme", String(text)).hasPrefix("False"))
        #expect(try python(Self.reader, secret, "cookie", "theme2", String(text)).hasPrefix("False"))
    }

    @Test("what Python has signed is ours", arguments: ["", "1800000060000"])
    func writes(_ expiry: String) throws {
        let text = try python(Self.writer, secret, "cookie", "theme", "dunkel, \u{E4}", expiry)
        let (keys, clock) = (try SigningKeys(secret), TestClock())
        #expect(cookies("theme=\(text)").signed("theme", by: keys, at: clock.now) == "dunkel, \u{E4}")
        #expect(cookies("theme=\(text)").signed("theme", by: try SigningKeys(foreignSecret), at: clock.now) == nil)
    }

    @Test("a session's cookie is JSON that Python reads, and one of Python's is a session")
    func session() async throws {
        let world = try World { routes in
            routes.get("/set") { request -> String in
                let session = try request.session
                session["text"] = "a\"b\\\n\u{1}ä"
                try session.set("list", [1, 2])
                try session.set("nested", ["a,}": ["b:{"]])
                return "set"
            }
        }
        let browser = Browser(world)
        _ = await browser.get("/set")
        let cookie = try #require(browser.session)
        #expect(
            try python(Self.values, cookie)
                == #"{"list": [1, 2], "nested": {"a,}": ["b:{"]}, "text": "a\"b\\\n\u0001\u00e4"}"#)
        #expect(try python(Self.reader, secret, "session-values", "__Host-session", cookie).hasPrefix("True"))
        browser.cookies["__Host-session"] = try python(
            Self.writer, secret, "session-values", "__Host-session", #"{"user":"ann"}"#, "1800000060000")
        #expect(await browser.get("/who").text == "ann")
    }
}
