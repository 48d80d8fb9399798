// Every other order, as an unavailable overload with its reason: the compiler then says why in words. An order that merely
// had no overload would end in "no exact matches". `CaptureErrors` and `FlushReports` are not middleware, for this reason: the
// solver prefers an available generic to an unavailable specific overload, and two wrong orders would compile.

extension PipelineBuilder {
    /// An empty list.
    @available(*, unavailable, message: "an app needs at least its routes, or its events: LambdaApp { routes }")
    public static func buildBlock() -> Pipeline<PipelinePhase.Routes> { Pipeline() }

    /// A line of another kind.
    @_disfavoredOverload
    @available(
        *, unavailable,
        message:
            "a line is a Middleware, a Router, Events, CaptureErrors() or FlushReports(), or an optional of the first three, or an array of the first two"
    )
    public static func buildExpression<T>(_ other: T) -> Pipeline<PipelinePhase.Middleware> { Pipeline() }

    /// Capture with nothing above it.
    @available(*, unavailable, message: "CaptureErrors() covers what stands above it: put it below the routes")
    public static func buildPartialBlock(first: Pipeline<PipelinePhase.Captured>) -> Pipeline<PipelinePhase.Captured> { first }

    /// Flush with nothing above it.
    @available(*, unavailable, message: "FlushReports() goes last, after the routes and CaptureErrors()")
    public static func buildPartialBlock(first: Pipeline<PipelinePhase.Flushed>) -> Pipeline<PipelinePhase.Flushed> { first }

    /// Captured after PipelinePhase.Middleware.
    @available(*, unavailable, message: "CaptureErrors() covers what the routes produce: put the routes above it")
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Middleware>, next: Pipeline<PipelinePhase.Captured>
    ) -> Pipeline<PipelinePhase.Captured> { Pipeline() }

    /// Flushed after PipelinePhase.Middleware.
    @available(*, unavailable, message: "FlushReports() goes last, after the routes and CaptureErrors()")
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Middleware>, next: Pipeline<PipelinePhase.Flushed>
    ) -> Pipeline<PipelinePhase.Flushed> { Pipeline() }

    /// Steps after PipelinePhase.Routes.
    @available(*, unavailable, message: "middleware goes above the routes: a request has been answered when it comes here")
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Routes>, next: Pipeline<PipelinePhase.Middleware>
    ) -> Pipeline<PipelinePhase.Routed> { Pipeline() }

    /// Steps after PipelinePhase.Routed.
    @available(*, unavailable, message: "middleware goes above the routes: a request has been answered when it comes here")
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Routed>, next: Pipeline<PipelinePhase.Middleware>
    ) -> Pipeline<PipelinePhase.Routed> { Pipeline() }

    /// Flushed after PipelinePhase.Routes.
    @available(*, unavailable, message: "FlushReports() delivers what CaptureErrors() captured: put CaptureErrors() above it")
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Routes>, next: Pipeline<PipelinePhase.Flushed>
    ) -> Pipeline<PipelinePhase.Flushed> { Pipeline() }

    /// Flushed after PipelinePhase.Routed.
    @available(*, unavailable, message: "FlushReports() delivers what CaptureErrors() captured: put CaptureErrors() above it")
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Routed>, next: Pipeline<PipelinePhase.Flushed>
    ) -> Pipeline<PipelinePhase.Flushed> { Pipeline() }

    /// Steps after PipelinePhase.Captured.
    @available(
        *, unavailable,
        message: "middleware goes above the routes: CaptureErrors() covers everything above it, and nothing below"
    )
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Captured>, next: Pipeline<PipelinePhase.Middleware>
    ) -> Pipeline<PipelinePhase.Captured> { Pipeline() }

    /// Routes after PipelinePhase.Captured.
    @available(*, unavailable, message: "routes go above CaptureErrors(): it covers everything above it, and nothing below")
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Captured>, next: Pipeline<PipelinePhase.Routes>
    ) -> Pipeline<PipelinePhase.Captured> { Pipeline() }

    /// Captured after PipelinePhase.Captured.
    @available(*, unavailable, message: "an app has one CaptureErrors()")
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Captured>, next: Pipeline<PipelinePhase.Captured>
    ) -> Pipeline<PipelinePhase.Captured> { Pipeline() }

    /// Steps after PipelinePhase.Flushed.
    @available(
        *, unavailable,
        message:
            "nothing goes after FlushReports(): an error of this middleware would be captured too late to leave; put it above the routes"
    )
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Flushed>, next: Pipeline<PipelinePhase.Middleware>
    ) -> Pipeline<PipelinePhase.Flushed> { Pipeline() }

    /// Routes after PipelinePhase.Flushed.
    @available(
        *, unavailable,
        message:
            "nothing goes after FlushReports(): an error of these routes would be captured too late to leave; put them above CaptureErrors()"
    )
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Flushed>, next: Pipeline<PipelinePhase.Routes>
    ) -> Pipeline<PipelinePhase.Flushed> { Pipeline() }

    /// Captured after PipelinePhase.Flushed.
    @available(
        *, unavailable,
        message:
            "CaptureErrors() goes before FlushReports(): what is captured after the flush stays behind when the sandbox freezes"
    )
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Flushed>, next: Pipeline<PipelinePhase.Captured>
    ) -> Pipeline<PipelinePhase.Flushed> { Pipeline() }

    /// Flushed after PipelinePhase.Flushed.
    @available(*, unavailable, message: "an app has one FlushReports()")
    public static func buildPartialBlock(
        accumulated: Pipeline<PipelinePhase.Flushed>, next: Pipeline<PipelinePhase.Flushed>
    ) -> Pipeline<PipelinePhase.Flushed> { Pipeline() }

    /// Routed in a branch or a loop.
    @available(
        *, unavailable,
        message:
            "a branch or a loop holds middleware or routes, not both: this middleware would run before all routes, not only these; split it, or use a group"
    )
    public static func buildOptional(_ part: Pipeline<PipelinePhase.Routed>?) -> Pipeline<PipelinePhase.Routes> { Pipeline() }

    /// Routed in a branch or a loop.
    @available(
        *, unavailable,
        message:
            "a branch or a loop holds middleware or routes, not both: this middleware would run before all routes, not only these; split it, or use a group"
    )
    public static func buildEither(first: Pipeline<PipelinePhase.Routed>) -> Pipeline<PipelinePhase.Routes> { Pipeline() }

    /// Routed in a branch or a loop.
    @available(
        *, unavailable,
        message:
            "a branch or a loop holds middleware or routes, not both: this middleware would run before all routes, not only these; split it, or use a group"
    )
    public static func buildEither(second: Pipeline<PipelinePhase.Routed>) -> Pipeline<PipelinePhase.Routes> { Pipeline() }

    /// Routed in a branch or a loop.
    @available(
        *, unavailable,
        message:
            "a branch or a loop holds middleware or routes, not both: this middleware would run before all routes, not only these; split it, or use a group"
    )
    public static func buildArray(_ parts: [Pipeline<PipelinePhase.Routed>]) -> Pipeline<PipelinePhase.Routes> { Pipeline() }

    /// Routed in a branch or a loop.
    @available(
        *, unavailable,
        message:
            "a branch or a loop holds middleware or routes, not both: this middleware would run before all routes, not only these; split it, or use a group"
    )
    public static func buildLimitedAvailability(_ part: Pipeline<PipelinePhase.Routed>) -> Pipeline<PipelinePhase.Routes> {
        Pipeline()
    }

    /// Captured in a branch or a loop.
    @available(
        *, unavailable,
        message: "CaptureErrors() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildOptional(_ part: Pipeline<PipelinePhase.Captured>?) -> Pipeline<PipelinePhase.Captured> {
        Pipeline()
    }

    /// Captured in a branch or a loop.
    @available(
        *, unavailable,
        message: "CaptureErrors() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildEither(first: Pipeline<PipelinePhase.Captured>) -> Pipeline<PipelinePhase.Captured> { Pipeline() }

    /// Captured in a branch or a loop.
    @available(
        *, unavailable,
        message: "CaptureErrors() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildEither(second: Pipeline<PipelinePhase.Captured>) -> Pipeline<PipelinePhase.Captured> { Pipeline() }

    /// Captured in a branch or a loop.
    @available(
        *, unavailable,
        message: "CaptureErrors() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildArray(_ parts: [Pipeline<PipelinePhase.Captured>]) -> Pipeline<PipelinePhase.Captured> {
        Pipeline()
    }

    /// Captured in a branch or a loop.
    @available(
        *, unavailable,
        message: "CaptureErrors() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildLimitedAvailability(_ part: Pipeline<PipelinePhase.Captured>) -> Pipeline<PipelinePhase.Captured> {
        Pipeline()
    }

    /// Flushed in a branch or a loop.
    @available(
        *, unavailable,
        message: "FlushReports() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildOptional(_ part: Pipeline<PipelinePhase.Flushed>?) -> Pipeline<PipelinePhase.Flushed> { Pipeline() }

    /// Flushed in a branch or a loop.
    @available(
        *, unavailable,
        message: "FlushReports() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildEither(first: Pipeline<PipelinePhase.Flushed>) -> Pipeline<PipelinePhase.Flushed> { Pipeline() }

    /// Flushed in a branch or a loop.
    @available(
        *, unavailable,
        message: "FlushReports() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildEither(second: Pipeline<PipelinePhase.Flushed>) -> Pipeline<PipelinePhase.Flushed> { Pipeline() }

    /// Flushed in a branch or a loop.
    @available(
        *, unavailable,
        message: "FlushReports() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildArray(_ parts: [Pipeline<PipelinePhase.Flushed>]) -> Pipeline<PipelinePhase.Flushed> { Pipeline() }

    /// Flushed in a branch or a loop.
    @available(
        *, unavailable,
        message: "FlushReports() is never conditional: an error must not depend on it; switch its options instead"
    )
    public static func buildLimitedAvailability(_ part: Pipeline<PipelinePhase.Flushed>) -> Pipeline<PipelinePhase.Flushed> {
        Pipeline()
    }

    /// Middleware alone.
    @available(*, unavailable, message: "an app needs routes: put a Router, or Events, below its middleware")
    public static func buildFinalResult(_ whole: Pipeline<PipelinePhase.Middleware>) -> CompletePipeline {
        CompletePipeline(whole)
    }
}
