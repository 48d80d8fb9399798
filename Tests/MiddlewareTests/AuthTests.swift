import Testing

@testable import SluiceMiddleware

/// RFC 7617 and RFC 6750.
@Suite struct AuthTests {
    struct User: Sendable, Equatable { let name: String }

    private static var routes: Router {
        var routes = Router()
        routes.get("/") { request in request.principal(User.self)?.name ?? "nobody" }
        routes.get("/own") { request in try request.requirePrincipal(User.self).name }
        return routes
    }

    private func send(_ authorization: String?, to middleware: some Middleware, key: String? = nil) async -> Response {
        var request = Request(.get, "/")
        request.headers[.authorization] = authorization
        request.headers[.apiKey] = key
        let (middleware, sent) = (middleware, request)
        return await respond(sent) {
            middleware
            Self.routes
        }
    }

    private static func basic(_ isRequired: Bool = true) -> BasicAuth<User> {
        BasicAuth(realm: "the \"shop\"", isRequired: isRequired) { name, password in
            name == "Aladdin" && password.isEqual(inConstantTime: "open sesame") || password == "a:ö" ? User(name: name) : nil
        }
    }

    @Test(
        "basic: who it is, or a 401 with the challenge",
        arguments: [
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin"), ("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin"),
            ("Basic   QWxhZGRpbjpvcGVuIHNlc2FtZQ== ", "Aladdin"), ("Basic eDphOsO2", "x"), ("Basic OmE6w7Y=", ""),
            (nil, nil), ("", nil), ("Basic", nil), ("Basic ", nil), ("Basic QWxhZGRpbg==", nil), ("Basic !!!!", nil),
            ("Basic QWxhZGRpbjp3cm9uZw==", nil), ("Basic /w==", nil), ("Basic QTpiCg==", nil), ("Bearer abc", nil),
            ("BasicQWxhZGRpbjpvcGVuIHNlc2FtZQ==", nil), ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ", nil),
        ] as [(String?, String?)])
    func basic(_ authorization: String?, _ name: String?) async {
        let response = await send(authorization, to: Self.basic())
        if let name {
            #expect(response.text == name)
        } else {
            #expect(response.status == .unauthorized)
            #expect(response.headers[.wwwAuthenticate] == #"Basic realm="the \"shop\"", charset="UTF-8""#)
        }
    }

    @Test("optional: nobody may come, somebody wrong may not")
    func optional() async {
        #expect(await send(nil, to: Self.basic(false)).text == "nobody")
        #expect(await send("Basic QWxhZGRpbjp3cm9uZw==", to: Self.basic(false)).status == .unauthorized)
        #expect(await send(nil, to: Self.bearer(false)).text == "nobody")
        #expect(await send("Bearer wrong", to: Self.bearer(false)).status == .unauthorized)
        #expect(await send(nil, to: APIKeyAuth(isRequired: false) { _ in nil as User? }).text == "nobody")
    }

    private static func bearer(_ isRequired: Bool = true) -> BearerAuth<User> {
        BearerAuth(isRequired: isRequired) { token in
            if token == "banned" { throw HTTPError(.forbidden, "not you") }
            return token.isEqual(inConstantTime: "a.b-c_d~e+f/g==") ? User(name: "token") : nil
        }
    }

    @Test(
        "bearer: who it is, 401 or 400 with the right challenge",
        arguments: [
            ("Bearer a.b-c_d~e+f/g==", 200, nil), ("bearer a.b-c_d~e+f/g==", 200, nil),
            (nil, 401, #"Bearer realm="api""#), ("Basic abc", 401, #"Bearer realm="api""#),
            ("Bearer nope", 401, #"Bearer realm="api", error="invalid_token""#),
            ("Bearer", 400, #"Bearer realm="api", error="invalid_request""#),
            ("Bearer a b", 400, #"Bearer realm="api", error="invalid_request""#),
            ("Bearer =a", 400, #"Bearer realm="api", error="invalid_request""#),
            ("Bearer a\u{301}", 400, #"Bearer realm="api", error="invalid_request""#), ("Bearer banned", 403, nil),
        ] as [(String?, Int, String?)])
    func bearer(_ authorization: String?, _ status: Int, _ challenge: String?) async {
        let response = await send(authorization, to: Self.bearer())
        #expect(response.status.code == status)
        #expect(response.headers[.wwwAuthenticate] == challenge)
        if status == 200 { #expect(response.text == "token") }
    }

    @Test("API keys: who it is, or a 401", arguments: [("k1", 200), ("k2", 401), ("", 401), (nil, 401)] as [(String?, Int)])
    func keys(_ key: String?, _ status: Int) async {
        let auth = APIKeyAuth { key in key.isEqual(inConstantTime: "k1") ? User(name: "app") : nil }
        let response = await send(nil, to: auth, key: key)
        #expect(response.status.code == status)
        #expect(response.headers[.wwwAuthenticate] == (status == 401 ? #"ApiKey header="X-API-Key""# : nil))
    }

    @Test("a handler that needs somebody and has nobody is a 401; an app's own shape keeps the challenge")
    func own() async {
        #expect(await respond(CompletePipeline.of(Self.routes), Request(.get, "/own")).status == .unauthorized)
        let shaped = await respond(
            Request(.get, "/"), responder: { error, _ in Response(status: error.status, body: "mine") }
        ) {
            Self.basic()
            Self.routes
        }
        #expect(shaped.text == "mine" && shaped.headers[.wwwAuthenticate] != nil)
        var request = Request(.get, "/")
        request.setPrincipal(User(name: "me"))
        #expect(request.principal(User.self) == User(name: "me") && request.principal(String.self) == nil)
    }

    @Test("comparing secrets: equal octets, and no others")
    func constantTime() {
        for (one, other, isSame) in [
            ("", "", true), ("a", "", false), ("", "a", false), ("ab", "ab", true), ("ab", "ac", false), ("ab", "abab", false),
            ("é", "e\u{301}", false), ("a\0", "a", false),
        ] {
            #expect(one.isEqual(inConstantTime: other) == isSame, "\(one) \(other)")
        }
    }
}
