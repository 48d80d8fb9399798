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
    @inline(__always)
    public func handle(_ request: Request, next: Next) async throws -> Response {
        if let scope = InvocationScope.current {
            // That of W3C's header, if it has one, else the platform's.
            scope.state.openLogContext(trace: request.header(.traceparent) ?? scope.traceID)
        }
        return await next(request)
    }
}
