import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceMiddleware

/// Fetch, "CORS protocol". A case begins with the rows of the peers' table that it answers; the others are Fetch's own.
@Suite struct CORSTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let id: String
        let cors: CORS
        let method: HTTPRequest.Method
        let path: String
        let headers: HTTPFields
        let status: HTTPResponse.Status
        /// What the response has, with these very values.
        let has: HTTPFields
        let lacks: [HTTPField.Name]
        var testDescription: String { id }

        init(
            _ id: String, _ cors: CORS, _ headers: HTTPFields = [:], method: HTTPRequest.Method = .get, path: String = "/",
            status: HTTPResponse.Status = .ok, has: HTTPFields = [:], lacks: [HTTPField.Name] = []
        ) {
            (self.id, self.cors, self.headers, self.method, self.path) = (id, cors, headers, method, path)
            (self.status, self.has, self.lacks) = (status, has, lacks)
        }
    }

    private static let a = "https://a.example"
    private static let allowOrigin = HTTPField.Name.accessControlAllowOrigin
    private static let allowMethods = HTTPField.Name.accessControlAllowMethods
    private static let allowHeaders = HTTPField.Name.accessControlAllowHeaders
    private static let credentials = HTTPField.Name.accessControlAllowCredentials
    private static let exposed = HTTPField.Name.accessControlExposeHeaders
    private static let maxAge = HTTPField.Name.accessControlMaxAge
    private static let network = HTTPField.Name.accessControlAllowPrivateNetwork
    private static let xStatus = HTTPField.Name("X-Status")!  // a literal that is a token
    private static let xExample = HTTPField.Name("X-Example")!  // a literal that is a token

    private static let everyone = CORS(origins: .any, exposes: [xStatus])
    private static let listed = CORS(origins: .list([a, "https://b.example", "https://c.example"]))
    private static let mirror = CORS(origins: .where({ _ in true }), exposes: [xStatus], credentials: true)
    private static let https = CORS(
        origins: .where({ $0.hasPrefix("https://") }), headers: [xExample, .contentType], credentials: true)
    private static let subdomains = CORS(
        origins: .where({ $0.hasPrefix("https://") && $0.hasSuffix(".example.org") }), methods: [.get])
    private static let full = CORS(
        origins: .list([a]), methods: [.get, .put, .delete, .options], headers: [.contentType, .authorization],
        exposes: [.contentLength], credentials: true, maxAge: .seconds(3600))
    private static let large = "x-a,\(String(repeating: " ", count: 200_000))x-b"
    private static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
    private static let inside = CORS(origins: .any, privateNetwork: true)

    private static let routes: Router = {
        var routes = Router()
        routes.get("/") { _ in "home" }
        routes.get("/varies") { _ in Response(headers: [.vary: "Accept-Encoding"], body: "x") }
        routes.get("/own") { _ in Response(headers: [.accessControlAllowOrigin: "https://own.example"], body: "x") }
        routes.get("/boom") { _ -> String in throw Boom() }
        routes.get("/cut") { _ in Response.stream(contentType: "a/b") { _ in throw Boom() } }
        routes.get("/stream") { _ in Response.stream(contentType: "a/b") { writer in try await writer.write("abc") } }
        routes.head("/length") { _ in Response(headers: [.contentLength: "45"]) }
        for method in Self.methods { routes.on(method, "/all") { _ in "all" } }
        return routes
    }()

    private func check(_ one: Case) async -> Response {
        let response = await respond(Request(one.method, one.path, headers: one.headers)) {
            one.cors
            Self.routes
        }
        #expect(response.status == one.status)
        for field in one.has { #expect(response.headers[field.name] == field.value, "\(field.name.rawName)") }
        for name in one.lacks { #expect(response.headers[name] == nil, "\(name.rawName)") }
        return response
    }

    static let readers: [Case] = [
        Case("H-CORS-1: any text is mirrored", mirror, [.origin: "foo.com"], has: [allowOrigin: "foo.com", .vary: "Origin"]),
        Case("H-CORS-2, S-CORS-9, 23", listed, [.origin: a], has: [allowOrigin: a, .vary: "Origin"], lacks: [credentials]),
        Case("H-CORS-3, N-CORS-10, N-CORS-13", listed, [.origin: "https://b.example"], has: [allowOrigin: "https://b.example"]),
        Case("H-CORS-4", listed, [.origin: "https://x.example"], has: [.vary: "Origin"], lacks: [allowOrigin]),
        Case("case counts", listed, [.origin: "https://A.example"], lacks: [allowOrigin]),
        Case("S-CORS-4, S-CORS-10, N-CORS-11", listed, has: [.vary: "Origin"], lacks: [allowOrigin]),
        Case("N-CORS-12: a Referer is no Origin", listed, [.referer: "https://a.example/"], lacks: [allowOrigin]),
        Case("H-CORS-5, S-CORS-6", everyone, [.origin: a], has: [allowOrigin: "*", exposed: "X-Status"], lacks: [.vary]),
        Case("N-CORS-31: the origin null", everyone, [.origin: "null"], has: [allowOrigin: "*"], lacks: [credentials]),
        Case("null in a list", CORS(origins: .list(["null"])), [.origin: "null"], has: [allowOrigin: "null", .vary: "Origin"]),
        Case("null in no list", listed, [.origin: "null"], lacks: [allowOrigin]),
        Case("S-CORS-2", mirror, [.origin: a], has: [allowOrigin: a, credentials: "true", exposed: "X-Status"]),
        Case("S-CORS-3: a cookie", mirror, [.origin: a, .cookie: "a=b"], has: [allowOrigin: a, credentials: "true"]),
        Case("nobody asked: nothing is exposed", mirror, has: [.vary: "Origin"], lacks: [allowOrigin, credentials, exposed]),
        Case("a stream", mirror, [.origin: a], path: "/stream", has: [allowOrigin: a]),
        Case("H-CORS-13", listed, method: .head, path: "/length", has: [.contentLength: "45"], lacks: [allowOrigin]),
        Case("a handler's own is replaced", listed, [.origin: a], path: "/own", has: [allowOrigin: a]),
        Case("a handler's own goes", listed, [.origin: "https://x.example"], path: "/own", lacks: [allowOrigin]),
    ]

    @Test("a response says who may read it", arguments: readers)
    func read(_ one: Case) async { _ = await check(one) }

    static let functions: [Case] = [
        Case("S-CORS-16, N-CORS-17, N-CORS-20", https, [.origin: a], has: [allowOrigin: a, credentials: "true"]),
        Case("S-CORS-17", https, [.origin: a, .cookie: "a=b"], has: [allowOrigin: a, credentials: "true"]),
        Case("S-CORS-18", https, [.origin: "http://a.example"], lacks: [allowOrigin, credentials]),
        Case("S-CORS-21", subdomains, [.origin: "https://x.example.org"], has: [allowOrigin: "https://x.example.org"]),
        Case("S-CORS-22", subdomains, [.origin: "https://x.example.org.evil.com"], lacks: [allowOrigin]),
        Case("N-CORS-18: it is not asked about no origin", https, has: [.vary: "Origin"], lacks: [allowOrigin]),
        Case("N-CORS-19", https, [.referer: "https://a.example/"], lacks: [allowOrigin]),
        Case("S-CORS-24, N-CORS-14", everyone, [.origin: a], path: "/varies", has: [.vary: "Accept-Encoding"]),
        Case("S-CORS-25", mirror, [.origin: a], path: "/varies", has: [.vary: "Accept-Encoding, Origin"]),
        Case("S-CORS-26, N-CORS-15", listed, [.origin: a], path: "/varies", has: [.vary: "Accept-Encoding, Origin"]),
        // Fetch, "CORS protocol and HTTP caches": a cache that got it for an image gives it to a script.
        Case("N-CORS-1, 21, 34: constant", everyone, has: [allowOrigin: "*", exposed: "X-Status"], lacks: [.vary]),
        Case("constant, on an error", everyone, path: "/none", status: .notFound, has: [allowOrigin: "*"]),
    ]

    @Test("origins by a function; Vary; what is the same for everyone is always there", arguments: functions)
    func function(_ one: Case) async { _ = await check(one) }

    static let failures: [Case] = [
        Case("H-CORS-12: 404", mirror, [.origin: a], path: "/none", status: .notFound, has: [allowOrigin: a]),
        Case(
            "405 keeps its Allow", mirror, [.origin: a], method: .post, status: .methodNotAllowed,
            has: [allowOrigin: a, credentials: "true", .allow: "GET, HEAD, OPTIONS"]),
        Case("400", listed, [.origin: a], path: "/%zz", status: .badRequest, has: [allowOrigin: a]),
        Case("a thrown 500", listed, [.origin: a], path: "/boom", status: .internalServerError, has: [allowOrigin: a]),
        Case("a 500 for all", everyone, [.origin: a], path: "/boom", status: .internalServerError, has: [allowOrigin: "*"]),
        Case(
            "a stream that fails before its first byte", mirror, [.origin: a], path: "/cut", status: .internalServerError,
            has: [allowOrigin: a, credentials: "true", exposed: "X-Status", .vary: "Origin"]),
        Case(
            "not for another origin", listed, [.origin: "https://x.example"], path: "/boom", status: .internalServerError,
            has: [.vary: "Origin"], lacks: [allowOrigin]),
    ]

    @Test("errors can be read as other responses can", arguments: failures)
    func failure(_ one: Case) async { _ = await check(one) }

    private static func asking(_ origin: String, _ method: String = "GET", _ headers: String? = nil) -> HTTPFields {
        var fields: HTTPFields = [.origin: origin, .accessControlRequestMethod: method]
        fields[.accessControlRequestHeaders] = headers
        return fields
    }

    private static var askingInside: HTTPFields {
        var fields = asking(a)
        fields[.accessControlRequestPrivateNetwork] = "true"
        return fields
    }

    static let preflights: [Case] = [
        Case(
            "H-CORS-7 to 11, N-CORS-6 to 8", full, asking(a, "PUT", "content-type"),
            has: [
                allowOrigin: a, allowMethods: "GET, PUT, DELETE, OPTIONS", allowHeaders: "Content-Type, Authorization",
                credentials: "true", maxAge: "3600", .vary: "Origin",
            ], lacks: [exposed, network]),
        Case(
            "S-CORS-1, N-CORS-3", mirror, asking(a, "GET", "X-Example, y"),
            has: [
                allowOrigin: a, allowHeaders: "X-Example, y", credentials: "true",
                .vary: "Origin, Access-Control-Request-Headers",
            ]),
        Case(
            "S-CORS-5, N-CORS-33", everyone, asking(a, "DELETE", "X-Example"),
            has: [allowOrigin: "*", allowHeaders: "X-Example", .vary: "Access-Control-Request-Headers", maxAge: "600"],
            lacks: [credentials]),
        Case(
            "S-CORS-8, S-CORS-19", https, asking(a, "GET", "X-Example, content-type"),
            has: [allowOrigin: a, allowHeaders: "X-Example, Content-Type", credentials: "true", .vary: "Origin"]),
        Case(
            "S-CORS-11, S-CORS-20, N-CORS-9", https, asking("http://x.example", "POST", "X-Nope"), has: [.vary: "Origin"],
            lacks: [allowOrigin, allowMethods, allowHeaders, credentials, maxAge]),
        Case("S-CORS-12", full, asking(a, "GET", "x-one, x-two"), has: [allowHeaders: "Content-Type, Authorization"]),
        Case("S-CORS-13", mirror, asking(a, "POST"), has: [allowOrigin: a, credentials: "true"], lacks: [allowHeaders]),
        Case(
            "S-CORS-14", CORS(origins: .any, methods: [.delete, .get, .head, .options, .patch, .post, .put]), asking(a, "POST"),
            has: [allowMethods: "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"]),
        Case("the methods by default", listed, asking(a), has: [allowMethods: "GET, HEAD, POST, PUT, PATCH, DELETE"]),
        Case("N-CORS-26: no methods", CORS(origins: .any, methods: []), asking(a), lacks: [allowMethods]),
        Case("no headers", CORS(origins: .any, headers: []), asking(a, "GET", "x-a"), lacks: [allowHeaders, .vary]),
        Case("N-CORS-4: much is asked for", everyone, asking(a, "GET", large), has: [allowHeaders: large]),
        Case("no time", CORS(origins: .any, maxAge: nil), asking(a), lacks: [maxAge]),
        Case("a negative time is none", CORS(origins: .any, maxAge: .seconds(-5)), asking(a), has: [maxAge: "0"]),
        Case("S-CORS-28", inside, askingInside, has: [allowOrigin: "*", network: "true"]),
        Case("S-CORS-29", inside, asking(a), has: [allowOrigin: "*"], lacks: [network]),
        Case("S-CORS-31", everyone, asking(a), lacks: [network]),
        Case("S-CORS-32", everyone, askingInside, has: [allowOrigin: "*"], lacks: [network]),
        Case(
            "no private network for another origin", CORS(origins: .list(["https://b.example"]), privateNetwork: true),
            askingInside, has: [.vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Private-Network"],
            lacks: [network, allowOrigin]),
    ]

    @Test("a preflight is a 204 that says what is allowed, and nothing to those who may not ask", arguments: preflights)
    func preflight(_ one: Case) async {
        for path in ["/", "/none", "/all", "/boom"] {
            let options = Case(
                one.id, one.cors, one.headers, method: .options, path: path, status: .noContent, has: one.has, lacks: one.lacks)
            #expect(await check(options).text.isEmpty, "\(path)")
        }
    }

    @Test("a preflight stops there: neither middleware below nor a route of its own runs")
    func stops() async {
        let notes = Collected<String>()
        var routes = Router()
        routes.options("/") { _ -> String in
            notes.add("route")
            return "own"
        }
        func options(_ headers: HTTPFields) async -> Response {
            await respond(Request(.options, "/", headers: headers)) {
                Self.listed
                Note(notes: notes)
                routes
            }
        }
        let preflight = await options(Self.asking(Self.a))
        #expect(preflight.status == .noContent && notes.values.isEmpty)
        #expect(await options([.origin: Self.a]).text == "own")
        #expect(notes.values == ["middleware", "route"])
    }

    struct Note: Middleware {
        let notes: Collected<String>
        func handle(_ request: Request, next: Next) async throws -> Response {
            notes.add("middleware")
            return await next(request)
        }
    }

    static let others: [Case] = [
        Case(
            "H-CORS-6, N-CORS-5: no method is asked for", full, [.origin: a], method: .options, status: .noContent,
            has: [.allow: "GET, HEAD, OPTIONS", allowOrigin: a, .vary: "Origin"], lacks: [allowMethods, allowHeaders, maxAge]),
        Case(
            "N-CORS-2, N-CORS-35: no Origin", listed, [.accessControlRequestMethod: "QUERY"], method: .options,
            status: .noContent, has: [.allow: "GET, HEAD, OPTIONS"], lacks: [allowMethods, allowHeaders]),
        Case("S-CORS-30: no OPTIONS", inside, askingInside, has: [allowOrigin: "*"], lacks: [network, allowMethods]),
    ]

    @Test("what is no preflight is handled as any request", arguments: others)
    func other(_ one: Case) async { _ = await check(one) }

    @Test("S-CORS-15: every method reaches its route")
    func everyMethod() async {
        for method in Self.methods {
            let one = Case("", Self.everyone, [.origin: Self.a], method: method, path: "/all", has: [Self.allowOrigin: "*"])
            #expect(await check(one).text == (method == .head ? "" : "all"), "\(method.rawValue)")
        }
    }

    @Test("S-CORS-27: one request's origin is not another's")
    func sequence() async {
        for origin in [Self.a, "https://x.example", Self.a] {
            let response = await check(Case("", Self.listed, [.origin: origin]))
            #expect(response.headers[.accessControlAllowOrigin] == (origin == Self.a ? origin : nil))
        }
    }

    @Test("N-CORS-22: twice in a list, it says everything once")
    func twice() async {
        let response = await respond(Request(.get, "/", headers: [.origin: Self.a])) {
            Self.listed
            Self.listed
            Self.routes
        }
        #expect(response.headers[values: .accessControlAllowOrigin] == [Self.a])
        #expect(response.headers[values: .vary] == ["Origin"])
    }

    @Test("N-CORS-27 to 30, N-CORS-32: credentials for everyone stop the start")
    func everyoneWithCredentials() throws {
        try Self.mirror.validate()
        #expect(throws: MiddlewareError.self) { try CORS(origins: .any, credentials: true).validate() }
    }

    @Test(
        "an origin that no browser sends stops the start",
        arguments: [
            "", "*", "a.example", "https://", "https://a.example/", "https://a.example/x", "https://*.a.example",
            "HTTPS://a.example", "https://A.example", "https://a.example b", "https://a.example:443", "http://a.example:80",
            "https://user@a.example", "https://a.example?x", "https://a.example#x", "https://\u{E4}.example",
        ])
    func refused(_ origin: String) {
        #expect(throws: MiddlewareError.self) { try CORS(origins: .list([Self.a, origin])).validate() }
    }

    @Test(
        "origins that browsers send are taken",
        arguments: [
            "https://a.example", "http://localhost:8080", "null", "https://xn--4ca.example", "http://[::1]:3000",
            "https://a.example:8443", "http://a.example:443", "chrome-extension://abcdefghijklmnop", "capacitor://localhost",
        ])
    func accepted(_ origin: String) throws { try CORS(origins: .list([origin])).validate() }
}
