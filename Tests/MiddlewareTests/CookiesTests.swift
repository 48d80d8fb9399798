import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceMiddleware

/// RFC 6265, sections 4.2 and 5.4. A case begins with the rows of the peers' table that it answers.
@Suite struct CookiesTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let id: String
        let lines: [String]
        /// Names and values, as `name|value`.
        let all: [String]
        var testDescription: String { id }

        init(_ id: String, _ lines: String..., all: [String]) { (self.id, self.lines, self.all) = (id, lines, all) }
    }

    private static func cookies(_ lines: [String]) -> Cookies {
        var request = Request(.get, "/")
        for line in lines { request.headers.append(HTTPField(name: .cookie, value: line)) }
        return request.cookies
    }

    static let readings: [Case] = [
        Case("H-COOKIE-10", "name=value", all: ["name|value"]),
        Case("H-COOKIE-11, S-COOKIE-8", "chips=ahoy; vienna=finger", all: ["chips|ahoy", "vienna|finger"]),
        Case("H-COOKIE-12", "a=1; b=2", "c=3", all: ["a|1", "b|2", "c|3"]),
        Case("S-COOKIE-20", "a=1", "b=2", "c=3", all: ["a|1", "b|2", "c|3"]),
        Case(
            "S-COOKIE-7: JSON", #"a=1; s={"x":"y","n":[1,2],"t":"{z}"}; b=2; c=3"#,
            all: ["a|1", #"s|{"x":"y","n":[1,2],"t":"{z}"}"#, "b|2", "c|3"]),
        Case(
            "S-COOKIE-9: quotes hide no semicolon", #"keebler="E=mc2; L=\"Loves\"; fudge=\012;""#,
            all: [#"keebler|"E=mc2"#, #"L|\"Loves\""#, #"fudge|\012"#]),
        Case("S-COOKIE-10", "keebler=E=mc2", all: ["keebler|E=mc2"]),
        Case("S-COOKIE-11", "key:term=value:term", all: ["key:term|value:term"]),
        Case("S-COOKIE-12", "a=b; c=[; d=r; f=h", all: ["a|b", "c|[", "d|r", "f|h"]),
        Case("S-COOKIE-13", "a=b; Domain=example.com", all: ["a|b", "Domain|example.com"]),
        Case("S-COOKIE-15: no name", "abc=def; unnamed; django_language=en", all: ["abc|def", "django_language|en"]),
        Case("S-COOKIE-16", #"a=b; "; c=d"#, all: ["a|b", "c|d"]),
        Case("S-COOKIE-17", "a b c=d e = f; gh=i", all: ["a b c|d e = f", "gh|i"]),
        Case("S-COOKIE-18", #"a b,c<>@:/[]?{}=d  "=e,f g"#, all: [#"a b,c<>@:/[]?{}|d  "=e,f g"#]),
        Case("S-COOKIE-19", "  =  b  ;  ;  =  ;   c  =  ;  ", all: ["c|"]),
        Case("N-COOKIE-1, N-COOKIE-28", "yummy=choco; tasty = strawberry ", all: ["yummy|choco", "tasty|strawberry"]),
        Case("N-COOKIE-29: tabs", "\ta\t=\t1\t;\t b \t=\t 2\t", all: ["a|1", "b|2"]),
        Case("N-COOKIE-30: verbatim", #"a="1"; b=" 2 3 "; c="%20";"#, all: [#"a|"1""#, #"b|" 2 3 ""#, #"c|"%20""#]),
        Case("N-COOKIE-31", #"yummy="choco%2";"#, all: [#"yummy|"choco%2""#]),
        Case("N-COOKIE-32", "", all: []),
        Case("N-COOKIE-35, N-COOKIE-6", #"a=; b = ; c= ; d="""#, all: ["a|", "b|", "c|", #"d|"""#]),
        Case("N-COOKIE-36", "a=choco.iBk%3D; rating3.5=x; c=y.z", all: ["a|choco.iBk%3D", "rating3.5|x", "c|y.z"]),
        Case("N-COOKIE-37: as sent", #"good=1; not good=2; b\d=3; =4"#, all: ["good|1", "not good|2", #"b\d|3"#]),
        Case("N-COOKIE-38", "a:b=1; a@b=2; a(b)=3; a[b]=4; a{b}=5", all: ["a:b|1", "a@b|2", "a(b)|3", "a[b]|4", "a{b}|5"]),
        Case("N-COOKIE-40: as sent", "good=1; n\u{E4}me=2", all: ["good|1", "n\u{E4}me|2"]),
        Case("N-COOKIE-41: as sent", #"good=1; a=b\c; d="e"#, all: ["good|1", #"a|b\c"#, #"d|"e"#]),
        Case("N-COOKIE-43", "a=legit; \u{A0}a=evil", all: ["a|legit", "\u{A0}a|evil"]),
    ]

    @Test("cookies of a request, in the order sent and verbatim", arguments: readings)
    func reading(_ one: Case) {
        #expect(Self.cookies(one.lines).all.map { "\($0.name)|\($0.value)" } == one.all)
    }

    struct Lookup: Sendable, CustomTestStringConvertible {
        let id: String
        let line: String
        let name: String
        let value: String?
        var testDescription: String { id }

        init(_ id: String, _ line: String, _ name: String, _ value: String?) {
            (self.id, self.line, self.name, self.value) = (id, line, name, value)
        }
    }

    static let lookups: [Lookup] = [
        Lookup("S-COOKIE-14, N-COOKIE-44, N-COOKIE-45", "a=first; h=i; a=last", "a", "first"),
        Lookup("N-COOKIE-46", "session=legit; other=x; session=evil", "session", "legit"),
        Lookup("N-COOKIE-33", "yummy=choco; tasty=strawberry", "tasty", "strawberry"),
        Lookup("N-COOKIE-34", "yummy=choco", "tasty", nil),
        Lookup("N-COOKIE-6", "yummy=", "yummy", ""),
        Lookup("N-COOKIE-39", "x=1; paraglide:lang=de", "paraglide:lang", "de"),
        Lookup("N-COOKIE-42", "\u{A0}a=evil; a=legit", "a", "legit"),
        Lookup("N-COOKIE-43", "a=legit; \u{A0}a=evil", "a", "legit"),
        Lookup("N-COOKIE-47", "toString=1; constructor=2; toString=3", "toString", "1"),
        Lookup("case counts", "Session=1", "session", nil),
        Lookup("N-COOKIE-12", "__Secure-d=macha; Path=/; Secure", "__Secure-d", "macha"),
        Lookup("N-COOKIE-14", "__Host-d=macha; Path=/; Secure", "__Host-d", "macha"),
    ]

    @Test("a cookie by its name: the first", arguments: lookups)
    func lookup(_ one: Lookup) { #expect(Self.cookies([one.line])[one.name] == one.value) }

    struct Writing: Sendable, CustomTestStringConvertible {
        let id: String
        let cookie: SetCookie
        let line: String
        var testDescription: String { id }

        init(_ id: String, _ cookie: SetCookie, _ line: String) { (self.id, self.cookie, self.line) = (id, cookie, line) }
    }

    private static let december = WallClock.Instant(millisecondsSinceEpoch: 977_653_859_900)

    private static func plain(_ name: String, _ value: String, maxAge: Duration? = nil) -> SetCookie {
        SetCookie(name: name, value: value, path: nil, maxAge: maxAge, secure: false, httpOnly: false, sameSite: nil)
    }

    private static let full =
        "mycookie=myvalue; Max-Age=10; Expires=Sun, 24 Dec 2000 10:30:59 GMT; Domain=localhost; Path=/; Secure; HttpOnly; "
        + "SameSite=None; Partitioned"
    private static let past =
        "great=banana; Max-Age=1000; Expires=Sun, 24 Dec 2000 10:30:59 GMT; Domain=example.com; Path=/; Secure; HttpOnly; "
        + "SameSite=Strict"
    private static let gone =
        "a=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Domain=example.com; Path=/x; Secure; HttpOnly; SameSite=Lax"

    static let writings: [Writing] = [
        Writing(
            "H-COOKIE-13, 14, N-COOKIE-7, 25", SetCookie(name: "test", value: "value"),
            "test=value; Path=/; Secure; HttpOnly; SameSite=Lax"),
        Writing(
            "H-COOKIE-17", SetCookie(name: "foo", value: "bar", sameSite: .strict),
            "foo=bar; Path=/; Secure; HttpOnly; SameSite=Strict"),
        Writing(
            "S-COOKIE-1",
            SetCookie(
                name: "mycookie", value: "myvalue", domain: "localhost", expires: december, maxAge: .seconds(10),
                sameSite: SetCookie.SameSite.none, partitioned: true),
            full),
        Writing(
            "S-COOKIE-2", SetCookie(name: "a", value: "b", path: nil, secure: false, httpOnly: false), "a=b; SameSite=Lax"),
        Writing(
            "S-COOKIE-3", SetCookie(name: "a", value: "b", secure: false, httpOnly: false, sameSite: nil), "a=b; Path=/"),
        Writing(
            "N-COOKIE-8", SetCookie(name: "a", value: "b", path: "/a", secure: false, httpOnly: false, sameSite: nil),
            "a=b; Path=/a"),
        Writing(
            "N-COOKIE-17: the past, milliseconds cut",
            SetCookie(
                name: "great", value: "banana", domain: "example.com", expires: december, maxAge: .seconds(1000),
                sameSite: .strict),
            past),
        Writing("N-COOKIE-58", plain("delicious", "macha"), "delicious=macha"),
        Writing("N-COOKIE-63", plain("a", "b", maxAge: .zero), "a=b; Max-Age=0"),
        Writing("N-COOKIE-64", plain("a", "b", maxAge: .seconds(-1)), "a=b; Max-Age=0"),
        Writing(
            "N-COOKIE-66: browsers cut it", SetCookie(name: "a", value: "b", expires: .init(millisecondsSinceEpoch: .max)),
            "a=b; Expires=Fri, 31 Dec 9999 23:59:59 GMT; Path=/; Secure; HttpOnly; SameSite=Lax"),
        Writing("S-COOKIE-5, N-COOKIE-20, 22", .removal(of: "a", path: "/x", domain: "example.com"), gone),
    ]

    @Test("a handler's cookie leaves as it stands here", arguments: writings)
    func writing(_ one: Writing) async throws {
        var routes = Router()
        routes.get("/") { _ -> Response in
            var response = Response.text("x")
            try response.setCookie(one.cookie)
            return response
        }
        let response = await respond(CompletePipeline.of(routes), Request(.get, "/"))
        #expect(response.status == .ok)
        #expect(response.headers[values: .setCookie] == [one.line])
    }

    @Test("S-COOKIE-6, H-COOKIE-16, 18, 19: what cannot come back as it was is a 500 with its reason in the record")
    func refused() async {
        let cookies = [
            Self.plain("a", "b, c!"), Self.plain("se;ssion", "x"), Self.plain("a", "x\u{7F}"), Self.plain("a=b", "x"),
        ]
        for cookie in cookies {
            let reporter = NotingReporter()
            var routes = Router()
            routes.get("/") { _ -> Response in
                var response = Response.text("x")
                try response.setCookie(cookie)
                return response
            }
            let response = await respond(CompletePipeline.of(routes), Request(.get, "/"), reporter)
            #expect(response.status == .internalServerError && response.error is CookieError, "\(cookie)")
            #expect(response.headers[.setCookie] == nil && reporter.failures.values.count == 1, "\(cookie)")
        }
    }

    @Test("H-COOKIE-15, N-COOKIE-23, 24: a handler reads what a client sends back, and removes it")
    func roundTrip() async throws {
        var routes = Router()
        routes.post("/") { request -> Response in
            var response = Response.text(request.cookies["__Host-a"] ?? "none")
            try response.setCookie(.removal(of: "__Host-a"))
            return response
        }
        let set = try SetCookie(name: "__Host-a", value: "b=c/d+e").header()
        let sent = String(set.prefix { $0 != ";" })
        let response = await respond(CompletePipeline.of(routes), Request(.post, "/", headers: [.cookie: sent]))
        #expect(response.text == "b=c/d+e")
        #expect(response.headers[.setCookie]?.hasPrefix("__Host-a=; Max-Age=0; ") == true)
    }

    @Test("N-COOKIE-19, 21: of one name, path and domain the last; of others each")
    func several() throws {
        var response = Response()
        try response.setCookie(Self.plain("a", "1"))
        try response.setCookie(.removal(of: "b"))
        try response.setCookie(.removal(of: "c"))
        try response.setCookie(Self.plain("a", "2"))
        #expect(response.headers[values: .setCookie].map { String($0.prefix(3)) } == ["b=;", "c=;", "a=2"])
    }

    /// RFC 6265, section 5.2: attributes have no case.
    @Test("a cookie written by hand is replaced too")
    func byHand() throws {
        var response = Response(headers: [.setCookie: "a=0; path=/; secure"])
        try response.setCookie(SetCookie(name: "a", value: "1"))
        #expect(response.headers[values: .setCookie].map { String($0.prefix(3)) } == ["a=1"])
    }

    /// Browsers keep the two apart (CHIPS), so that an app can move from one to the other.
    @Test("a partitioned cookie does not replace one that is not")
    func partitioned() throws {
        var response = Response()
        try response.setCookie(.removal(of: "a"))
        try response.setCookie(SetCookie(name: "a", value: "2", sameSite: SetCookie.SameSite.none, partitioned: true))
        #expect(response.headers[values: .setCookie].map { String($0.prefix(3)) } == ["a=;", "a=2"])
    }
}
