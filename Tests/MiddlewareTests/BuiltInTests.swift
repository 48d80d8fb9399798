import InMemoryLogging
import Logging
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceMiddleware

@Suite struct BuiltInTests {
    @Test("RequestID dresses every answer, errors included")
    func requestID() async {
        var routes = Router()
        routes.get("/") { _ in "x" }
        for target in ["/", "/none"] {
            let request = Request(.get, target)
            let response = await respond(request) {
                RequestID()
                routes
            }
            #expect(response.headers[.requestID] == request.id)
        }
    }

    @Test(
        "AccessLog writes one INFO line when the body has ended",
        arguments: [
            ("/text", "200", "5", nil), ("/stream", "200", "6", nil), ("/missing", "404", nil, "no such tea"),
            ("/throw", "500", nil, nil),
            ("/stream/throw", "500", nil, nil), ("/stream/missing", "404", nil, "no such tea"),
        ] as [(String, String, String?, String?)])
    func accessLog(_ path: String, status: String, bytes: String?, error: String?) async throws {
        let lines = InMemoryLogHandler()
        let logger = Logger(label: "access") { _ in lines }
        var routes = Router()
        routes.get("/text") { _ in "hello" }
        routes.get("/stream") { _ in
            Response.stream(contentType: "a/b") { writer in
                try await writer.write("abc")
                #expect(lines.entries.isEmpty)
                try await writer.write("def")
            }
        }
        routes.get("/missing") { _ -> String in throw HTTPError(.notFound, "no such tea") }
        routes.get("/throw") { _ -> String in throw Boom() }
        routes.get("/stream/missing") { _ in
            Response.stream(contentType: "a/b") { _ in throw HTTPError(.notFound, "no such tea") }
        }
        routes.get("/stream/throw") { _ in Response.stream(contentType: "a/b") { _ in throw Boom() } }
        _ = await respond(Request(.get, "\(path)?secret=1")) {
            AccessLog(logger: logger)
            routes
        }
        try #require(lines.entries.count == 1)
        let entry = lines.entries[0]
        #expect(entry.level == .info)
        #expect(entry.message == "GET \(path) \(status)")
        #expect(entry.metadata["status"] == "\(status)")
        if let bytes { #expect(entry.metadata["bytes"] == "\(bytes)") }
        #expect((entry.metadata["error"] != nil) == (error != nil))
        if let error { #expect(entry.metadata["error"]?.description.contains(error) == true) }
        #expect(!"\(entry)".contains("secret"))
    }
}
