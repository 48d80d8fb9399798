import Testing

@testable import SluiceCore
@testable import SluiceMiddleware

/// RFC 6265bis, section 4.1.
@Suite struct SetCookieTests {
    @Test(
        "the header of a cookie",
        arguments: [
            (SetCookie(name: "a", value: "b"), "a=b; Path=/; Secure; HttpOnly; SameSite=Lax"),
            (
                SetCookie(name: "a", value: "", path: nil, secure: false, httpOnly: false, sameSite: nil),
                "a="
            ),
            (
                SetCookie(
                    name: "__Host-id", value: "a=b/c:d", expires: .init(millisecondsSinceEpoch: 1_552_043_829_000),
                    maxAge: .seconds(60), sameSite: SetCookie.SameSite.none, partitioned: true),
                "__Host-id=a=b/c:d; Max-Age=60; Expires=Fri, 08 Mar 2019 11:17:09 GMT; Path=/; Secure; HttpOnly; SameSite=None; Partitioned"
            ),
            (
                SetCookie(name: "a", value: "b", path: "/x", domain: "example.com", sameSite: .strict),
                "a=b; Domain=example.com; Path=/x; Secure; HttpOnly; SameSite=Strict"
            ),
            (
                SetCookie(name: "a", value: "b", maxAge: .seconds(400 * 86_400)),
                "a=b; Max-Age=34560000; Path=/; Secure; HttpOnly; SameSite=Lax"
            ),
            (SetCookie(name: "a", value: "b", maxAge: .seconds(-5)), "a=b; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"),
            (
                SetCookie.removal(of: "a"),
                "a=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Secure; HttpOnly; SameSite=Lax"
            ),
        ])
    func header(_ cookie: SetCookie, expected: String) throws {
        #expect(try cookie.header() == expected)
    }

    @Test(
        "what a browser would refuse or misread is an error",
        arguments: [
            (SetCookie(name: "", value: "b"), "token"), (SetCookie(name: "a b", value: "b"), "token"),
            (SetCookie(name: "a=b", value: "b"), "token"), (SetCookie(name: "a;", value: "b"), "token"),
            (SetCookie(name: "ä", value: "b"), "token"), (SetCookie(name: "a", value: "b c"), "octets"),
            (SetCookie(name: "a", value: "b;c"), "octets"), (SetCookie(name: "a", value: "b\u{301};"), "octets"),
            (SetCookie(name: "a", value: "b\r\nX: y"), "octets"), (SetCookie(name: "a", value: "\"b\""), "octets"),
            (SetCookie(name: "a", value: "ä"), "octets"),
            (SetCookie(name: "a", value: String(repeating: "x", count: 4096)), "4096"),
            (SetCookie(name: "a", value: "b", path: "/" + String(repeating: "x", count: 1024)), "1024"),
            (SetCookie(name: "a", value: "b", path: "/;Domain=evil"), "cannot stand"),
            (SetCookie(name: "a", value: "b", path: "x"), "begin with '/'"),
            (SetCookie(name: "a", value: "b", domain: "a\r\nb"), "cannot stand"),
            (SetCookie(name: "a", value: "b", maxAge: .seconds(400 * 86_400 + 1)), "400 days"),
            (SetCookie(name: "__Secure-a", value: "b", secure: false), "'secure'"),
            (SetCookie(name: "__SECURE-a", value: "b", secure: false), "'secure'"),
            (SetCookie(name: "__Host-a", value: "b", path: "/x"), "path '/'"),
            (SetCookie(name: "__host-a", value: "b", domain: "example.com"), "no domain"),
            (SetCookie(name: "__Host-a", value: "b", secure: false), "'secure'"),
            (SetCookie(name: "__Http-a", value: "b", httpOnly: false), "'httpOnly'"),
            (SetCookie(name: "a", value: "b", secure: false, sameSite: SetCookie.SameSite.none), "SameSite=None"),
            (SetCookie(name: "a", value: "b", secure: false, partitioned: true), "Partitioned"),
        ])
    func refused(_ cookie: SetCookie, says: String) {
        let error = #expect(throws: CookieError.self) { try cookie.header() }
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }

    @Test("several cookies are several headers; one of the same name, path and domain is replaced")
    func several() throws {
        var response = Response()
        try response.setCookie(SetCookie(name: "a", value: "1"))
        try response.setCookie(SetCookie(name: "b", value: "2"))
        try response.setCookie(SetCookie(name: "a", value: "3", path: "/x"))
        try response.setCookie(SetCookie(name: "a", value: "4"))
        let names = response.headers[values: .setCookie].map { $0.prefix(3) }
        #expect(names == ["b=2", "a=3", "a=4"])
    }

    @Test(
        "dates of HTTP, all three forms",
        arguments: [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        ])
    func dates(_ text: String) {
        let instant = WallClock.Instant(millisecondsSinceEpoch: 784_111_777_000)
        #expect(HTTPDate.parse(text) == instant)
        #expect(HTTPDate.text(instant) == "Sun, 06 Nov 1994 08:49:37 GMT")
    }

    @Test("every day until 2100 is written and read back, and days of the week follow each other")
    func allDays() {
        let week = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        for day in 0..<47_482 {
            let instant = WallClock.Instant(millisecondsSinceEpoch: Int64(day) * 86_400_000 + 1000)
            let text = HTTPDate.text(instant)
            #expect(HTTPDate.parse(text) == instant)
            #expect(text.hasPrefix(week[day % 7]))
        }
        #expect(HTTPDate.text(.init(millisecondsSinceEpoch: .min)) == "Thu, 01 Jan 1970 00:00:00 GMT")
        #expect(HTTPDate.text(.init(millisecondsSinceEpoch: .max)) == "Fri, 31 Dec 9999 23:59:59 GMT")
    }
}
