internal import SluiceCore
public import SluiceMiddleware

/// Compares what Lambda says of each invocation with what the app did, and tells where Lambda counted an error that nobody here knows of.
///
/// ```swift
/// try await LambdaApp {
///     PlatformWatch()
///     RequestID()
///     routes
/// }.run()
/// ```
/// Such an error raises the metric `Errors` and is in no log: a streamed response that was cut behind the app's back, say. With this line
/// it is one WARN record and one report, `platform counted an error that the app did not see`, with both sides' figures and the
/// request's id. Requests never meet this line, wherever it stands.
///
/// The process becomes an internal extension and subscribes to Lambda's telemetry, before the first invocation; where that cannot be
/// (managed instances have no internal extensions) it is one WARN record, and the app runs without.
public struct PlatformWatch: ProcessPart {
    /// Watches while `LambdaApp.run()` does.
    public init() {}

    /// Passes the request on.
    public func handle(_ request: Request, next: Next) async throws -> Response { await next(request) }
}
