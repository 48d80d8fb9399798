import InMemoryLogging
import Logging
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceMiddleware

/// What the client gets, what the access line says and what is recorded is one status, decided once.
@Suite struct ResponseEndTests {
    struct NoSuchTea: Error {}

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let thrown: any Error & Sendable
        let answered: HTTPResponse.Status
        var testDescription: String { name }
    }

    @Test(
        "an error before a stream's first byte has one status, for client, access line and record",
        arguments: [
            Case(name: "a domain error that becomes a 404", thrown: NoSuchTea(), answered: .notFound),
            Case(name: "a 404 that becomes a 500", thrown: HTTPError(.notFound), answered: .internalServerError),
            Case(name: "a shape that no final response may have", thrown: Boom(), answered: .init(code: 103)),
        ])
    func oneStatus(_ one: Case) async throws {
        let lines = InMemoryLogHandler()
        let reporter = NotingReporter()
        var routes = Router()
        routes.get("/stream") { _ in Response.stream(contentType: "a/b") { _ in throw one.thrown } }
        let calls = Collected<Int>()
        let response = await respond(
            Request(.get, "/stream"), reporter,
            responder: { _, _ in
                calls.add(1)
                return .text("shaped", status: one.answered)
            }
        ) {
            AccessLog(logger: Logger(label: "access") { _ in lines })
            routes
        }
        let sent = one.answered.code == 103 ? 500 : one.answered.code
        #expect(response.status.code == sent)
        #expect(lines.entries.map { $0.metadata["status"] } == ["\(sent)"])
        #expect(reporter.failures.values.map(\.status) == (sent >= 500 ? [sent] : []))
        #expect(calls.values.count == 1)
    }

    @Test("the app's shape of an error may itself be a stream, and may fail")
    func streamedShape() async {
        for fails in [false, true] {
            var routes = Router()
            routes.get("/") { _ in Response.stream(contentType: "a/b") { _ in throw Boom() } }
            let response = await respond(
                Request(.get, "/"),
                responder: { error, _ in
                    .stream(contentType: "c/d", status: error.status) { writer in
                        if fails { throw Boom() }
                        try await writer.write("shaped")
                    }
                }
            ) { routes }
            #expect(response.status == .internalServerError)
            #expect(fails ? response.headers[.contentType] == "application/problem+json" : response.text == "shaped")
        }
    }

    struct Span: Middleware {
        let notes: Collected<String>
        func handle(_ request: Request, next: Next) async throws -> Response {
            var response = await next(request)
            response.wrapBody { writer, body in
                try await body(writer)
                notes.add("span of \(writer.bytesWritten)")
            }
            response.onEnd { notes.add("end \($0.status.code) \($0.bytesWritten) \($0.isCut)") }
            return response
        }
    }

    struct OtherBody: Middleware {
        func handle(_ request: Request, next: Next) async throws -> Response {
            var response = await next(request)
            response.body = .text("other")
            return response
        }
    }

    @Test("another body keeps all who wrap it and all who wait for the end")
    func otherBody() async {
        let notes = Collected<String>()
        var routes = Router()
        routes.get("/") { _ in "x" }
        let response = await respond(Request(.get, "/")) {
            OtherBody()
            Span(notes: notes)
            routes
        }
        #expect(response.text == "other")
        #expect(notes.values == ["span of 5", "end 200 5 false"])
    }

    struct Recover: Middleware {
        func handle(_ request: Request, next: Next) async throws -> Response {
            var response = await next(request)
            response.recover { _ in .text("handled") }
            return response
        }
    }

    @Test("a response that is recovered keeps all who wrap it and all who wait for its end", arguments: ["/thrown", "/stream"])
    func recovered(path: String) async {
        let notes = Collected<String>()
        var routes = Router()
        routes.get("/thrown") { _ -> String in throw Boom() }
        routes.get("/stream") { _ in Response.stream(contentType: "a/b") { _ in throw Boom() } }
        let response = await respond(Request(.get, path)) {
            Recover()
            Span(notes: notes)
            routes
        }
        #expect(response.text == "handled")
        // A stream's wrappers have had its error already.
        #expect(notes.values == (path == "/thrown" ? ["span of 7"] : []) + ["end 200 7 false"])
    }

    @Test("a status that no final response may have keeps all who wrap it")
    func unusableStatus() async {
        let notes = Collected<String>()
        var routes = Router()
        routes.get("/") { _ in Response(status: .init(code: 103)) }
        let response = await respond(Request(.get, "/")) {
            Span(notes: notes)
            routes
        }
        #expect(response.status == .internalServerError)
        #expect(notes.values.count == 2)
        #expect(notes.values.first?.hasPrefix("span of ") == true)
        #expect(notes.values.last?.hasPrefix("end 500 ") == true)
    }

    struct Wrapping: Middleware {
        let wrapper: Body.Wrapper
        func handle(_ request: Request, next: Next) async throws -> Response {
            var response = await next(request)
            response.wrapBody(wrapper)
            return response
        }
    }

    @Test("a wrapper that is silent about the body fails the response, with a record")
    func silence() async {
        let wrappers: [Body.Wrapper] = [
            { _, _ in },
            { writer, body in
                try await body(writer)
                try await body(writer)
            },
            { writer, body in try? await body(writer) },
        ]
        for (index, wrapper) in wrappers.enumerated() {
            let reporter = NotingReporter()
            var routes = Router()
            routes.get("/") { _ in Response.stream(contentType: "a/b") { _ in if index == 2 { throw Boom() } } }
            let response = await respond(Request(.get, "/"), reporter) {
                Wrapping(wrapper: wrapper)
                routes
            }
            #expect(response.status == .internalServerError, "\(index)")
            #expect(reporter.failures.values.map(\.outcome) == [.handlerError], "\(index)")
        }
    }
}
