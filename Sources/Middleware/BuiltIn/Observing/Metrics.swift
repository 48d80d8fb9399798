internal import CoreMetrics
internal import HTTPTypes

/// Measures requests by swift-metrics, under the names of OpenTelemetry's semantic conventions.
///
/// - `http.server.request.duration`, a timer: until the body has ended.
/// - `http.server.response.body.size`, a recorder: bytes that were sent.
/// - `http.server.active_requests`, a meter.
///
/// Labels: `http.request.method`, `url.scheme`, `http.route`, `http.response.status_code`, and `error.type` of failures. A path is never
/// a label: where no route matched, there is none. Where metrics go is the app's `MetricsSystem.bootstrap`; on Lambda one that writes CloudWatch's
/// embedded metric format needs no connection: `EMFMetrics`, by `SLUICE_METRICS=emf`.
///
/// The name hides that of swift-metrics' module where both are imported: write `Counter`, or `CoreMetrics.Timer` beside Foundation's.
///
/// - SeeAlso: OpenTelemetry, "Semantic conventions for HTTP metrics".
public struct Metrics: Middleware {
    /// Speaks to the process's metrics system.
    public init() {}

    /// Runs the rest, and measures until the body has ended.
    @inline(__always)
    public func handle(_ request: Request, next: Next) async throws -> Response {
        // Nobody has bootstrapped: nothing would come of it.
        if type(of: MetricsSystem.factory) == NOOPMetricsHandler.self { return await next(request) }
        let start = ContinuousClock.now
        let common = [("http.request.method", RequestAttributes.method(request)), ("url.scheme", request.scheme)]
        let active = Meter(label: "http.server.active_requests", dimensions: common)
        active.increment()
        var response = await next(request)
        let route = response.route
        response.onEnd { end in
            active.decrement()
            var labels = common
            if let route { labels.append(("http.route", route)) }
            labels.append(("http.response.status_code", "\(end.status.code)"))
            if let type = RequestAttributes.errorType(end) { labels.append(("error.type", type)) }
            let (seconds, attoseconds) = (ContinuousClock.now - start).components
            Timer(label: "http.server.request.duration", dimensions: labels)
                .recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
            Recorder(label: "http.server.response.body.size", dimensions: labels).record(end.bytesWritten)
        }
        return response
    }
}
