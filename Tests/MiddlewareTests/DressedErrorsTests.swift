import InMemoryLogging
import Logging
import SluiceTestSupport
import Testing

@testable import SluiceMiddleware

/// `RequestID`, `CORS`, `SecurityHeaders` and `AccessLog` see and dress whatever goes wrong below.
@Suite struct DressedErrorsTests {
    private static var routes: Router {
        var routes = Router()
        routes.get("/boom") { _ -> String in throw Boom() }
        routes.post("/post") { _ in "x" }
        routes.get("/early") { _ in Response.stream(contentType: "a/b") { _ in throw Boom() } }
        routes.group("/slow", Timeout(after: .milliseconds(10))) { slow in
            slow.get("/") { _ in
                try await Task.sleep(for: .seconds(600))
                return "late"
            }
        }
        return routes
    }

    @Test(
        "a thrown 500, a 404, a 405, a 413, a time-out, and an error before a stream's first byte",
        arguments: [
            (HTTPRequest.Method.get, "/boom", 500), (.get, "/none", 404), (.get, "/post", 405), (.post, "/post", 413),
            (.get, "/slow/", 504), (.get, "/early", 500),
        ])
    func dressed(_ method: HTTPRequest.Method, _ path: String, _ status: Int) async throws {
        let lines = InMemoryLogHandler()
        let logger = Logger(label: "access") { _ in lines }
        let request = Request(
            method, path, headers: [.origin: "https://a.example"], body: method == .post ? "too long" : .empty)
        let response = await respond(request) {
            AccessLog(logger: logger)
            RequestID()
            CORS(origins: .list(["https://a.example"]), credentials: true)
            SecurityHeaders()
            BodyLimit(bytes: 4)
            Self.routes
        }
        #expect(response.status.code == status)
        #expect(response.headers[.requestID] == request.id)
        #expect(response.headers[.accessControlAllowOrigin] == "https://a.example")
        #expect(response.headers[.accessControlAllowCredentials] == "true")
        #expect(response.headers[.vary] == "Origin")
        #expect(response.headers[.xContentTypeOptions] == "nosniff")
        #expect(response.headers[.strictTransportSecurity] != nil)
        #expect(lines.entries.map { "\($0.message)" } == ["\(method.rawValue) \(path) \(status)"])
    }

    @Test("Cache-Control goes to successes that have none, and never with a cookie")
    func cacheControl() async {
        var routes = Router()
        routes.get("/") { _ in "x" }
        routes.get("/own") { _ in Response(headers: [.cacheControl: "private"]) }
        routes.get("/cookie") { _ in
            var response = Response()
            try response.setCookie(SetCookie(name: "a", value: "b"))
            return response
        }
        routes.post("/") { _ in "x" }
        for (method, path, expected) in [
            (HTTPRequest.Method.get, "/", "public, max-age=60"), (.head, "/", "public, max-age=60"), (.get, "/own", "private"),
            (.get, "/cookie", "no-store"), (.post, "/", nil), (.get, "/none", nil),
        ] as [(HTTPRequest.Method, String, String?)] {
            let response = await respond(Request(method, path)) {
                CacheControl("public, max-age=60")
                routes
            }
            #expect(response.headers[.cacheControl] == expected, "\(method) \(path)")
        }
    }
}
