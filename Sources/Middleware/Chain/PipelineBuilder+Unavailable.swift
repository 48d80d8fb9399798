// Every other order, as an unavailable overload with its reason: the compiler then says why in words. An order that merely
// had no overload would end in "no exact matches". `CaptureErrors` and `FlushReports` are not middleware, for this reason: the
// solver prefers an available generic to an unavailable specific overload, and two wrong orders would compile.

extension PipelineBuilder {
    /// An empty list.
    @available(*, unavailable, message: "an app needs at least its routes: LambdaApp { routes }")
    public static func buildBlock() -> Pipeline<Routes> { Pipeline() }

    /// A line of another kind.
    @_disfavoredOverload
    @available(
        *, unavailable,
        message:
            "a line is a Middleware, a Router, CaptureErrors() or FlushReports(), or an optional or an array of the first two"
    )
    public static func buildExpression<T>(_ other: T) -> Pipeline<Steps> { Pipeline() }

    /// Capture with nothing above it.
    @available(*, unavailable, message: "CaptureErrors() covers what stands above it: put it below the routes")
    public static func buildPartialBlock(first: Pipeline<Captured>) -> Pipeline<Captured> { first }

    /// Flush with nothing above it.
    @available(*, unavailable, message: "FlushReports() goes last, after the routes and CaptureErrors()")
    public static func buildPartialBlock(first: Pipeline<Flushed>) -> Pipeline<Flushed> { first }

    /// Captured after Steps.
    @available(*, unavailable, message: "CaptureErrors() covers what the routes produce: put the routes above it")
    public static func buildPartialBlock(
        accumulated: Pipeline<Steps>, next: Pipeline<Captured>
    ) -> Pipeline<Captured> { Pipeline() }

    /// Flushed after Steps.
    @available(*, unavailable, message: "FlushReports() goes last, after the routes and CaptureErrors()")
    public static func buildPartialBlock(
        accumulated: Pipeline<Steps>, next: Pipeline<Flushed>
    ) -> Pipeline<Flushed> { Pipeline() }

    /// Steps after Routes.
    @available(*, unavailable, message: "middleware goes above the routes: a request has been answered when it comes here")
    public static func buildPartialBlock(
        accumulated: Pipeline<Routes>, next: Pipeline<Steps>
    ) -> Pipeline<Routed> { Pipeline() }

    /// Steps after Routed.
    @available(*, unavailable, message: "middleware goes above the routes: a request has been answered when it comes here")
    public static func buildPartialBlock(
        accumulated: Pipeline<Routed>, next: Pipeline<Steps>
    ) -> Pipeline<Routed> { Pipeline() }

    /// Flushed after Routes.
    @available(*, unavailable, message: "FlushReports() delivers what CaptureErrors() captured: put CaptureErrors() above it")
    public static func buildPartialBlock(
        accumulated: Pipeline<Routes>, next: Pipeline<Flushed>
    ) -> Pipeline<Flushed> { Pipeline() }

    /// Flushed after Routed.
    @available(*, unavailable, message: "FlushReports() delivers what CaptureErrors() captured: put CaptureErrors() above it")
    public static func buildPartialBlock(
        accumulated: Pipeline<Routed>, next: Pipeline<Flushed>
    ) -> Pipeline<Flushed> { Pipeline() }

    /// Steps after Captured.
    @available(
        *, unavailable,
        message: "middleware goes above the routes: CaptureErrors() covers everything above it, and nothing below"
    )
    public static func buildPartialBlock(
        accumulated: Pipeline<Captured>, next: Pipeline<Steps>
    ) -> Pipeline<Captured> { Pipeline() }

    /// Routes after Captured.
    @available(*, unavailable, message: "routes go above CaptureErrors(): it covers everything above it, and nothing below")
    public static func buildPartialBlock(
        accumulated: Pipeline<Captured>, next: Pipeline<Routes>
    ) -> Pipeline<Captured> { Pipeline() }

    /// Captured after Captured.
    @available(*, unavailable, message: "an app has one CaptureErrors()")
    public static func buildPartialBlock(
        accumulated: Pipeline<Captured>, next: Pipeline<Captured>
    ) -> Pipeline<Captured> { Pipeline() }

    /// Steps after Flushed.
    @available(
        *, unavailable,
        message:
            "nothing goes after FlushReports(): an error of this middleware would be captured too late to leave; put it above the routes"
    )
    public static func buildPartialBlock(
        accumulated: Pipeline<Flushed>, next: Pipeline<Steps>
    ) -> Pipeline<Flushed> { Pipeline() }

    /// Routes after Flushed.
    @available(
        *, unavailable,
        message:
            "nothing goes after FlushReports(): an error of these routes would be captured too late to leave; put them above CaptureErrors()"
    )
    public static func buildPartialBlock(
        accumulated: Pipeline<Flushed>, next: Pipeline<Routes>
    ) -> Pipeline<Flushed> { Pipeline() }

    /// Captured after Flushed.
    @available(
        *, unavailable,
        message:
            "CaptureErrors() goes before FlushReports(): what is captured after the flush stays behind when the sandbox freezes"
    )
    public static func buildPartialBlock(
        accumulated: Pipeline<Flushed>, next: Pipeline<Captured>
    ) -> Pipeline<Flushed> { Pipeline() }

    /// Flushed after Flushed.
    @available(*, unavailable, message: "an app has one FlushReports()")
    public static func buildPartialBlock(
        accumulated: Pipeline<Flushed>, next: Pipeline<Flushed>
    ) -> Pipeline<Flushed> { Pipeline() }

    /// Routed in a branch or a loop.
    @available(
        *, unavailable,
        message:
            "a branch or a loop holds middleware or routes, not both: this middleware would run before all routes, not only these; split it, or use a group"
    )
    public static func buildOptional(_ part: Pipeline<Routed>?) -> Pipeline<Routes> { Pipeline() }

    /// Routed in a branch or a loop.
    @available(
        *, unavailable,
        message:
            "a branch or a loop holds middleware or routes, not both: this middleware would run before all routes, not only these; split it, or use a group"
    )
    public static func buildEither(first: Pipeline<Routed>) -> Pipeline<Routes> { Pipeline() }

    /// Routed in a branch or a loop.
    @available(
        *, unavailable,
        message:
            "a branch or a loop holds middleware or routes, not both: this middleware would run before all routes, not only these; split it, or use a group"
    )
    public static func buildEither(second: Pipeline<Routed>) -> Pipeline<Routes> { Pipeline() }

    /// Routed in a branch or a loop.
    @available(
        *, unavailable,
        message:
            "a branch or a loop holds middleware or routes, not both: this middleware would run before all routes, not only these; split it, or use a group"
    )
    public static func buildArray(_ parts: [Pipeline<Routed>]) -> Pipeline<Routes> { Pipeline() }

    /// Routed in a branch or a loop.
    @available(
        *, unavailable,
        message:
            "a branch or a loop holds middleware or routes, not both: this middleware would run before all routes, not only these; split it, or use a group"
    )
    public static func buildLimitedAvailability(_ part: Pipeline<Routed>) -> Pipeline<Routes> { Pipeline() }

    /// Captured in a branch or a loop.
    @available(
        *, unavailable,
        message: "CaptureErrors() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildOptional(_ part: Pipeline<Captured>?) -> Pipeline<Captured> { Pipeline() }

    /// Captured in a branch or a loop.
    @available(
        *, unavailable,
        message: "CaptureErrors() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildEither(first: Pipeline<Captured>) -> Pipeline<Captured> { Pipeline() }

    /// Captured in a branch or a loop.
    @available(
        *, unavailable,
        message: "CaptureErrors() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildEither(second: Pipeline<Captured>) -> Pipeline<Captured> { Pipeline() }

    /// Captured in a branch or a loop.
    @available(
        *, unavailable,
        message: "CaptureErrors() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildArray(_ parts: [Pipeline<Captured>]) -> Pipeline<Captured> { Pipeline() }

    /// Captured in a branch or a loop.
    @available(
        *, unavailable,
        message: "CaptureErrors() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildLimitedAvailability(_ part: Pipeline<Captured>) -> Pipeline<Captured> { Pipeline() }

    /// Flushed in a branch or a loop.
    @available(
        *, unavailable,
        message: "FlushReports() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildOptional(_ part: Pipeline<Flushed>?) -> Pipeline<Flushed> { Pipeline() }

    /// Flushed in a branch or a loop.
    @available(
        *, unavailable,
        message: "FlushReports() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildEither(first: Pipeline<Flushed>) -> Pipeline<Flushed> { Pipeline() }

    /// Flushed in a branch or a loop.
    @available(
        *, unavailable,
        message: "FlushReports() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildEither(second: Pipeline<Flushed>) -> Pipeline<Flushed> { Pipeline() }

    /// Flushed in a branch or a loop.
    @available(
        *, unavailable,
        message: "FlushReports() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildArray(_ parts: [Pipeline<Flushed>]) -> Pipeline<Flushed> { Pipeline() }

    /// Flushed in a branch or a loop.
    @available(
        *, unavailable,
        message: "FlushReports() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildLimitedAvailability(_ part: Pipeline<Flushed>) -> Pipeline<Flushed> { Pipeline() }

    /// Middleware alone.
    @available(*, unavailable, message: "an app needs routes: put a Router below its middleware")
    public static func buildFinalResult(_ whole: Pipeline<Steps>) -> CompletePipeline { CompletePipeline(whole) }
}
