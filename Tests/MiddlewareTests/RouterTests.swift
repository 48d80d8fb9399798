@testable import SluiceCore
@testable import SluiceMiddleware
import SluiceTestSupport
import Foundation
import Testing

@Suite struct RouterTests {
    /// The response of routes alone, as the chain would dress it.
    private func answer(_ router: Router, _ method: HTTPRequest.Method, _ target: String) async -> Response {
        await respond(CompletePipeline.of(router), Request(method, target))
    }

    private func routes(_ patterns: [String]) -> Router {
        var router = Router()
        for pattern in patterns {
            router.get(pattern) { request in
                pattern + request.parameters.all.map { " \($0.name)=\($0.value)" }.joined()
            }
        }
        return router
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let path: String
        let expected: String?
        var testDescription: String { path }
        init(_ path: String, _ expected: String?) { (self.path, self.expected) = (path, expected) }
    }

    static let patterns = [
        "/", "/users", "/users/{id}", "/users/me", "/users/{id}/posts", "/users/me/{thing}", "/files/{path*}",
        "/files/{name}/meta",
        "/a%20b", "/{any*}", "/slash/",
    ]

    static let cases = [
        Case("/", "/"), Case("/users", "/users"), Case("/users/7", "/users/{id} id=7"), Case("/users/me", "/users/me"),
        Case("/users/7/posts", "/users/{id}/posts id=7"), Case("/users/me/posts", "/users/me/{thing} thing=posts"),
        Case("/files/a/b/c", "/files/{path*} path=a/b/c"), Case("/files/", "/files/{path*} path="),
        Case("/files/a/meta", "/files/{name}/meta name=a"), Case("/files/a/meta/x", "/files/{path*} path=a/meta/x"),
        Case("/users/a%2Fb", "/users/{id} id=a/b"), Case("/users/%C3%A4%20", "/users/{id} id=ä "), Case("/a%20b", "/a%20b"),
        Case("/a b", "/a%20b"), Case("/users/", "/{any*} any=users/"), Case("/users//posts", "/{any*} any=users//posts"),
        Case("/USERS", "/{any*} any=USERS"), Case("/users/7/none", "/{any*} any=users/7/none"), Case("/slash/", "/slash/"),
        Case("/slash", "/{any*} any=slash"), Case("/%2575", "/{any*} any=%75"), Case("//", "/{any*} any=/"),
    ]

    @Test("the match, whichever order the routes were registered in", arguments: cases)
    func matches(_ one: Case) async {
        for order in [Self.patterns, Self.patterns.reversed(), Self.patterns.sorted()] {
            #expect(await answer(routes(order), .get, one.path).text == one.expected)
        }
    }

    @Test("a broken escape is a 400", arguments: ["/users/%", "/users/%4", "/users/%zz", "/users/%FF"])
    func brokenEscape(_ path: String) async {
        #expect(await answer(routes(Self.patterns), .get, path).status == .badRequest)
    }

    @Test("no route: 404; another method: 405 with Allow; OPTIONS: 204 with Allow; HEAD is GET's")
    func methods() async {
        var router = Router()
        router.get("/x") { _ in "get" }
        router.post("/x") { _ in "post" }
        router.put("/{name}") { _ in "put" }
        #expect(await answer(router, .get, "/y/z").status == .notFound)
        let refused = await answer(router, .delete, "/x")
        #expect(refused.status == .methodNotAllowed)
        #expect(refused.headers[.allow] == "GET, HEAD, OPTIONS, POST, PUT")
        #expect(refused.error is HTTPError)
        let options = await answer(router, .options, "/x")
        #expect(options.status == .noContent)
        #expect(options.headers[.allow] == "GET, HEAD, OPTIONS, POST, PUT")
        #expect(options.error == nil)
        let head = await answer(router, .head, "/x")
        #expect(head.status == .ok)
        #expect(head.body.plainBytes.isEmpty)
        #expect(head.headers[.contentType] == "text/plain; charset=utf-8")
        #expect(await answer(router, .put, "/x").text == "put")
    }

    @Test("a route of its own wins over the automatic HEAD and OPTIONS")
    func ownHead() async {
        var router = Router()
        router.get("/x") { _ in Response.text("get") }
        router.head("/x") { _ in Response(status: .accepted) }
        router.options("/x") { _ in "mine" }
        #expect(await answer(router, .head, "/x").status == .accepted)
        #expect(await answer(router, .options, "/x").text == "mine")
    }

    struct Tag: Middleware {
        let name: String
        func handle(_ request: Request, next: Next) async throws -> Response {
            var response = await next(request)
            response.body = .text("\(name)(\(response.text))")
            return response
        }
    }

    @Test("groups add a prefix and middleware, inside the app's and outside-in")
    func groups() async {
        var router = Router()
        router.get("/out") { _ in "out" }
        router.group("/admin", Tag(name: "a"), Tag(name: "b")) { admin in
            admin.get("/x") { _ in "x" }
            admin.group("/deep/{id}/", Tag(name: "c")) { deep in
                deep.get("/y") { request in try request.parameters.require("id") }
                deep.get("") { _ in "self" }
            }
        }
        #expect(await answer(router, .get, "/out").text == "out")
        #expect(await answer(router, .get, "/admin/x").text == "a(b(x))")
        #expect(await answer(router, .get, "/admin/deep/7/y").text == "a(b(c(7)))")
        #expect(await answer(router, .get, "/admin/deep/7").text == "a(b(c(self)))")
    }

    @Test("a duplicate, in whatever router, stops start-up and names both")
    func duplicates() {
        var one = Router()
        one.get("/users/{id}") { _ in "x" }
        one.group("/files") { $0.get("/{a*}") { _ in "x" } }
        var two = Router()
        two.get("/users/{name}") { _ in "x" }
        two.get("/files/{b*}") { _ in "x" }
        two.post("/users/{name}") { _ in "x" }
        #expect(
            RouteTable([one, two]).problems.map(\.description) == [
                "two routes answer the same requests: GET /users/{id} and GET /users/{name}",
                "two routes answer the same requests: GET /files/{a*} and GET /files/{b*}",
            ])
    }

    @Test(
        "a pattern that cannot be read stops start-up",
        arguments: [
            "x", "/{a*}/b", "/{}", "/a{b}", "/{a}/{a}", "/{a", "/{*}", "/{a}{b}", "/{a*}{b*}", "/a{\u{301}", "/}\u{301}",
        ])
    func badPatterns(_ pattern: String) {
        var router = Router()
        router.get(pattern) { _ in "x" }
        #expect(RouteTable([router]).problems.count == 1)
    }

    @Test("a path or a group that lacks its slash stops start-up, and joins no segment")
    func missingSlash() async {
        var router = Router()
        router.group("/api") { $0.get("users") { _ in "x" } }
        router.group("/a") { $0.group("b") { $0.get("/c") { _ in "x" } } }
        #expect(RouteTable([router]).problems.count == 2)
        #expect(await answer(router, .get, "/apiusers").status == .notFound)
        #expect(await answer(router, .get, "/ab/c").status == .notFound)
    }

    @Test("HEAD goes where GET goes, unless the same place has a route for it")
    func headPrecedence() async {
        var router = Router()
        router.get("/a") { _ in Response.text("x", status: .accepted) }
        router.head("/{any*}") { _ in Response(status: .created) }
        #expect(await answer(router, .head, "/a").status == .accepted)
        #expect(await answer(router, .head, "/b").status == .created)
    }

    @Test("of 2,000 routes, the right one")
    func growth() async {
        var router = Router()
        for index in 0..<2000 { router.get("/r\(index)/{id}/x") { _ in "\(index)" } }
        #expect(await answer(router, .get, "/r1999/7/x").text == "1999")
        #expect(await answer(router, .get, "/r2000/7/x").status == .notFound)
    }

    @Test("a path of 100,000 segments is a 404, not a crash")
    func longPath() async {
        #expect(await answer(routes(["/a/{b}"]), .get, String(repeating: "/a", count: 100_000)).status == .notFound)
    }

    @Test("what handlers may return")
    func results() async {
        struct Item: Encodable, Sendable { let a: Int }
        var router = Router()
        router.get("/string") { _ in "s" }
        router.get("/status") { _ in HTTPResponse.Status.accepted }
        router.get("/response") { _ in Response.text("r", status: .created) }
        router.get("/item") { _ in Item(a: 1) }
        router.get("/items") { _ in [Item(a: 1), Item(a: 2)] }
        router.get("/maybe") { request -> Item? in request.query["x"].map { _ in Item(a: 3) } }
        router.get("/maybe-text") { request in request.query["x"] }
        router.get("/throws") { _ -> String in throw HTTPError(.conflict) }
        #expect(await answer(router, .get, "/string").text == "s")
        #expect(await answer(router, .get, "/status").status == .accepted)
        #expect(await answer(router, .get, "/response").status == .created)
        #expect(await answer(router, .get, "/item").text == "{\"a\":1}")
        #expect(await answer(router, .get, "/item").headers[.contentType] == "application/json")
        #expect(await answer(router, .get, "/items").text == "[{\"a\":1},{\"a\":2}]")
        #expect(await answer(router, .get, "/maybe?x=1").text == "{\"a\":3}")
        #expect(await answer(router, .get, "/maybe").status == .notFound)
        #expect(await answer(router, .get, "/maybe-text?x=1").text == "1")
        #expect(await answer(router, .get, "/maybe-text").status == .notFound)
        #expect(await answer(router, .get, "/throws").status == .conflict)
    }

    @Test(
        "another framework's form of a parameter stops start-up, and the message has ours",
        arguments: [
            ("/x/:id", "'{id}', not ':id'"), ("/x/*", "'{path*}', not '*'"), ("/x/**", "'{path*}', not '**'"),
            ("/x/*rest", "'{rest*}', not '*rest'"),
        ])
    func otherForms(_ path: String, says: String) {
        var routes = Router()
        routes.get(path) { _ in "x" }
        let problems = RouteTable([routes]).problems
        #expect(problems.count == 1)
        #expect(problems.first?.description.contains(says) == true, "\(problems)")
    }

    @Test("a colon within a segment is a literal, and so is an escaped one")
    func literalColons() async {
        var routes = Router()
        routes.get("/messages:send") { _ in "send" }
        routes.get("/x/%3Aid") { _ in "colon" }
        routes.get("/x/%2A") { _ in "star" }
        let pipeline = CompletePipeline.of(routes)
        #expect(await respond(pipeline, Request(.get, "/messages:send")).text == "send")
        #expect(await respond(pipeline, Request(.get, "/x/:id")).text == "colon")
        #expect(await respond(pipeline, Request(.get, "/x/*")).text == "star")
    }

    @Test("bytes are an answer as they are: neither base64 nor a JSON array")
    func bytes() async {
        var routes = Router()
        routes.get("/array") { _ in [0, 255, 1] as [UInt8] }
        routes.get("/data") { _ in Data([0, 255, 1]) }
        routes.get("/none") { _ in nil as Data? }
        let pipeline = CompletePipeline.of(routes)
        for path in ["/array", "/data"] {
            let response = await respond(pipeline, Request(.get, path))
            #expect(response.body.bytes == [0, 255, 1])
            #expect(response.headers[.contentType] == "application/octet-stream")
        }
        #expect(await respond(pipeline, Request(.get, "/none")).status == .notFound)
    }

    @Test("a parameter that the route does not have is named beside those that it has")
    func parameterNames() async {
        var routes = Router()
        routes.get("/{slug}/{page}") { request in try request.parameters.require("slgu") }
        routes.get("/") { request in try request.parameters.require("slug") }
        let pipeline = CompletePipeline.of(routes)
        let detail = (await respond(pipeline, Request(.get, "/a/b")).error as? HTTPError)?.detail
        #expect(detail == "the matched route has no parameter {slgu}; it has {slug}, {page}")
        let none = (await respond(pipeline, Request(.get, "/")).error as? HTTPError)?.detail
        #expect(none == "the matched route has no parameter {slug}; it has none")
    }
}
