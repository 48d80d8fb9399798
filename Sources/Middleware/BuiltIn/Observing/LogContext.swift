public import Logging
internal import HTTPTypes
internal import SluiceCore

/// Puts the trace's id, the route, and what you add into each log record of the request, whoever logs it: handlers, middleware, the
/// libraries they call, the access line.
///
/// ```swift
/// LogContext.add("customer", "\(customer.id)")
/// ```
/// Records of ``LambdaLogHandler`` have the request's id anyway. A log backend of your own takes ``provider``. Detached tasks and callbacks of
/// other libraries are outside of the request: see `InvocationScope`.
public struct LogContext: Middleware {
    /// From here on records have it.
    public init() {}

    /// Adds to the records of the current request from here on; nil takes it out. Does nothing outside of one, and above `LogContext()`.
    public static func add(_ key: String, _ value: Logger.Metadata.Value?) {
        InvocationScope.current?.state.addToLogContext(key, value)
    }

    /// What the records of the current request have besides their own, `requestId` included: for a log backend that is not ours.
    public static let provider = Logger.MetadataProvider {
        guard let scope = InvocationScope.current, var context = scope.state.logContext else { return [:] }
        context["requestId"] = "\(scope.requestID)"
        return context
    }

    /// Runs the rest with the context.
    public func handle(_ request: Request, next: Next) async throws -> Response {
        if let scope = InvocationScope.current {
            var context: Logger.Metadata = [:]
            if let trace = Self.traceID(request, scope) { context["traceId"] = "\(trace)" }
            scope.state.openLogContext(context)
        }
        return await next(request)
    }

    /// That of W3C's header, if it has one, else the platform's.
    private static func traceID(_ request: Request, _ scope: InvocationScope) -> Substring? {
        if let parent = request.headers[.traceparent]?.split(at: "-"), parent.count >= 4, parent[1].utf8.count == 32 {
            return parent[1]
        }
        return scope.traceID?.split(at: ";").lazy.compactMap { $0.trimmed.cut(at: "=") }.first { $0.before == "Root" }?.after
    }
}
