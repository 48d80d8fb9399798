import Sluice
import Testing

@testable import SluiceSessions

/// What a response says because of a session.
@Suite struct SessionCookieTests {
    @Test("the cookie's header, byte for byte; the signature is Python's")
    func header() async throws {
        let response = await Browser(try World(lifetime: .seconds(1_209_600))).get("/in/ann")
        #expect(
            response.headers[values: .setCookie] == [
                """
                __Host-session=eyJ1c2VyIjoiYW5uIn0.1801209600000.frv9cTVnz2j_xedhMaZVD93Ta3jm-WTqNYH_090y1FQ; Max-Age=1209600; \
                Path=/; Secure; HttpOnly; SameSite=Lax
                """
            ])
        #expect(response.headers[.cacheControl] == "no-store")
        #expect(response.headers[.vary] == "Cookie")
    }

    @Test("settings of the cookie are in the header")
    func settings() async throws {
        let cookie = Sessions.Cookie(
            name: "sid", path: "/app", domain: "example.com", secure: false, sameSite: .strict, persistent: false)
        let line = await Browser(try World(cookie: cookie)).get("/in/ann").headers[.setCookie]
        #expect(line?.hasPrefix("sid=eyJ1c2VyIjoiYW5uIn0.1800000100000.") == true)
        #expect(line?.hasSuffix("; Domain=example.com; Path=/app; HttpOnly; SameSite=Strict") == true)
        #expect(line?.split(separator: ";").count == 5)
    }

    @Test("what the shop writes in its list: two weeks, this host alone")
    func defaults() async throws {
        var routes = Router()
        routes.get("/") { request -> String in
            try request.session["user"] = "ann"
            return "in"
        }
        let (all, keys) = (routes, try SigningKeys(secret))
        let apps = [
            LambdaApp {
                Sessions(keys: keys)
                all
            },
            LambdaApp {
                Sessions(keys: keys, store: MemorySessionStore())
                all
            },
        ]
        for app in apps {
            let line = await app.respond(to: Request(.get, "/")).headers[.setCookie]
            #expect(line?.hasPrefix("__Host-session=") == true)
            #expect(line?.hasSuffix("; Max-Age=1209600; Path=/; Secure; HttpOnly; SameSite=Lax") == true)
        }
    }

    @Test("a cookie of a store has the id, and nothing of the values")
    func hidden() async throws {
        let world = try World(.memory)
        let browser = Browser(world)
        _ = await browser.get("/in/ann")
        let parts = try #require(browser.session).split(separator: ".")
        #expect(Base64URL.decode(parts[0].utf8).map { [String(decoding: $0, as: UTF8.self)] } == world.store.ids)
    }

    @Test(
        "Vary names the cookie where the session was read, once",
        arguments: [
            ("/none", nil, nil), ("/none", "Origin", "Origin"), ("/who", nil, "Cookie"), ("/who", "Origin", "Origin, Cookie"),
            ("/who", "Origin,cookie", "Origin,cookie"), ("/who", "*", "*"), ("/who", "X-Cookie", "X-Cookie, Cookie"),
            ("/new", nil, "Cookie"),
        ] as [(String, String?, String?)])
    func vary(_ path: String, own: String?, expected: String?) async throws {
        let world = try World { routes in
            routes.group("/with", Sets(name: .vary, value: own)) { routes in
                routes.get("/none") { _ -> String in "nothing" }
                routes.get("/who") { request -> String in try request.session["user"] ?? "nobody" }
                routes.get("/new") { request -> String in "\(try request.session.isNew)" }
            }
        }
        #expect(await Browser(world).get("/with\(path)").headers[.vary] == expected)
    }

    @Test("a Cache-Control of the response's own stays", arguments: [("/in", "private"), ("/who", nil)] as [(String, String?)])
    func cacheControl(_ path: String, expected: String?) async throws {
        let world = try World { routes in
            routes.group("/with", Sets(name: .cacheControl, value: expected)) { routes in
                routes.get("/in") { request -> String in
                    try request.session["user"] = "ann"
                    return "in"
                }
                routes.get("/who") { request -> String in try request.session["user"] ?? "nobody" }
            }
        }
        #expect(await Browser(world).get("/with\(path)").headers[.cacheControl] == expected)
    }

    private struct Sets: Middleware {
        let name: HTTPField.Name
        let value: String?
        func handle(_ request: Request, next: Next) async throws -> Response {
            var response = await next(request)
            if let value { response.headers[name] = value }
            return response
        }
    }

    @Test("what a browser keeps fits to the byte; one byte more is a 500 that names the size and the largest value")
    func overflow() async throws {
        let world = try World { routes in
            routes.get("/fill/{count}") { request -> String in
                let count = try request.parameters.require("count", as: Int.self)
                try request.session["cart"] = String(repeating: "x", count: count)
                return "filled"
            }
        }
        // 14 bytes of the name, 4/3 of the values with their 11 bytes of JSON, 13 of the expiry, 43 of the signature, two dots.
        let fits = Browser(world)
        #expect(await fits.get("/fill/3007").status == .ok)
        #expect(fits.session?.utf8.count == 4096 - 14)
        let response = await Browser(world).get("/fill/3008")
        #expect(response.status == .internalServerError)
        #expect(response.headers[.setCookie] == nil)
        let error = try #require(response.error as? SessionError)
        #expect(error.code == .tooLarge)
        for part in ["4096", "4098", "3010", "'cart'"] { #expect(error.description.contains(part), "\(error)") }
        #expect(!error.description.contains("xxx"))
    }

    @Test(
        "what cannot work stops the start",
        arguments: [
            (Sessions.Cookie(), .zero, "lifetime"), (Sessions.Cookie(), .milliseconds(999), "lifetime"),
            (Sessions.Cookie(), .seconds(400 * 86_400 + 1), "400 days"), (Sessions.Cookie(name: "a b"), .seconds(60), "token"),
            (Sessions.Cookie(path: "/app"), .seconds(60), "path '/'"),
            (Sessions.Cookie(secure: false), .seconds(60), "'secure'"),
        ] as [(Sessions.Cookie, Duration, String)])
    func validated(_ cookie: Sessions.Cookie, lifetime: Duration, says: String) throws {
        let world = try World(cookie: cookie, lifetime: lifetime)
        let error = #expect(throws: MiddlewareError.self) { try world.app.validate() }
        #expect(error?.description.contains("Sessions: ") == true)
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
        #expect(throws: Never.self) { try World(lifetime: .seconds(400 * 86_400)).app.validate() }
    }
}
