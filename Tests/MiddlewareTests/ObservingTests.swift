import CoreMetrics
import InMemoryLogging
import InMemoryTracing
import Logging
import MetricsTestKit
import SluiceTestSupport
import Testing
import Tracing

@testable import SluiceCore
@testable import SluiceMiddleware

/// The process's metrics and tracing systems: one suite, one test at a time.
@Suite(.serialized) struct ObservingTests {
    private static let metrics: TestMetrics = {
        let metrics = TestMetrics()
        MetricsSystem.bootstrap(metrics)
        return metrics
    }()

    private static let tracer: InMemoryTracer = {
        let tracer = InMemoryTracer()
        InstrumentationSystem.bootstrap(tracer)
        return tracer
    }()

    private static func routes(_ inside: @escaping @Sendable () -> Void = {}) -> Router {
        var routes = Router()
        routes.get("/orders/{id}") { _ in
            inside()
            return "order"
        }
        routes.get("/boom") { _ -> String in throw Boom() }
        routes.get("/cut") { _ in
            Response.stream(contentType: "a/b") { writer in
                inside()
                try await writer.write("half")
                throw Boom()
            }
        }
        return routes
    }

    @Test("metrics: a duration, a size and an active request, with labels of the conventions")
    func measured() async throws {
        let metrics = Self.metrics
        metrics.reset()
        for (method, path) in [("GET", "/orders/7"), ("GET", "/boom"), ("GET", "/nowhere"), ("BREW", "/orders/7")] {
            let method = try #require(HTTPRequest.Method(rawValue: method))
            _ = await respond(Request(method, path)) {
                SluiceMiddleware.Metrics()
                Self.routes()
            }
        }
        let labels = metrics.timers.map { timer in
            #expect(timer.label == "http.server.request.duration" && timer.values.count == 1)
            return timer.dimensions.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
        }
        #expect(
            Set(labels) == [
                "http.request.method=GET url.scheme=https http.route=/orders/{id} http.response.status_code=200",
                "http.request.method=GET url.scheme=https http.route=/boom http.response.status_code=500 error.type=MiddlewareTests.Boom",
                "http.request.method=GET url.scheme=https http.response.status_code=404",
                "http.request.method=_OTHER url.scheme=https http.response.status_code=405",
            ])
        let active = try metrics.expectMeter(
            "http.server.active_requests", [("http.request.method", "GET"), ("url.scheme", "https")])
        #expect(active.lastValue == 0)
        let sizes = metrics.recorders.filter { $0.label == "http.server.response.body.size" }
        #expect(sizes.contains { $0.lastValue == 5 } && sizes.count == 4)
    }

    @Test("tracing: a span around handler and body, with the route, and what failed")
    func traced() async throws {
        let tracer = Self.tracer
        tracer.clearAll(includingActive: true)
        let inner = Collected<String>()
        let note: @Sendable () -> Void = {
            inner.add(ServiceContext.current?.inMemorySpanContext?.traceID ?? "none")
        }
        var request = Request(.get, "/orders/7?secret=1", headers: [.userAgent: "test", .host: "shop.example:8080"])
        request.headers[HTTPField.Name(InMemoryTracer.traceIDKey) ?? .from] = "trace-1"
        request.headers[HTTPField.Name(InMemoryTracer.spanIDKey) ?? .from] = "span-1"
        let first = request
        _ = await respond(first) {
            SluiceMiddleware.Tracing()
            Self.routes(note)
        }
        _ = await respondStreamed(Request(.get, "/cut"), note)
        _ = await respond(Request(.get, "/nowhere")) {
            SluiceMiddleware.Tracing()
            Self.routes()
        }
        let spans = tracer.finishedSpans
        #expect(spans.map(\.operationName) == ["GET /orders/{id}", "GET /cut", "GET"])
        try #require(spans.count == 3)
        #expect(inner.values.first == "trace-1" && inner.values.count == 2 && inner.values[1] != "none")
        func text(_ key: String, _ span: FinishedInMemorySpan) -> String? { span.attributes.get(key).map { "\($0)" } }
        #expect(text("http.route", spans[0])?.contains("/orders/{id}") == true)
        #expect(
            text("url.path", spans[0])?.contains("/orders/7") == true && text("url.path", spans[0])?.contains("secret") == false
        )
        #expect(text("server.address", spans[0])?.contains("shop.example") == true)
        #expect(text("http.response.status_code", spans[0])?.contains("200") == true)
        #expect(spans[0].status == nil && spans[0].kind == .server)
        #expect(spans[1].status?.code == .error && spans[1].errors.count == 1)
        #expect(text("error.type", spans[1])?.contains("Boom") == true)
        #expect(spans[2].status == nil && spans[2].attributes.get("http.route") == nil)
        #expect(tracer.activeSpans.isEmpty)
    }

    /// Streamed: the head has left when the body fails.
    private func respondStreamed(_ request: Request, _ inside: @escaping @Sendable () -> Void) async -> Response {
        let pipeline = PipelineBuilder.buildFinalResult(
            PipelineBuilder.buildPartialBlock(
                accumulated: PipelineBuilder.buildExpression(SluiceMiddleware.Tracing()),
                next: PipelineBuilder.buildExpression(Self.routes(inside))))
        let chain = Chain(pipeline, responder: problemResponse(to:for:))
        let response = await chain.respond(to: request)
        var cause: (any Error)?
        do { try await response.writeBody(to: BodyWriter(ChunkSink { _ in })) } catch { cause = error }
        await chain.complete(response, cutBy: cause, bytesWritten: 4, of: request, NotingReporter())
        return response
    }
}

@Suite struct LogContextTests {
    @Test("each record of the request has the trace, the route and what was added; none of another")
    func context() async throws {
        var routes = Router()
        routes.get("/orders/{id}") { request in
            LogContext.add("customer", "\(request.parameters["id"] ?? "")")
            await Task.yield()
            return InvocationScope.current?.state.logContext.map { context in
                context.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            } ?? "none"
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                let routes = routes
                group.addTask {
                    let scope = InvocationScope(requestID: "r\(number)", traceID: "Root=1-a-\(number);Parent=b;Sampled=1")
                    await InvocationScope.$current.withValue(scope) {
                        let response = await respond(Request(.get, "/orders/\(number)")) {
                            LogContext()
                            routes
                        }
                        #expect(response.text == "customer=\(number) route=/orders/{id} traceId=1-a-\(number)")
                        #expect(LogContext.provider.get()["requestId"] == "r\(number)")
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("W3C's trace wins; without LogContext() nothing is added")
    func traceparent() async {
        let scope = InvocationScope(requestID: "r", traceID: "Root=1-a-b")
        await InvocationScope.$current.withValue(scope) {
            LogContext.add("early", "1")
            #expect(scope.state.logContext == nil && LogContext.provider.get().isEmpty)
            let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            _ = await respond(Request(.get, "/", headers: [.traceparent: parent])) {
                LogContext()
                Router()
            }
            #expect(scope.state.logContext == ["traceId": "0af7651916cd43dd8448eb211c80319c"])
        }
        #expect(LogContext.provider.get().isEmpty)
    }
}
