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
    private let links: Links
    /// Of the middleware that runs next; the handler behind the last one.
    private let place: Int
    /// The task in which this was made: where it is called in the same one, the request's scope is that task's.
    private let task: UInt64

    /// The whole of the links.
    init(_ links: Links) { self.init(links, 0, CurrentTask.id) }

    private init(_ links: Links, _ place: Int, _ task: UInt64) { (self.links, self.place, self.task) = (links, place, task) }

    /// Never throws: what is thrown below comes back as a response with its ``Response/error`` set.
    public func callAsFunction(_ request: Request) async -> Response {
        let task = CurrentTask.id
        if task != self.task, let outer = Self.foreignFollower() { return await fork(outer, request) }
        // One function, and few values in it: this and a middleware's own are the two frames that each link costs. (So the shipped
        // ones are inlined into their witnesses, but for those whose work is far more than a frame.)
        do {
            guard place < links.middleware.count else {
                switch links.end {
                case .routes(let table): return try await table.handle(request)
                case .handler(let handler): return try await handler(request)
                }
            }
            return try await links.middleware[place].handle(request, next: Next(links, place + 1, task))
        } catch {
            return Response(respondingTo: error, to: request, with: links.responder)
        }
    }

    /// Who follows the request, where that is not the current task's own. Apart, as a scope is large.
    @inline(never)
    private static func foreignFollower() -> (any ScopeFollower)? {
        guard let follower = InvocationScope.current?.follower, follower.isForeign else { return nil }
        return follower
    }

    /// In a child task (a time-out, say): what the rest sets in its scope is the request's, not that task's alone.
    private func fork(_ outer: any ScopeFollower, _ request: Request) async -> Response {
        let here = Next(links, place, CurrentTask.id)
        guard var scope = InvocationScope.current else { return await here(request) }
        let fork = outer.forked()
        scope.ownFollower = fork
        let response = await InvocationScope.$current.withValue(scope) { await here(request) }
        outer.adopt(fork)
        return response
    }

    /// The response to an error in the app's own shape, its ``Response/error`` set: for who has a response to put it on, and so cannot throw it.
    public func response(to error: any Error, for request: Request) -> Response {
        Response(respondingTo: error, to: request, with: links.responder)
    }
}

/// A list of middleware with what stands behind it: the app's, or that of one route. Made once, so that a ``Next`` is small.
final class Links: Sendable {
    /// What stands behind the middleware.
    enum End {
        case routes(RouteTable)
        case handler(@Sendable (Request) async throws -> Response)
    }

    let middleware: [any Middleware]
    let end: End
    let responder: ErrorResponder

    init(_ middleware: [any Middleware], responder: @escaping ErrorResponder, _ end: End) {
        (self.middleware, self.end, self.responder) = (middleware, end, responder)
    }
}
