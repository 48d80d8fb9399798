/// Builds an app's list and lets the compiler check its order: middleware, routes, capture, flush.
///
/// Reads downwards like the trip of an invocation: requests go in at the top, what the routes produce goes out at the bottom.
@resultBuilder
public enum PipelineBuilder {
    // MARK: Lines

    public static func buildExpression(_ middleware: some Middleware) -> Pipeline<Steps> {
        Pipeline(middleware: [middleware])
    }

    public static func buildExpression(_ middleware: (some Middleware)?) -> Pipeline<Steps> {
        Pipeline(middleware: middleware.map { [$0] } ?? [])
    }

    public static func buildExpression(_ middleware: (any Middleware)?) -> Pipeline<Steps> {
        Pipeline(middleware: middleware.map { [$0] } ?? [])
    }

    public static func buildExpression(_ middleware: [any Middleware]) -> Pipeline<Steps> {
        Pipeline(middleware: middleware)
    }

    public static func buildExpression(_ router: Router) -> Pipeline<Routes> { Pipeline(routers: [router]) }

    public static func buildExpression(_ router: Router?) -> Pipeline<Routes> {
        Pipeline(routers: router.map { [$0] } ?? [])
    }

    public static func buildExpression(_ routers: [Router]) -> Pipeline<Routes> { Pipeline(routers: routers) }

    public static func buildExpression(_ capture: CaptureErrors) -> Pipeline<Captured> { Pipeline(capture: capture) }

    public static func buildExpression(_ flush: FlushReports) -> Pipeline<Flushed> { Pipeline(flush: flush) }

    // MARK: Legal order

    public static func buildPartialBlock(first: Pipeline<Steps>) -> Pipeline<Steps> { first }

    public static func buildPartialBlock(first: Pipeline<Routes>) -> Pipeline<Routes> { first }

    public static func buildPartialBlock(
        accumulated: Pipeline<Steps>, next: Pipeline<Steps>
    ) -> Pipeline<Steps> { accumulated.followed(by: next, as: Steps.self) }

    public static func buildPartialBlock(
        accumulated: Pipeline<Steps>, next: Pipeline<Routes>
    ) -> Pipeline<Routed> { accumulated.followed(by: next, as: Routed.self) }

    public static func buildPartialBlock(
        accumulated: Pipeline<Routes>, next: Pipeline<Routes>
    ) -> Pipeline<Routes> { accumulated.followed(by: next, as: Routes.self) }

    public static func buildPartialBlock(
        accumulated: Pipeline<Routed>, next: Pipeline<Routes>
    ) -> Pipeline<Routed> { accumulated.followed(by: next, as: Routed.self) }

    public static func buildPartialBlock(
        accumulated: Pipeline<Routes>, next: Pipeline<Captured>
    ) -> Pipeline<Captured> { accumulated.followed(by: next, as: Captured.self) }

    public static func buildPartialBlock(
        accumulated: Pipeline<Routed>, next: Pipeline<Captured>
    ) -> Pipeline<Captured> { accumulated.followed(by: next, as: Captured.self) }

    public static func buildPartialBlock(
        accumulated: Pipeline<Captured>, next: Pipeline<Flushed>
    ) -> Pipeline<Flushed> { accumulated.followed(by: next, as: Flushed.self) }

    // MARK: Branches and loops

    public static func buildOptional(_ part: Pipeline<Steps>?) -> Pipeline<Steps> { part ?? Pipeline() }

    public static func buildEither(first: Pipeline<Steps>) -> Pipeline<Steps> { first }

    public static func buildEither(second: Pipeline<Steps>) -> Pipeline<Steps> { second }

    public static func buildArray(_ parts: [Pipeline<Steps>]) -> Pipeline<Steps> {
        Pipeline(middleware: parts.flatMap(\.middleware))
    }

    public static func buildLimitedAvailability(_ part: Pipeline<Steps>) -> Pipeline<Steps> { part }

    public static func buildOptional(_ part: Pipeline<Routes>?) -> Pipeline<Routes> { part ?? Pipeline() }

    public static func buildEither(first: Pipeline<Routes>) -> Pipeline<Routes> { first }

    public static func buildEither(second: Pipeline<Routes>) -> Pipeline<Routes> { second }

    public static func buildArray(_ parts: [Pipeline<Routes>]) -> Pipeline<Routes> {
        Pipeline(routers: parts.flatMap(\.routers))
    }

    public static func buildLimitedAvailability(_ part: Pipeline<Routes>) -> Pipeline<Routes> { part }

    // MARK: The end

    public static func buildFinalResult(_ whole: Pipeline<Routes>) -> CompletePipeline { CompletePipeline(whole) }

    public static func buildFinalResult(_ whole: Pipeline<Routed>) -> CompletePipeline { CompletePipeline(whole) }

    public static func buildFinalResult(_ whole: Pipeline<Captured>) -> CompletePipeline { CompletePipeline(whole) }

    public static func buildFinalResult(_ whole: Pipeline<Flushed>) -> CompletePipeline { CompletePipeline(whole) }
}
