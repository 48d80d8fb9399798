import Sluice
import Testing

@testable import SluiceSessions

@Suite struct SignedCookieTests {
    private let keys: SigningKeys
    private let clock = TestClock()

    init() throws { keys = try SigningKeys(secret) }

    /// The cookie as a browser sends it back.
    private func sent(_ cookie: SetCookie, _ keys: SigningKeys? = nil) throws -> String {
        var response = Response()
        try response.setSignedCookie(cookie, keys ?? self.keys, at: clock.now)
        let line = try #require(response.headers[.setCookie])
        return String(try #require(line.split(separator: ";").first))
    }

    @Test(
        "the header, byte for byte; the signatures are Python's",
        arguments: [
            (
                SetCookie(name: "theme", value: "dark"),
                "theme=ZGFyaw..1JvKy4GptJzdG17iyG347IzhrGqL7wlNO9N7j2f0F9c; Path=/; Secure; HttpOnly; SameSite=Lax"
            ),
            (
                SetCookie(name: "theme", value: "dunkel, ä;\n", path: "/x", maxAge: .seconds(60), sameSite: .strict),
                """
                theme=ZHVua2VsLCDDpDsK.1800000060000.nGv8FQes655QeDRCTL8fQviEaU9GMpjVeQuptM-tY-g; Max-Age=60; Path=/x; Secure; \
                HttpOnly; SameSite=Strict
                """
            ),
        ])
    func header(_ cookie: SetCookie, expected: String) throws {
        var response = Response()
        try response.setSignedCookie(cookie, keys, at: clock.now)
        #expect(response.headers[values: .setCookie] == [expected])
    }

    @Test("any text comes back, octet for octet")
    func roundTrip() throws {
        for text in ["", "\0", "a=b; c, \"d\"", "e\u{301}"] + (0..<200).map({ _ in randomText() }) {
            let header = try sent(SetCookie(name: "a", value: text))
            let read = cookies(header).signed("a", by: keys, at: clock.now)
            #expect(read.map { Array($0.utf8) } == Array(text.utf8), "\(text.debugDescription) as \(header)")
        }
    }

    @Test("the public forms look at the wall's clock")
    func wallClock() throws {
        var response = Response()
        try response.setSignedCookie(SetCookie(name: "a", value: "b", maxAge: .seconds(60)), keys)
        try response.setSignedCookie(SetCookie(name: "old", value: "b", maxAge: .seconds(-1)), keys)
        let sent = response.headers[values: .setCookie].compactMap { $0.split(separator: ";").first }.joined(separator: "; ")
        #expect(cookies(sent).signed("a", by: keys) == "b")
        #expect(cookies(sent)["old"] != nil)
        #expect(cookies(sent).signed("old", by: keys) == nil)
    }

    @Test("a former secret still verifies, a foreign one does not")
    func rotation() throws {
        let old = try sent(SetCookie(name: "a", value: "b"), SigningKeys(formerSecret))
        #expect(cookies(old).signed("a", by: try SigningKeys(secret, formerSecret), at: clock.now) == "b")
        #expect(cookies(old).signed("a", by: keys, at: clock.now) == nil)
        let new = try sent(SetCookie(name: "a", value: "b"), SigningKeys(secret, formerSecret))
        #expect(cookies(new).signed("a", by: keys, at: clock.now) == "b")
    }

    @Test("each bit of a cookie counts")
    func flips() throws {
        let header = try sent(SetCookie(name: "name", value: "value", maxAge: .seconds(60)))
        #expect(cookies(header).signed("name", by: keys, at: clock.now) == "value")
        for place in 0..<header.utf8.count {
            for bit in 0..<8 {
                let forged = flipping(bit: bit, of: place, in: header)
                #expect(cookies(forged).signed("name", by: keys, at: clock.now) == nil, "\(forged)")
            }
        }
    }

    @Test("a value is good for its own name alone, and for its own purpose")
    func moved() throws {
        let value = try #require(cookies(try sent(SetCookie(name: "plan", value: "gold")))["plan"])
        #expect(cookies("plan=\(value)").signed("plan", by: keys, at: clock.now) == "gold")
        #expect(cookies("role=\(value)").signed("role", by: keys, at: clock.now) == nil)
        #expect(cookies("Plan=\(value)").signed("Plan", by: keys, at: clock.now) == nil)
        let session = CookieSeal(keys: keys, purpose: .sessionID, name: "plan").seal(Array("gold".utf8), expires: nil)
        #expect(cookies("plan=\(session)").signed("plan", by: keys, at: clock.now) == nil)
    }

    @Test("what was cut off, or has more behind it, is nobody's")
    func truncated() throws {
        let header = try sent(SetCookie(name: "a", value: "value", maxAge: .seconds(60)))
        for count in 0..<header.utf8.count {
            let part = String(decoding: header.utf8.prefix(count), as: UTF8.self)
            #expect(cookies(part).signed("a", by: keys, at: clock.now) == nil, "\(part)")
        }
        for more in ["A", ".", "=", ".A", "\"", "AAAA"] {
            #expect(cookies(header + more).signed("a", by: keys, at: clock.now) == nil, "\(more)")
        }
    }

    @Test(
        "what has no signature is nobody's, whatever its form",
        arguments: ["", ".", "..", "...", "b", "b.", ".b", "Yg..", "Yg.", "Yg..AAAA", "\"\"", "%00", "Yg.\u{301}."])
    func malformed(_ value: String) {
        #expect(cookies("a=\(value)").signed("a", by: keys, at: clock.now) == nil)
        #expect(cookies("").signed("a", by: keys, at: clock.now) == nil)
    }

    @Test("of several cookies of a name the first good one counts, and four are looked at")
    func doubled() throws {
        let (one, two) = (try sent(SetCookie(name: "a", value: "1")), try sent(SetCookie(name: "a", value: "2")))
        #expect(cookies("\(one); \(two)").signed("a", by: keys, at: clock.now) == "1")
        #expect(cookies("a=x; \(two); \(one)").signed("a", by: keys, at: clock.now) == "2")
        #expect(cookies("a=x; a=x; b=\(one); a=x; \(two)").signed("a", by: keys, at: clock.now) == "2")
        #expect(cookies("a=x; a=x; a=x; a=x; \(two)").signed("a", by: keys, at: clock.now) == nil)
    }

    @Test("a cookie of more than 4096 bytes is not set, and not read, though its signature is good")
    func huge() throws {
        let seal = CookieSeal(keys: keys, purpose: .cookie, name: "a")
        // 45 characters besides the value's own, and one of the name.
        let (fits, over) = (Array(repeating: UInt8(0x78), count: 3037), Array(repeating: UInt8(0x78), count: 3038))
        #expect(seal.seal(fits, expires: nil).utf8.count == 4095)
        #expect(cookies("a=\(seal.seal(fits, expires: nil))").signed("a", by: keys, at: clock.now)?.utf8.count == 3037)
        #expect(cookies("a=\(seal.seal(over, expires: nil))").signed("a", by: keys, at: clock.now) == nil)
        _ = try sent(SetCookie(name: "a", value: String(repeating: "x", count: 3037)))
        let error = #expect(throws: CookieError.self) {
            try sent(SetCookie(name: "a", value: String(repeating: "x", count: 3038)))
        }
        #expect(error?.reason.contains("4096") == true)
    }

    @Test("a cookie is good until its time is over, by maxAge or by expires, whatever the browser does")
    func expiry() throws {
        let byAge = try sent(SetCookie(name: "a", value: "b", expires: clock.now, maxAge: .seconds(60)))
        let byDate = try sent(SetCookie(name: "a", value: "b", expires: clock.now.advanced(by: .seconds(60))))
        let forever = try sent(SetCookie(name: "a", value: "b"))
        clock.advance(by: .milliseconds(59_999))
        for header in [byAge, byDate, forever] { #expect(cookies(header).signed("a", by: keys, at: clock.now) == "b") }
        clock.advance(by: .milliseconds(1))
        for header in [byAge, byDate] { #expect(cookies(header).signed("a", by: keys, at: clock.now) == nil) }
        #expect(cookies(forever).signed("a", by: keys, at: clock.now) == "b")
    }
}
