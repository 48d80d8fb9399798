import SluiceTestSupport
import Synchronization
import Testing

@testable import SluiceCore
@testable import SluiceMiddleware

@Suite struct ChainTests {
    struct Mark: Middleware {
        let name: String
        let notes: Collected<String>
        func handle(_ request: Request, next: Next) async throws -> Response {
            notes.add("+\(name)")
            var response = await next(request)
            notes.add("-\(name)")
            response.headers[HTTPField.Name("x-\(name)")!] = "seen"
            return response
        }
    }

    private func router(_ handler: @escaping @Sendable (Request) async throws -> Response) -> Router {
        var router = Router()
        router.get("/{path*}", handler)
        return router
    }

    struct OfProcess: ProcessPart {
        let notes: Collected<String>
        func validate() throws { notes.add("validated") }
        func handle(_ request: Request, next: Next) async throws -> Response {
            notes.add("met")
            return await next(request)
        }
    }

    @Test("a line that is of the process is taken out of the chain, wherever it stands, and is checked like others")
    func processParts() async throws {
        let notes = Collected<String>()
        let part = OfProcess(notes: notes)
        let isOn = true
        func chain(@PipelineBuilder _ pipeline: () -> CompletePipeline) -> Chain {
            Chain(pipeline(), responder: problemResponse(to:for:))
        }
        let lists = [
            chain {
                part
                router { _ in .text("hi") }
            },
            chain {
                Optional(part)
                router { _ in .text("hi") }
            },
            chain {
                [Mark(name: "a", notes: notes), part] as [any Middleware]
                if isOn { part }
                router { _ in .text("hi") }
            },
        ]
        for chain in lists {
            try chain.validate()
            #expect(chain.processParts.contains { $0 is OfProcess })
            #expect(await chain.respond(to: Request(.get, "/")).status == .ok)
        }
        #expect(notes.values.filter { $0 != "validated" } == ["+a", "-a"])
        #expect(notes.values.filter { $0 == "validated" }.count == 4)
        // In a group it passes requests on, and is found all the same.
        var routes = Router()
        routes.group("/g", part) { $0.get("/x") { _ in "x" } }
        let grouped = chain { routes }
        #expect(grouped.processParts.count == 1)
        #expect(await grouped.respond(to: Request(.get, "/g/x")).status == .ok)
    }

    @Test("the list runs downwards, its answer upwards; errors pass every middleware")
    func order() async {
        let notes = Collected<String>()
        let response = await respond(Request(.get, "/")) {
            Mark(name: "a", notes: notes)
            Mark(name: "b", notes: notes)
            router { _ in throw Boom() }
        }
        #expect(notes.values == ["+a", "+b", "-b", "-a"])
        #expect(response.status == .internalServerError)
        #expect(response.error is Boom)
        #expect(response.headers[HTTPField.Name("x-a")!] == "seen")
        #expect(response.headers[HTTPField.Name("x-b")!] == "seen")
        #expect(!response.text.contains("Boom"))
    }

    @Test("if, else, for, optionals, arrays and several routers")
    func builder() async {
        let notes = Collected<String>()
        func list(_ flag: Bool) -> CompletePipeline {
            @PipelineBuilder func build() -> CompletePipeline {
                if flag { Mark(name: "if", notes: notes) }
                if flag { Mark(name: "then", notes: notes) } else { Mark(name: "else", notes: notes) }
                for name in ["x", "y"] { Mark(name: name, notes: notes) }
                flag ? Mark(name: "optional", notes: notes) : nil
                [Mark(name: "p", notes: notes), Mark(name: "q", notes: notes)] as [any Middleware]
                if flag { router { _ in .text("one") } }
                for _ in 0..<0 { router { _ in .text("none") } }
                Router()
                CaptureErrors()
                FlushReports(within: .seconds(1))
            }
            return build()
        }
        #expect(await respond(list(true), Request(.get, "/")).text == "one")
        #expect(notes.values.filter { $0.hasPrefix("+") } == ["+if", "+then", "+x", "+y", "+optional", "+p", "+q"])
        #expect(await respond(list(false), Request(.get, "/")).status == .notFound)
        #expect(notes.values.filter { $0.hasPrefix("+") }.suffix(5) == ["+else", "+x", "+y", "+p", "+q"])
    }

    struct Retry: Middleware {
        func handle(_ request: Request, next: Next) async throws -> Response {
            let first = await next(request)
            return first.error == nil ? first : await next(request)
        }
    }

    @Test("next may be called again, and runs the rest again")
    func again() async {
        let calls = Mutex(0)
        let response = await respond(Request(.get, "/")) {
            Retry()
            router { _ in
                let call = calls.withLock { calls in
                    calls += 1
                    return calls
                }
                if call == 1 { throw Boom() }
                return .text("call \(call)")
            }
        }
        #expect(response.text == "call 2")
        #expect(response.error == nil)
    }

    enum Local {
        @TaskLocal static var value = "none"
    }

    struct Bind: Middleware {
        func handle(_ request: Request, next: Next) async throws -> Response {
            await Local.$value.withValue("bound") { await next(request) }
        }
    }

    struct Race: Middleware {
        func handle(_ request: Request, next: Next) async throws -> Response {
            await withTaskGroup(of: Response.self) { group in
                group.addTask { await next(request) }
                return await group.next() ?? Response(status: .internalServerError)
            }
        }
    }

    @Test("next is a plain value: inside withValue and inside a task group")
    func plainValue() async {
        let response = await respond(Request(.get, "/")) {
            Bind()
            Race()
            router { _ in .text(Local.value) }
        }
        #expect(response.text == "bound")
    }

    enum Name: RequestKey { typealias Value = String }

    struct HandDown: Middleware {
        func handle(_ request: Request, next: Next) async throws -> Response {
            var request = request
            request[Name.self] = "alice"
            return await next(request)
        }
    }

    @Test("typed values are handed down")
    func values() async {
        let response = await respond(Request(.get, "/")) {
            HandDown()
            router { request in .text(request[Name.self] ?? "nobody") }
        }
        #expect(response.text == "alice")
        #expect(Request(.get, "/")[Name.self] == nil)
    }

    struct Throwing: Middleware {
        func handle(_ request: Request, next: Next) async throws -> Response {
            throw HTTPError(.tooManyRequests, "slow down", detail: "secret")
        }
    }

    @Test("what middleware throws is an answer for those above it; the public words leave, the detail does not")
    func middlewareThrows() async {
        let notes = Collected<String>()
        let response = await respond(Request(.get, "/")) {
            Mark(name: "a", notes: notes)
            Throwing()
            router { _ in .text("never") }
        }
        #expect(response.status == .tooManyRequests)
        #expect(response.headers[HTTPField.Name("x-a")!] == "seen")
        #expect(response.text.contains("slow down"))
        #expect(!response.text.contains("secret"))
        #expect(response.headers[.contentType] == "application/problem+json")
    }

    struct Handle: Middleware {
        func handle(_ request: Request, next: Next) async throws -> Response {
            await next(request).error == nil ? .text("none") : .text("handled")
        }
    }

    @Test("another answer without the error handles it: nothing is captured")
    func handled() async {
        let reporter = NotingReporter()
        let response = await respond(Request(.get, "/"), reporter) {
            Handle()
            router { _ in throw Boom() }
        }
        #expect(response.text == "handled")
        #expect(reporter.failures.values.isEmpty)
    }

    @Test("one function shapes every error's answer, and cannot lose the error")
    func shape() async {
        let response = await respond(
            Request(.get, "/"), responder: { error, _ in Response.text("custom \(error.status.code)", status: error.status) }
        ) {
            router { _ in throw Boom() }
        }
        #expect(response.text == "custom 500")
        #expect(response.error is Boom)
    }

    @Test("a cancellation is a 504 once the guard has cancelled, and a 500 otherwise")
    func cancellation() async {
        let pipeline = CompletePipeline.of(router { _ in throw CancellationError() })
        #expect(await respond(pipeline, Request(.get, "/")).status == .internalServerError)
        let scope = InvocationScope(requestID: "x")
        scope.state.isTimedOut = true
        let late = await InvocationScope.$current.withValue(scope) { await respond(pipeline, Request(.get, "/")) }
        #expect(late.status == .gatewayTimeout)
    }
}

@Suite struct CaptureTests {
    private func run(
        _ reporter: NotingReporter, capture: CaptureErrors = CaptureErrors(), flush: FlushReports = FlushReports(),
        _ handler: @escaping @Sendable (Request) async throws -> Response
    ) async -> Response {
        var routes = Router()
        routes.get("/{path*}", handler)
        return await respond(Request(.get, "/x"), reporter) {
            routes
            capture
            flush
        }
    }

    struct Case: Sendable {
        let name: String
        let outcomes: [Failure.Outcome]
        let handler: @Sendable (Request) async throws -> Response
    }

    @Test("exactly one failure for each answer that is one, none for the others")
    func once() async {
        let cases = [
            Case(name: "fine", outcomes: []) { _ in .text("x") },
            Case(name: "thrown", outcomes: [.handlerError]) { _ in throw Boom() },
            Case(name: "thrown 503", outcomes: [.handlerError]) { _ in throw HTTPError(.serviceUnavailable) },
            Case(name: "thrown 404", outcomes: []) { _ in throw HTTPError(.notFound) },
            Case(name: "returned 502", outcomes: [.serverErrorResponse]) { _ in Response(status: .badGateway) },
            Case(name: "returned 499", outcomes: []) { _ in Response(status: .init(code: 499)) },
            Case(name: "stream", outcomes: [.handlerError]) { _ in .stream(contentType: "a/b") { _ in throw Boom() } },
            Case(name: "stream 404", outcomes: []) { _ in .stream(contentType: "a/b") { _ in throw HTTPError(.notFound) } },
            Case(name: "stream with 503 that throws", outcomes: [.handlerError]) { _ in
                .stream(contentType: "a/b", status: .serviceUnavailable) { _ in throw Boom() }
            },
            Case(name: "stream with 503", outcomes: [.serverErrorResponse]) { _ in
                .stream(contentType: "a/b", status: .serviceUnavailable) { try await $0.write("x") }
            },
            Case(name: "stream fine", outcomes: []) { _ in .stream(contentType: "a/b") { try await $0.write("x") } },
        ]
        for one in cases {
            let reporter = NotingReporter()
            _ = await run(reporter, one.handler)
            #expect(reporter.failures.values.map(\.outcome) == one.outcomes, "\(one.name)")
            #expect(reporter.notes.values == (one.outcomes.isEmpty ? [] : ["capture"]) + ["flush"], "\(one.name)")
        }
    }

    @Test("answers of 500 that nobody threw can be left out")
    func option() async {
        let reporter = NotingReporter()
        _ = await run(reporter, capture: CaptureErrors(returnedServerErrors: false)) { _ in Response(status: .badGateway) }
        #expect(reporter.failures.values.isEmpty)
    }

    @Test("afterReply leaves the flush to the worker")
    func afterReply() async {
        let reporter = NotingReporter()
        _ = await run(reporter, flush: FlushReports(when: .afterReply, within: .seconds(1))) { _ in throw Boom() }
        #expect(reporter.notes.values == ["capture"])
    }

    @Test("what cuts a body after the guard has cancelled it is the time-out, in whatever words; a reader that is gone is not")
    func timeoutInOtherWords() async {
        var routes = Router()
        routes.get("/") { _ in "x" }
        let chain = Chain(.of(routes), responder: problemResponse(to:for:))
        for (isPastGuard, error, outcome) in [
            (true, Boom() as any Error, Failure.Outcome.timeout), (false, Boom(), .streamCut),
            (true, BodyWriterError.disconnected(reason: "gone"), .replyRefused),
        ] {
            let scope = InvocationScope(requestID: "x")
            scope.state.isTimedOut = isPastGuard
            let reporter = NotingReporter()
            await InvocationScope.$current.withValue(scope) {
                await chain.complete(Response(), cutBy: error, bytesWritten: 3, of: Request(.get, "/"), reporter)
            }
            #expect(reporter.failures.values.map(\.outcome) == [outcome])
        }
    }

    @Test("a time-out that the guard has recorded is not recorded again")
    func timeoutOnce() async {
        let scope = InvocationScope(requestID: "x")
        scope.state.isTimedOut = true
        #expect(scope.state.takeTimeoutRecord())
        let reporter = NotingReporter()
        await InvocationScope.$current.withValue(scope) { _ = await run(reporter) { _ in throw CancellationError() } }
        #expect(reporter.failures.values.isEmpty)
    }
}
