internal import SluiceEvents

/// Phases of an app's list, in order: middleware, routes and handlers of events, capture, flush. Each is a type, so that the compiler knows the order.
public enum PipelinePhase {
    /// Middleware and nothing else, so far.
    public enum Middleware {}
    /// Routes and handlers of events, and nothing else: what a branch or a loop may hold besides middleware.
    public enum Routes {}
    /// The list has its routes; more routers may follow, then `CaptureErrors`.
    public enum Routed {}
    /// The list has its `CaptureErrors`; only `FlushReports` may follow.
    public enum Captured {}
    /// The list is complete.
    public enum Flushed {}
}

/// Part of an app's list, up to and including `Phase`. Made by ``PipelineBuilder`` only.
public struct Pipeline<Phase>: Sendable {
    var middleware: [any Middleware] = []
    var routers: [Router] = []
    var events: [Events] = []
    var capture: CaptureErrors?
    var flush: FlushReports?

    /// The same content, seen as another phase, with the other's content behind it.
    func followed<Other, Result>(by other: Pipeline<Other>, as phase: Result.Type) -> Pipeline<Result> {
        Pipeline<Result>(
            middleware: middleware + other.middleware, routers: routers + other.routers,
            events: events + other.events, capture: other.capture ?? capture, flush: other.flush ?? flush)
    }
}

/// The whole list of an app, its order checked. Where it names neither `CaptureErrors` nor `FlushReports`, it has both.
public struct CompletePipeline: Sendable {
    let middleware: [any Middleware]
    let routers: [Router]
    let events: [Events]
    let capture: CaptureErrors
    let flush: FlushReports

    init(_ pipeline: Pipeline<some Any>) {
        middleware = pipeline.middleware
        routers = pipeline.routers
        events = pipeline.events
        capture = pipeline.capture ?? CaptureErrors()
        flush = pipeline.flush ?? FlushReports()
    }
}
