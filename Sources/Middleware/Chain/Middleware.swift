internal import SluiceCore

/// One step between the adapter and the route handler.
///
/// Call `next` to continue, or answer without it to stop here. Steps run in the order of the app's list; what `next` returns
/// may be changed on the way back.
public protocol Middleware: Sendable {
    /// - Throws: Whatever it likes: what it throws becomes the response, as if the handler had thrown it.
    func handle(_ request: Request, next: Next) async throws -> Response

    /// Whether this can do its work as it was made: asked once, at start-up, before the first request.
    ///
    /// - Throws: What must stop start-up: a ``MiddlewareError``, say. It is recorded, and told through `init/error`.
    func validate() throws
}

extension Middleware {
    /// Has nothing against it.
    public func validate() throws {}
}

/// The rest of the chain: a plain value, usable inside `withValue`, spans and task groups. Each call runs it once more.
public struct Next: Sendable {
    let rest: ArraySlice<any Middleware>
    let handler: @Sendable (Request) async throws -> Response
    let responder: ErrorResponder
    /// The task in which this was made: where it is called in the same one, the request's scope is that task's.
    let task = CurrentTask.id

    /// Never throws: what is thrown below comes back as a response with its ``Response/error`` set.
    public func callAsFunction(_ request: Request) async -> Response {
        // In a child task (a time-out, say): what the rest sets in its scope is the request's, not that task's alone.
        guard task != CurrentTask.id, var scope = InvocationScope.current, let outer = scope.follower, outer.isForeign else {
            return await run(request)
        }
        let fork = outer.forked()
        scope.ownFollower = fork
        let response = await InvocationScope.$current.withValue(scope) { await run(request) }
        outer.adopt(fork)
        return response
    }

    /// The response to an error in the app's own shape, its ``Response/error`` set: for who has a response to put it on, and so cannot throw it.
    public func response(to error: any Error, for request: Request) -> Response {
        Response(respondingTo: error, to: request, with: responder)
    }

    private func run(_ request: Request) async -> Response {
        do {
            guard let first = rest.first else { return try await handler(request) }
            return try await first.handle(
                request, next: Next(rest: rest.dropFirst(), handler: handler, responder: responder))
        } catch {
            return Response(respondingTo: error, to: request, with: responder)
        }
    }
}
