internal import HTTPTypes
internal import SluiceCore
internal import Synchronization
internal import Tracing

/// Makes a span of each request by swift-distributed-tracing, under the names of OpenTelemetry's semantic conventions.
///
/// The span continues the trace that the request brings, in whatever headers the app's instrument reads (`traceparent`, as a rule). It is the
/// current one for everything below, streamed bodies included, and ends when the body has ended, with what the client got. Where spans
/// go is the app's `InstrumentationSystem.bootstrap`; where it has none, and a DSN and a rate of traces, they are Sentry's transactions.
///
/// The name hides that of swift-distributed-tracing's module where both are imported: write `withSpan`, and not `Tracing.withSpan`.
///
/// - SeeAlso: OpenTelemetry, "Semantic conventions for HTTP spans".
public struct Tracing: Middleware {
    /// Speaks to the process's tracer.
    public init() {}

    /// Runs the rest within a span.
    @inline(__always)
    public func handle(_ request: Request, next: Next) async throws -> Response {
        // Nobody has bootstrapped: nothing would come of it.
        if type(of: InstrumentationSystem.instrument) == NoOpInstrument.self { return await next(request) }
        let tracer = InstrumentationSystem.tracer
        var context = ServiceContext.current ?? .topLevel
        InstrumentationSystem.instrument.extract(request.headers, into: &context, using: HeaderExtractor())
        let method = RequestAttributes.method(request)
        let span = tracer.startSpan(method == "_OTHER" ? "HTTP" : method, context: context, ofKind: .server)
        span.attributes.describe(request, method)
        let scope = span.context
        var response = await ServiceContext.$current.withValue(scope) { await next(request) }
        if response.body.isStream {
            response.wrapBody { writer, body in
                try await ServiceContext.$current.withValue(scope) { try await body(writer) }
            }
        }
        if let route = response.route {
            span.operationName = "\(span.operationName) \(route)"
            span.attributes["http.route"] = route
        }
        response.onEnd { end in
            span.attributes["http.response.status_code"] = end.status.code
            span.attributes["http.response.body.size"] = end.bytesWritten
            if let type = RequestAttributes.errorType(end) {
                span.attributes["error.type"] = type
                if let error = end.error { span.recordError(error) }
                span.setStatus(SpanStatus(code: .error))
            }
            span.end()
        }
        return response
    }
}

private struct HeaderExtractor: Extractor {
    func extract(key: String, from headers: HTTPFields) -> String? { HTTPField.Name(key).flatMap { headers[$0] } }
}

extension SpanAttributes {
    /// The query is left out: it may hold secrets.
    fileprivate mutating func describe(_ request: Request, _ method: String) {
        self["http.request.method"] = method
        if method == "_OTHER" { self["http.request.method_original"] = request.method.rawValue }
        self["url.path"] = request.rawPath
        self["url.scheme"] = request.scheme
        if !request.authority.isEmpty { self["server.address"] = String(request.authority.prefix(before: ":")) }
        if let address = request.remoteAddress { self["client.address"] = address }
        if let agent = request.header(.userAgent) { self["user_agent.original"] = agent }
        self["faas.trigger"] = "http"
        self["faas.invocation_id"] = request.id
    }
}
