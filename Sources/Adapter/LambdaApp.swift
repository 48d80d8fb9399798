internal import Logging
public import SluiceMiddleware
internal import SluiceReporting

/// An HTTP app for AWS Lambda: middleware, routes, `CaptureErrors` and `FlushReports`, in this order.
///
/// ```swift
/// try await LambdaApp {
///     RequestID()
///     routes
///     CaptureErrors()
///     FlushReports(within: .seconds(2))
/// }.run()
/// ```
/// The list reads downwards like the trip of an invocation, and the compiler checks its order. An app that names neither of
/// the last two has both.
public struct LambdaApp: Sendable {
    let chain: Chain

    /// Builds an app from its list; nothing runs yet.
    ///
    /// - Parameters:
    ///   - errorResponse: Shapes the response to an error; ``problemResponse(to:for:)`` unless replaced.
    ///   - json: How JSON is written and read; ``JSONCoders/standard`` unless given.
    ///   - pipeline: The app's list.
    public init(
        errorResponse: @escaping ErrorResponder = problemResponse(to:for:), json: JSONCoders? = nil,
        @PipelineBuilder _ pipeline: () throws -> CompletePipeline
    ) rethrows {
        chain = Chain(try pipeline(), responder: errorResponse, json: json)
    }

    /// Runs the pipeline in this process, for tests: what a client would get under buffered mode.
    ///
    /// A streamed body is collected, whatever its size. What was thrown is in the response's ``Response/error``; so is what ``validate()``
    /// would throw, in a 500: an app that cannot start answers nothing.
    public func respond(to request: Request) async -> Response {
        let reporter = Reporters(Logger(label: "sluice"), chain.reporters.resolved([:]))
        let state = InvocationScope.State()
        let scope = InvocationScope(
            requestID: request.id, deadline: request.deadline, state: state,
            follower: Reports.follower(of: state, for: reporter))
        return await InvocationScope.$current.withValue(scope) {
            if let problem = chain.problems.first {
                let response = chain.response(to: problem, of: Response(), to: request)
                await chain.complete(response, of: request, reporter)
                return response
            }
            let response = await chain.collected(await chain.respond(to: request), to: request, limit: .max)
            await chain.complete(response, of: request, reporter)
            return response
        }
    }

    /// What would stop start-up, the first of it: two routes that answer the same requests, or a pattern that cannot be read.
    ///
    /// - Throws: ``RouteError``.
    public func validate() throws {
        if let problem = chain.problems.first { throw problem }
    }
}
