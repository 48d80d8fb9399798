/// Builds an app's list and lets the compiler check its order: middleware, routes, capture, flush.
///
/// Reads downwards like the trip of an invocation: requests go in at the top, what the routes produce goes out at the bottom.
@resultBuilder
public enum PipelineBuilder {
    // MARK: Lines

    /// A line of middleware.
    public static func buildExpression(_ middleware: some Middleware) -> Pipeline<Steps> {
        Pipeline(middleware: [middleware])
    }

    /// A line of middleware, or nothing when it is nil.
    public static func buildExpression(_ middleware: (some Middleware)?) -> Pipeline<Steps> {
        Pipeline(middleware: middleware.map { [$0] } ?? [])
    }

    /// A line of middleware of any type, or nothing when it is nil.
    public static func buildExpression(_ middleware: (any Middleware)?) -> Pipeline<Steps> {
        Pipeline(middleware: middleware.map { [$0] } ?? [])
    }

    /// Several steps, in order.
    public static func buildExpression(_ middleware: [any Middleware]) -> Pipeline<Steps> {
        Pipeline(middleware: middleware)
    }

    /// A line of routes.
    public static func buildExpression(_ router: Router) -> Pipeline<Routes> { Pipeline(routers: [router]) }

    /// A line of routes, or none when it is nil.
    public static func buildExpression(_ router: Router?) -> Pipeline<Routes> {
        Pipeline(routers: router.map { [$0] } ?? [])
    }

    /// Several routers; their order does not matter.
    public static func buildExpression(_ routers: [Router]) -> Pipeline<Routes> { Pipeline(routers: routers) }

    /// The line from which on failures are recorded.
    public static func buildExpression(_ capture: CaptureErrors) -> Pipeline<Captured> { Pipeline(capture: capture) }

    /// The last line.
    public static func buildExpression(_ flush: FlushReports) -> Pipeline<Flushed> { Pipeline(flush: flush) }

    // MARK: Legal order

    /// A list may begin with middleware.
    public static func buildPartialBlock(first: Pipeline<Steps>) -> Pipeline<Steps> { first }

    /// A list may begin with routes.
    public static func buildPartialBlock(first: Pipeline<Routes>) -> Pipeline<Routes> { first }

    /// Middleware after middleware.
    public static func buildPartialBlock(
        accumulated: Pipeline<Steps>, next: Pipeline<Steps>
    ) -> Pipeline<Steps> { accumulated.followed(by: next, as: Steps.self) }

    /// Routes after middleware.
    public static func buildPartialBlock(
        accumulated: Pipeline<Steps>, next: Pipeline<Routes>
    ) -> Pipeline<Routed> { accumulated.followed(by: next, as: Routed.self) }

    /// Routes after routes.
    public static func buildPartialBlock(
        accumulated: Pipeline<Routes>, next: Pipeline<Routes>
    ) -> Pipeline<Routes> { accumulated.followed(by: next, as: Routes.self) }

    /// Routes after middleware and routes.
    public static func buildPartialBlock(
        accumulated: Pipeline<Routed>, next: Pipeline<Routes>
    ) -> Pipeline<Routed> { accumulated.followed(by: next, as: Routed.self) }

    /// CaptureErrors after routes.
    public static func buildPartialBlock(
        accumulated: Pipeline<Routes>, next: Pipeline<Captured>
    ) -> Pipeline<Captured> { accumulated.followed(by: next, as: Captured.self) }

    /// CaptureErrors after middleware and routes.
    public static func buildPartialBlock(
        accumulated: Pipeline<Routed>, next: Pipeline<Captured>
    ) -> Pipeline<Captured> { accumulated.followed(by: next, as: Captured.self) }

    /// FlushReports after CaptureErrors.
    public static func buildPartialBlock(
        accumulated: Pipeline<Captured>, next: Pipeline<Flushed>
    ) -> Pipeline<Flushed> { accumulated.followed(by: next, as: Flushed.self) }

    // MARK: Branches and loops

    /// `if` without `else`.
    public static func buildOptional(_ part: Pipeline<Steps>?) -> Pipeline<Steps> { part ?? Pipeline() }

    /// A branch of `if`/`else` or `switch`.
    public static func buildEither(first: Pipeline<Steps>) -> Pipeline<Steps> { first }

    /// A branch of `if`/`else` or `switch`.
    public static func buildEither(second: Pipeline<Steps>) -> Pipeline<Steps> { second }

    /// A loop.
    public static func buildArray(_ parts: [Pipeline<Steps>]) -> Pipeline<Steps> {
        Pipeline(middleware: parts.flatMap(\.middleware))
    }

    /// `if #available`.
    public static func buildLimitedAvailability(_ part: Pipeline<Steps>) -> Pipeline<Steps> { part }

    /// `if` without `else`.
    public static func buildOptional(_ part: Pipeline<Routes>?) -> Pipeline<Routes> { part ?? Pipeline() }

    /// A branch of `if`/`else` or `switch`.
    public static func buildEither(first: Pipeline<Routes>) -> Pipeline<Routes> { first }

    /// A branch of `if`/`else` or `switch`.
    public static func buildEither(second: Pipeline<Routes>) -> Pipeline<Routes> { second }

    /// A loop.
    public static func buildArray(_ parts: [Pipeline<Routes>]) -> Pipeline<Routes> {
        Pipeline(routers: parts.flatMap(\.routers))
    }

    /// `if #available`.
    public static func buildLimitedAvailability(_ part: Pipeline<Routes>) -> Pipeline<Routes> { part }

    // MARK: The end

    /// The whole list; what it does not name is added.
    public static func buildFinalResult(_ whole: Pipeline<Routes>) -> CompletePipeline { CompletePipeline(whole) }

    /// The whole list; what it does not name is added.
    public static func buildFinalResult(_ whole: Pipeline<Routed>) -> CompletePipeline { CompletePipeline(whole) }

    /// The whole list; what it does not name is added.
    public static func buildFinalResult(_ whole: Pipeline<Captured>) -> CompletePipeline { CompletePipeline(whole) }

    /// The whole list; what it does not name is added.
    public static func buildFinalResult(_ whole: Pipeline<Flushed>) -> CompletePipeline { CompletePipeline(whole) }
}
