import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

@Suite struct ScrubberTests {
    private let strict = Scrubber(sendsPII: false)
    private let open = Scrubber(sendsPII: true)

    private func raw(
        _ headers: [(name: String, value: String)] = [], url: String = "https://shop.example/",
        query: [(name: String, value: String)] = [],
        body: String = "", address: String? = nil
    ) -> RequestSummary {
        RequestSummary(method: "POST", url: url, query: query, headers: headers, body: Array(body.utf8), remoteAddress: address)
    }

    private func headers(_ scrubber: Scrubber, _ headers: [(name: String, value: String)]) -> [ReportRequest.Pair] {
        scrubber.request(raw(headers)).headers
    }

    /// The body as it leaves.
    private func body(_ type: String, _ bytes: [UInt8]) -> String? {
        let raw = RequestSummary(
            method: "POST", url: "/", query: [], headers: [("content-type", type)], body: bytes, remoteAddress: nil)
        return open.request(raw).body
    }

    private func body(_ type: String, _ text: String) -> String? { body(type, Array(text.utf8)) }

    // MARK: Headers

    @Test(
        "cases 59, 60: headers that sound like secrets are filtered whoever asks, the name is kept",
        arguments: [
            "Authorization", "X-Auth-Token", "X-CSRF-Token", "X-XSRF-Token", "Session-Id", "X-Api-Key", "X-JWT-Token",
            "Bearer-Token",
            "SSO-Session", "SAML-Response", "Password-Hash", "X-Credentials", "User-SID", "X-Identity", "proxy-authorization",
            "AUTHORIZATION", "x-aPi-kEy", "my-passwd", "PWD2", "X-Amz-Security-Token", "Cookie2", "X-Private-Note",
        ])
    func secretHeaders(_ name: String) {
        for scrubber in [strict, open] {
            #expect(headers(scrubber, [(name, "hunter2")]) == [.init(name, "[Filtered]")])
        }
    }

    @Test("case 59: other headers are kept, in order, repeated ones too")
    func otherHeaders() {
        let plain = [
            ("Accept", "*/*"), ("accept", "text/html"), ("Content-Type", "application/json"), ("User-Agent", "curl/8"),
            ("Accept", "*/*"),
            ("X-Amzn-Trace-Id", "Root=1"), ("Host", "shop.example"), ("Content-Length", "3"),
        ]
        #expect(headers(strict, plain) == plain.map { .init($0.0, $0.1) })
    }

    @Test("case 68: with personal data off, headers about the client are filtered; with it on, they are kept")
    func personalHeaders() {
        let personal = [
            "X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "x-user", "X-Real-IP", "True-Client-Ip", "Remote-Addr", "Via",
            "CF-Connecting-IP", "X-Client-IP", "Fly-Client-IP", "Fastly-Client-Ip", "X-Cluster-Client-IP",
            "X-Vercel-Forwarded-For",
        ]
        let sent = personal.map { (name: $0, value: "192.0.2.1") }
        #expect(headers(strict, sent) == personal.map { .init($0, "[Filtered]") })
        #expect(headers(open, sent) == personal.map { .init($0, "192.0.2.1") })
        let harmless: [(name: String, value: String)] = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", "443")]
        #expect(headers(strict, harmless) == harmless.map { .init($0.name, $0.value) })
    }

    // MARK: Cookies

    @Test(
        "cases 63-66: cookies are judged one by one, by their names",
        arguments: [
            ("theme=dark; user_session=abc; locale=en", ["theme=dark", "user_session=[Filtered]", "locale=en"]),
            (
                "connect.sid=a; remember_me=b; __secure-token=c",
                ["connect.sid=[Filtered]", "remember_me=[Filtered]", "__secure-token=[Filtered]"]
            ),
            (
                "__Host-a=1; AWSALB=1; AWSALBCORS=1; PHPSESSID=1; oidc_x=1; sb-x=1; mfa=1; x-nonce=1; CognitoX=1",
                [
                    "__Host-a=[Filtered]", "AWSALB=[Filtered]", "AWSALBCORS=[Filtered]", "PHPSESSID=[Filtered]",
                    "oidc_x=[Filtered]",
                    "sb-x=[Filtered]", "mfa=[Filtered]", "x-nonce=[Filtered]", "CognitoX=[Filtered]",
                ]
            ),
            ("hunter2", ["cookie=[Filtered]"]), ("a=1; hunter2; b=2", ["a=1", "cookie=[Filtered]", "b=2"]),
            ("a=b=.c=.d", ["a=b=.c=.d"]), ("SESSION=b=c", ["SESSION=[Filtered]"]), ("=x", ["=x"]), ("", []), (" ; ;", []),
            (" a = 1 ;\tb=2", ["a = 1", "b=2"]), ("a=1;a=2", ["a=1", "a=2"]),
        ])
    func cookies(_ header: String, _ expected: [String]) {
        let request = open.request(raw([("Cookie", header)]))
        #expect(request.cookies.map { "\($0.name)=\($0.value)" } == expected)
        #expect(request.headers.isEmpty)
    }

    @Test("case 66: a cookie's name ends at the first equals sign")
    func cookieNames() {
        let cookies = open.cookies("a=b=.c=.d; token=e=f")
        #expect(cookies == [.init("a", "b=.c=.d"), .init("token", "[Filtered]")])
    }

    @Test(
        "case 67: of Set-Cookie the first pair counts, and attributes are dropped",
        arguments: [
            ("session=abc; Domain=x; HttpOnly", "session=[Filtered]"), ("theme=dark; Path=/; Secure", "theme=dark"),
            ("hunter2; Path=/", "[Filtered]"), ("", "[Filtered]"), ("__Host-x=abc", "__Host-x=[Filtered]"),
        ])
    func setCookie(_ value: String, _ expected: String) {
        #expect(headers(open, [("Set-Cookie", value)]) == [.init("Set-Cookie", expected)])
    }

    // MARK: A whole request

    private var rest: RequestSummary {
        raw(
            [
                ("Authorization", "Bearer hunter2"), ("Cookie", "theme=dark; session=hunter2"),
                ("X-Forwarded-For", "192.0.2.1"),
                ("X-Forwarded-Proto", "https"), ("Content-Type", "application/json"),
            ], query: [("done", "true")], body: #"{"say":"hello","password":"hunter2"}"#, address: "192.0.2.1")
    }

    @Test("case 69: with personal data off there is no body, no user and no address, and secrets are filtered")
    func piiOff() async throws {
        let test = TestClient()
        let rest = rest
        test.box.began { rest }
        let event = try await test.delivered(test.message("x"))
        let request = try #require(event["request"])
        #expect(request.keys == ["method", "url", "query_string", "headers", "cookies"])
        #expect(
            request["headers"]?.value as? [[String]] == [
                ["Authorization", "[Filtered]"], ["X-Forwarded-For", "[Filtered]"], ["X-Forwarded-Proto", "https"],
                ["Content-Type", "application/json"],
            ])
        #expect(request["cookies"]?.value as? [[String]] == [["theme", "dark"], ["session", "[Filtered]"]])
        #expect(event["user"] == nil)
    }

    @Test("case 70: with personal data on there are body, address and user, and secrets are filtered all the same")
    func piiOn() async throws {
        let test = TestClient { $0.sendDefaultPII = true }
        let rest = rest
        test.box.began { rest }
        let event = try await test.delivered(test.message("x"))
        let request = try #require(event["request"])
        #expect(request.keys == ["method", "url", "query_string", "headers", "cookies", "data", "env"])
        #expect(
            request["headers"]?.value as? [[String]] == [
                ["Authorization", "[Filtered]"], ["X-Forwarded-For", "192.0.2.1"], ["X-Forwarded-Proto", "https"],
                ["Content-Type", "application/json"],
            ])
        #expect(request["cookies"]?.value as? [[String]] == [["theme", "dark"], ["session", "[Filtered]"]])
        #expect(request["data"]?.text == #"{"password":"[Filtered]","say":"hello"}"#)
        #expect(request["env"]?.dictionary == ["REMOTE_ADDR": "192.0.2.1"])
        #expect(event["user"]?.dictionary == ["ip_address": "192.0.2.1"])
    }

    @Test("cases 69, 70: a user that the app has set is sent as it is, with personal data off too, and is never added to")
    func ownUser() async throws {
        for sendsPII in [false, true] {
            let test = TestClient { $0.sendDefaultPII = sendsPII }
            let rest = rest
            test.box.began { rest }
            test.box.change { $0.user = ReportUser(id: "42", email: "a@b.example") }
            #expect(try await test.delivered(test.message("x"))["user"]?.dictionary == ["id": "42", "email": "a@b.example"])
        }
    }

    /// Where a secret may hide, each another one, and what must arrive for the search to mean anything.
    private func planted(_ type: String, _ body: String) -> RequestSummary {
        raw(
            [
                ("Authorization", "Bearer secret-01"), ("X-Api-Key", "secret-02"),
                ("Cookie", "theme=kept-1; sid=secret-03; secret-04"),
                ("cookie", "user_session=secret-05"), ("Set-Cookie", "token=secret-06; Path=/secret-07"),
                ("Referer", "https://me:secret-08@shop.example/kept-2?token=secret-09#secret-10"),
                ("X-CSRF-TOKEN", "secret-11"),
                ("Location", "//me:secret-12@shop.example/"), ("Content-Type", type), ("Accept", "kept-3"),
                ("proxy-authorization", "Basic secret-13"),
            ], url: "https://secret-14:secret-15@shop.example/kept-4?code=secret-16#secret-17",
            query: [("Access_Token", "secret-18"), ("a", "kept-5"), ("api_key", "secret-19")], body: body)
    }

    private static let form = "user=kept-6&password=secret-20&p%61sswd=secret-21&secret-22&pass%word=secret-23"
    private static let json = """
        {"user":{"name":"kept-6","Password":"secret-20","keys":["secret-21"]},"list":[{"auth":{"deep":["secret-22"]}}],\
        "\\u0074oken":"secret-23"}
        """

    @Test(
        "cases 59-74: no secret of a request's headers, cookies, query, URL, form or JSON is in the bytes that leave, nor on the disk",
        arguments: [
            ("application/x-www-form-urlencoded", form), ("application/json; charset=utf-8", json),
            ("application/vnd.api+json", json),
            ("application/json", "not JSON kept-6: token=secret-20"), ("text/plain", "the password is secret-20"),
        ], [false, true])
    func plantedSecrets(_ content: (type: String, body: String), _ sendsPII: Bool) async throws {
        let onDisk = Collected<[UInt8]>()
        let test = TestClient { $0.sendDefaultPII = sendsPII }
        let request = planted(content.type, content.body)
        test.box.began { request }
        let crumb = Breadcrumb(
            "kept-7",
            data: [
                "password": "secret-24", "headers": ["authorization": "secret-25", "list": [["x-token": "secret-26"]]],
                "url": "https://me:secret-27@db.example/kept-8?key=secret-28",
                "http.url": "https://secret-29@db.example/#secret-30",
            ])
        test.client.add(crumb, to: test.box)
        test.capture(test.message("x"))
        for file in test.spooled { onDisk.add(file) }
        try await test.flush()
        let sent = test.ingest.requests.map(\.message)
        #expect(sent.count == 1)
        #expect(onDisk.values.count == 1)
        #expect(sent.allSatisfy { $0["content-encoding"] == nil })
        for bytes in sent.map(\.raw) + onDisk.values {
            for number in 1...30 {
                let secret = "secret-" + (number < 10 ? "0" : "") + String(number)
                #expect(!bytes.contains(text: secret), "\(secret)")
            }
            for number in [1, 2, 3, 4, 5, 7, 8] { #expect(bytes.contains(text: "kept-\(number)"), "kept-\(number)") }
            let hasFields = content.body == Self.form || content.body == Self.json
            #expect(bytes.contains(text: "kept-6") == (sendsPII && hasFields))
        }
        // The app's own object is as it was.
        #expect(test.box.breadcrumbs == [crumb])
    }

    // MARK: Data

    @Test(
        "case 71: of nested data the secrets are replaced, siblings and the order of lists are kept")
    func nested() {
        let original = Breadcrumb(
            "m",
            data: [
                "a": ["b": [["session_id": "x", "n": 1], "plain"], "API-KEY": ["whole": ["of": "it"]]], "token": nil, "n": 1.5,
            ])
        #expect(
            strict.breadcrumb(original).data == [
                "a": ["b": [["session_id": "[Filtered]", "n": 1], "plain"], "API-KEY": "[Filtered]"], "token": "[Filtered]",
                "n": 1.5,
            ])
    }

    @Test("case 72: what was filtered for one event is whole for beforeBreadcrumb, and for the scope")
    func breadcrumbsStay() async throws {
        let test = TestClient()
        let crumb = Breadcrumb("m", data: ["password": "hunter2", "url": "https://u:p@h.example/?q=1"])
        test.client.add(crumb, to: test.box)
        for _ in 0..<2 {
            let event = try await test.delivered(test.message("x"))
            let data = event["breadcrumbs"]?["values"]?[0]?["data"]
            #expect(data?.dictionary == ["password": "[Filtered]", "url": "https://[Filtered]:[Filtered]@h.example/"])
        }
        #expect(test.box.breadcrumbs == [crumb])
    }

    // MARK: Queries and URLs

    @Test("case 73: values of a query are filtered by their names, repeated names stay in order")
    func query() async throws {
        let test = TestClient()
        let request = raw(query: [("token", "x"), ("a", "1"), ("a", "2"), ("A-Session", ""), ("empty", "")])
        test.box.began { request }
        let event = try await test.delivered(test.message("x"))
        #expect(
            event["request"]?["query_string"]?.value as? [[String]] == [
                ["token", "[Filtered]"], ["a", "1"], ["a", "2"], ["A-Session", "[Filtered]"], ["empty", ""],
            ])
    }

    @Test(
        "case 74: credentials in URLs are replaced, query and fragment gone",
        arguments: [
            ("https://user:pass@shop.example/a?b=c#d", "https://[Filtered]:[Filtered]@shop.example/a"),
            ("https://user@shop.example", "https://[Filtered]@shop.example"),
            ("https://user:p@ss@shop.example/a", "https://[Filtered]:[Filtered]@shop.example/a"),
            ("//user:pass@shop.example/a", "//[Filtered]:[Filtered]@shop.example/a"),
            ("postgres://user:pass@db:5432/shop", "postgres://[Filtered]:[Filtered]@db:5432/shop"),
            ("https://shop.example/a@b", "https://shop.example/a@b"), ("https://shop.example?x", "https://shop.example"),
            ("/a?b=c", "/a"), ("/a#b", "/a"), ("", ""), ("?", ""), ("https://", "https://"), ("/é/😀", "/é/😀"),
        ])
    func urls(_ url: String, _ expected: String) {
        #expect(strict.url(url) == expected)
    }

    @Test("case 74: an event's URL has neither query nor credentials")
    func requestURL() async throws {
        let test = TestClient()
        let request = raw(url: "https://u:p@shop.example/orders/1?x=1#y")
        test.box.began { request }
        #expect(
            try await test.delivered(test.message("x"))["request"]?["url"]?.text
                == "https://[Filtered]:[Filtered]@shop.example/orders/1")
    }

    // MARK: Bodies

    @Test("case 75: a text above the limit is cut there, dots last, and never within a character")
    func longBody() async throws {
        #expect(body("text/plain", String(repeating: "x", count: 10_000)) == String(repeating: "x", count: 10_000))
        #expect(body("text/plain", String(repeating: "x", count: 10_001)) == String(repeating: "x", count: 9997) + "...")
        for padding in ["", "x", "xx", "xxx"] {
            let text = try #require(body("text/plain", padding + String(repeating: "😀", count: 5000)))
            #expect(text.hasPrefix(padding + "😀") && text.hasSuffix("😀..."))
            #expect(text.utf8.count <= 10_000)
        }
        let test = TestClient { $0.sendDefaultPII = true }
        let request = raw([("content-type", "text/plain")], body: String(repeating: "x", count: 20_000))
        test.box.began { request }
        let event = try await test.delivered(test.message("x"))
        #expect(event["request"]?["data"]?.text == String(repeating: "x", count: 9997) + "...")
    }

    @Test(
        "case 75: bodies that are no text are not captured",
        arguments: [
            ("application/octet-stream", Array("plain".utf8)), ("image/png", [0x89, 0x50]),
            ("multipart/form-data; boundary=x", Array("--x".utf8)),
            ("", Array("plain".utf8)), ("text/plain", [0xFF, 0xFE]), ("application/json", [0x1F, 0x8B, 8, 0]),
            ("text/plain", []),
            ("application/json", []), ("text/plain", Array(repeating: 0x80, count: 20_000)),
        ] as [(String, [UInt8])])
    func noBody(_ type: String, _ bytes: [UInt8]) {
        #expect(body(type, bytes) == nil)
    }

    @Test(
        "cases 75, 76: a body that cannot be taken apart is kept when nothing in it sounds like a secret, and filtered whole otherwise",
        arguments: [
            ("text/plain", "hello", "hello"), ("text/plain", "my PassWord is hunter2", "[Filtered]"),
            ("application/xml", "<a>1</a>", "<a>1</a>"),
            ("text/xml", "<token>hunter2</token>", "[Filtered]"), ("application/json", "{\"a\":", "{\"a\":"),
            ("application/json", "{\"password\":\"hunter2\"", "[Filtered]"),
            ("application/json", #"{"p\u0061ssword":"hunter2""#, "[Filtered]"),
            ("application/json", "{\0\"\0p\0w\0d\0\"\0:\0\"\0x\0\"\0}\0", "[Filtered]"),
            ("application/graphql", "{ me { token } }", "[Filtered]"),
            ("application/x-ndjson", "{\"pwd\":1}\n{\"pwd\":2}", "[Filtered]"),
            ("application/x-www-form-urlencoded", "hunter2", "[Filtered]"),
            ("application/x-www-form-urlencoded", "a=1&token=hunter2&&b", "a=1&token=[Filtered]&[Filtered]"),
            (
                "application/x-www-form-urlencoded", "p%61ssword=hunter2&%zz=hunter2&a=%zz",
                "p%61ssword=[Filtered]&%zz=[Filtered]&a=%zz"
            ),
            ("application/json", "[1,2.5,\"x\",null,true,{\"n\":{}}]", "[1,2.5,\"x\",null,true,{\"n\":{}}]"),
        ])
    func unparsed(_ type: String, _ text: String, _ expected: String) {
        #expect(body(type, text) == expected)
    }

    @Test("case 75: JSON above the limit is not taken apart: filtered whole when it mentions a secret, cut otherwise")
    func longJSON() {
        let filler = String(repeating: "x", count: 12_000)
        #expect(body("application/json", "{\"password\":\"hunter2\",\"a\":\"\(filler)\"}") == "[Filtered]")
        #expect(body("application/json", "{\"a\":\"\(filler)\"}") == "{\"a\":\"" + String(repeating: "x", count: 9991) + "...")
    }

    @Test(
        "a body's reader takes RFC 8259 and nothing else",
        arguments: [
            (#"{"a":"\u00e9\ud83d\ude00\/\n","b":[-0,-1.5e+2,1E3,0.25],"a":2}"#, #"{"a":2,"b":[0,-150,1000,0.25]}"#),
            (#"[9223372036854775807,1e999,"é"]"#, #"[9223372036854775807,"1e999","é"]"#),
            (" [ ] ", "[]"), ("\"\\u0041\"", "\"A\""), ("[[[[[[[[[1,\"]\"],{}],2]]]]]]]", "[[[[[[[[\"…\",\"…\"],2]]]]]]]"),
            ("[1,]", nil), ("[01]", nil), ("[1.]", nil), ("[.5]", nil), ("[+1]", nil), ("{\"a\"}", nil), ("{a:1}", nil),
            ("[1] 2", nil),
            (#"["\ud800"]"#, "[\"\u{FFFD}\"]"), (#"["\ud800\u0041"]"#, "[\"\u{FFFD}A\"]"), (#"["\x"]"#, nil), ("[\"\t\"]", nil),
            ("tru", nil), ("", nil),
            ("[\"", nil), ("[}", nil), ("nulll", nil),
        ])
    func reader(_ text: String, _ expected: String?) {
        let value = JSONParser.parse(Array(text.utf8))
        var json = JSONWriter()
        value?.write(to: &json)
        #expect((value == nil ? nil : String(decoding: json.bytes, as: UTF8.self)) == expected)
    }

    @Test("no combining mark hides a secret from the filter")
    func octets() {
        let open = Scrubber(sendsPII: true)
        let pairs = open.cookies("theme=dark;\u{301} session=hunter2;x=\u{301}1").map { "\($0.name)|\($0.value)" }
        #expect(pairs == ["theme|dark", "\u{301} session|[Filtered]", "x|\u{301}1"])
        #expect(open.setCookie("theme=dark;\u{301} session=hunter2") == "theme=dark")
        #expect(
            open.url("https://user:hunter2@\u{301}host/x?\u{301}token=hunter2") == "https://[Filtered]:[Filtered]@\u{301}host/x"
        )
        #expect(open.url("//user@host/a?b") == "//[Filtered]@host/a")
        #expect(open.url("/a/b#c") == "/a/b")
        #expect(body("application/x-www-form-urlencoded", "a=1&\u{301}token=hunter2") == "a=1&\u{301}token=[Filtered]")
    }

    @Test("a nested body takes a time that grows with its length alone, and what is too deep is cut, secrets with it")
    func nested() async throws {
        let one = String(repeating: "[", count: 550) + String(repeating: "]", count: 550)
        let wide = "[" + Array(repeating: one, count: 9).joined(separator: ",") + "]"
        let cut = "[" + Array(repeating: "[[[[[[[\"…\"]]]]]]]", count: 9).joined(separator: ",") + "]"
        #expect(body("application/json", wide) == cut)
        #expect(
            JSONParser.parse(Array("[[[[[[[[[1],2]]]]]]]]".utf8))
                == .array([.array([.array([.array([.array([.array([.array([.array(["…", 2])])])])])])])]))
        var objects: ReportValue = "…"
        for _ in 0..<8 { objects = .object(["a": objects]) }
        let nine = String(repeating: "{\"a\":", count: 9) + "1" + String(repeating: "}", count: 9)
        #expect(JSONParser.parse(Array(nine.utf8)) == objects)
        let deepest = String(repeating: "[", count: 4999) + "]" + String(repeating: "]", count: 4998)
        #expect(body("application/json", deepest) == "[[[[[[[[\"…\"]]]]]]]]")
    }

    @Test("a name of combining marks is filtered, and its value, and nothing beside it is hidden from the filter")
    func marks() {
        let marks = String(repeating: "\u{301}\u{316}", count: 1000)
        let text = #"{"a":1,"\#(marks)":"hunter2","p\u0061ssword":"hunter2"}"#
        #expect(body("application/json", text) == #"{"[Filtered]":"[Filtered]","a":1,"password":"[Filtered]"}"#)
    }

    @Test("case 76: a body made to break the reader costs nothing but itself", arguments: ["[", "{\"a\":"])
    func hostileBody(_ opening: String) async throws {
        let test = TestClient { $0.sendDefaultPII = true }
        for count in [400, 10_000 / opening.utf8.count] {
            let request = raw([("content-type", "application/json")], body: String(repeating: opening, count: count))
            test.box.began { request }
            let id = test.capture(test.message("x"))
            #expect(try await test.deliveredEvents().contains { $0["event_id"]?.text == id })
        }
        // Well-formed and deep: what is below the limit of depth is cut, secrets with it.
        let deep = String(repeating: "{\"a\":", count: 300) + "{\"password\":\"hunter2\"}" + String(repeating: "}", count: 300)
        let text = try #require(body("application/json", deep))
        #expect(!text.contains("hunter2"))
        #expect(text.hasPrefix("{\"a\":{\"a\":"))
    }
}
