public import SluiceEvents

/// Builds an app's list and lets the compiler check its order: middleware, routes, capture, flush.
///
/// Reads downwards like the way of an invocation: requests go in at the top, what the routes produce goes out at the bottom.
@resultBuilder
public enum PipelineBuilder {
    // MARK: Lines

    /// A line of middleware.
    public static func buildExpression(_ middleware: some Middleware) -> Pipeline<PipelinePhase.Middleware> {
        Pipeline(middleware: [middleware])
    }

    /// A line of middleware, or nothing when it is nil.
    public static func buildExpression(_ middleware: (some Middleware)?) -> Pipeline<PipelinePhase.Middleware> {
        Pipeline(middleware: middleware.map { [$0] } ?? [])
    }

    /// A line of middleware of any type, or nothing when it is nil.
    public static func buildExpression(_ middleware: (any Middleware)?) -> Pipeline<PipelinePhase.Middleware> {
        Pipeline(middleware: middleware.map { [$0] } ?? [])
    }

    /// Several steps, in order.
    public static func buildExpression(_ middleware: [any Middleware]) -> Pipeline<PipelinePhase.Middleware> {
        Pipeline(middleware: middleware)
    }

    /// A line of routes.
    public static func buildExpression(_ router: Router) -> Pipeline<PipelinePhase.Routes> { Pipeline(routers: [router]) }

    /// A line of routes, or none when it is nil.
    public static func buildExpression(_ router: Router?) -> Pipeline<PipelinePhase.Routes> {
        Pipeline(routers: router.map { [$0] } ?? [])
    }

    /// Several routers; their order does not matter.
    public static func buildExpression(_ routers: [Router]) -> Pipeline<PipelinePhase.Routes> { Pipeline(routers: routers) }

    /// The line of handlers for what is not HTTP.
    public static func buildExpression(_ events: Events) -> Pipeline<PipelinePhase.Routes> { Pipeline(events: [events]) }

    /// The line of handlers for what is not HTTP, or none when it is nil.
    public static func buildExpression(_ events: Events?) -> Pipeline<PipelinePhase.Routes> {
        Pipeline(events: events.map { [$0] } ?? [])
    }

    /// The line from which on failures are recorded.
    public static func buildExpression(_ capture: CaptureErrors) -> Pipeline<PipelinePhase.Captured> {
        Pipeline(capture: capture)
    }

    /// The last line.
    public static func buildExpression(_ flush: FlushReports) -> Pipeline<PipelinePhase.Flushed> { Pipeline(flush: flush) }

    // MARK: Legal order

    /// A list may begin with middleware.
    public static func buildPartialBlock(first: Pipeline<PipelinePhase.Middleware>) -> Pipeline<PipelinePhase.Middleware> {
        first
    }

    /// A list may begin with routes.
    public static func buildPartialBlock(first: Pipeline<PipelinePhase.Routes>) -> Pipeline<PipelinePhase.Routes> { first }

    /// Middleware after middleware.
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Middleware>, next: Pipeline<PipelinePhase.Middleware>
    ) -> Pipeline<PipelinePhase.Middleware> { accumulated.followed(by: next, as: PipelinePhase.Middleware.self) }

    /// Routes after middleware.
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Middleware>, next: Pipeline<PipelinePhase.Routes>
    ) -> Pipeline<PipelinePhase.Routed> { accumulated.followed(by: next, as: PipelinePhase.Routed.self) }

    /// Routes after routes.
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Routes>, next: Pipeline<PipelinePhase.Routes>
    ) -> Pipeline<PipelinePhase.Routes> { accumulated.followed(by: next, as: PipelinePhase.Routes.self) }

    /// Routes after middleware and routes.
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Routed>, next: Pipeline<PipelinePhase.Routes>
    ) -> Pipeline<PipelinePhase.Routed> { accumulated.followed(by: next, as: PipelinePhase.Routed.self) }

    /// CaptureErrors after routes.
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Routes>, next: Pipeline<PipelinePhase.Captured>
    ) -> Pipeline<PipelinePhase.Captured> { accumulated.followed(by: next, as: PipelinePhase.Captured.self) }

    /// CaptureErrors after middleware and routes.
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Routed>, next: Pipeline<PipelinePhase.Captured>
    ) -> Pipeline<PipelinePhase.Captured> { accumulated.followed(by: next, as: PipelinePhase.Captured.self) }

    /// FlushReports after CaptureErrors.
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Captured>, next: Pipeline<PipelinePhase.Flushed>
    ) -> Pipeline<PipelinePhase.Flushed> { accumulated.followed(by: next, as: PipelinePhase.Flushed.self) }

    // MARK: Branches and loops

    /// `if` without `else`.
    public static func buildOptional(_ part: Pipeline<PipelinePhase.Middleware>?) -> Pipeline<PipelinePhase.Middleware> {
        part ?? Pipeline()
    }

    /// A branch of `if`/`else` or `switch`.
    public static func buildEither(first: Pipeline<PipelinePhase.Middleware>) -> Pipeline<PipelinePhase.Middleware> { first }

    /// A branch of `if`/`else` or `switch`.
    public static func buildEither(second: Pipeline<PipelinePhase.Middleware>) -> Pipeline<PipelinePhase.Middleware> { second }

    /// A loop.
    public static func buildArray(_ parts: [Pipeline<PipelinePhase.Middleware>]) -> Pipeline<PipelinePhase.Middleware> {
        Pipeline(middleware: parts.flatMap(\.middleware))
    }

    /// `if #available`.
    public static func buildLimitedAvailability(_ part: Pipeline<PipelinePhase.Middleware>) -> Pipeline<
        PipelinePhase.Middleware
    > { part }

    /// `if` without `else`.
    public static func buildOptional(_ part: Pipeline<PipelinePhase.Routes>?) -> Pipeline<PipelinePhase.Routes> {
        part ?? Pipeline()
    }

    /// A branch of `if`/`else` or `switch`.
    public static func buildEither(first: Pipeline<PipelinePhase.Routes>) -> Pipeline<PipelinePhase.Routes> { first }

    /// A branch of `if`/`else` or `switch`.
    public static func buildEither(second: Pipeline<PipelinePhase.Routes>) -> Pipeline<PipelinePhase.Routes> { second }

    /// A loop.
    public static func buildArray(_ parts: [Pipeline<PipelinePhase.Routes>]) -> Pipeline<PipelinePhase.Routes> {
        Pipeline(routers: parts.flatMap(\.routers), events: parts.flatMap(\.events))
    }

    /// `if #available`.
    public static func buildLimitedAvailability(_ part: Pipeline<PipelinePhase.Routes>) -> Pipeline<PipelinePhase.Routes> {
        part
    }

    // MARK: The end

    /// The whole list; what it does not name is added.
    public static func buildFinalResult(_ whole: Pipeline<PipelinePhase.Routes>) -> CompletePipeline { CompletePipeline(whole) }

    /// The whole list; what it does not name is added.
    public static func buildFinalResult(_ whole: Pipeline<PipelinePhase.Routed>) -> CompletePipeline { CompletePipeline(whole) }

    /// The whole list; what it does not name is added.
    public static func buildFinalResult(_ whole: Pipeline<PipelinePhase.Captured>) -> CompletePipeline {
        CompletePipeline(whole)
    }

    /// The whole list; what it does not name is added.
    public static func buildFinalResult(_ whole: Pipeline<PipelinePhase.Flushed>) -> CompletePipeline {
        CompletePipeline(whole)
    }
}
