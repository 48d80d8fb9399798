public import HTTPTypes
internal import SluiceCore

/// The routes of an app: a method, a path pattern and a handler each.
///
/// A pattern's segments are literal, `{name}` (one segment, not empty) or, at the end, `{name*}` (all that is left, may be
/// empty). A literal wins over a parameter and a parameter over a catch-all, whichever was registered first. Paths are case
/// sensitive, and `/a/` is not `/a`. A route counts for its own method only: where the best fit has not the method, the next best
/// is asked, and a 405 is left for when none has it. HEAD is answered by GET routes, OPTIONS with `Allow`, unless a route says otherwise.
public struct Router: Sendable {
    private(set) var routes: [Route] = []
    private(set) var fallbacks: [Route] = []
    private let prefix: String
    /// Why no route of this group can be served; nil when they can.
    private var problem: String?
    private let middleware: [any Middleware]

    /// A router without routes.
    public init() {
        prefix = ""
        middleware = []
    }

    private init(prefix: String, middleware: [any Middleware]) {
        self.prefix = prefix
        self.middleware = middleware
    }

    /// Routes below a common path, with middleware of their own that runs inside the app's.
    ///
    /// ```swift
    /// routes.group("/admin", RequireRole(.admin)) { admin in
    ///     admin.get("/users") { request in … }
    /// }
    /// ```
    /// - Parameters:
    ///   - path: Put before each route's path; may hold `{name}`. Empty or `/` adds nothing.
    public mutating func group(
        _ path: String, _ middleware: any Middleware..., routes build: (inout Router) throws -> Void
    ) rethrows {
        let trimmed = path.hasSuffix("/") ? String(path.dropLast()) : path
        var inner = Router(prefix: prefix + trimmed, middleware: self.middleware + middleware)
        // Without its slash it would join the segment before it.
        inner.problem = trimmed.isEmpty || trimmed.hasPrefix("/") ? problem : "a group's path begins with '/'"
        try build(&inner)
        routes += inner.routes
        fallbacks += inner.fallbacks
    }

    /// Puts the routes of another router below a path, its fallback included: `routes.mount("/api", orders)`.
    ///
    /// What the other router's routes have around them stays, inside of what is around here.
    /// - Parameter path: As of ``group(_:_:routes:)``.
    public mutating func mount(_ path: String, _ other: Router) {
        group(path) { inner in
            for route in other.routes { inner.add(route) }
            for fallback in other.fallbacks { inner.addFallback(fallback) }
        }
    }

    /// Handles what no route does: the 404s below this router's path, or group's. Of several the one with the longest path is asked.
    ///
    /// A path that fits, but nowhere with this method, is still a 405.
    public mutating func fallback<R: ResponseConvertible>(
        _ handler: @escaping @Sendable (Request) async throws -> R
    ) {
        let pattern = PathPattern("/{path*}", below: prefix)
        fallbacks.append(
            Route(method: .get, pattern: pattern, middleware: middleware) { request in
                try await handler(request).response(for: request)
            })
    }

    private mutating func add(_ route: Route) {
        var pattern = PathPattern(route.pattern.text, below: prefix)
        pattern.problem = problem ?? route.pattern.problem ?? pattern.problem
        routes.append(
            Route(method: route.method, pattern: pattern, middleware: middleware + route.middleware, handler: route.handler))
    }

    private mutating func addFallback(_ route: Route) {
        fallbacks.append(
            Route(
                method: route.method, pattern: PathPattern(route.pattern.text, below: prefix),
                middleware: middleware + route.middleware, handler: route.handler))
    }

    @usableFromInline
    mutating func add(
        _ method: HTTPRequest.Method, _ path: String, _ handler: @escaping @Sendable (Request) async throws -> Response
    ) {
        var pattern = PathPattern(path, below: prefix)
        pattern.problem = problem ?? pattern.problem
        routes.append(
            Route(method: method, pattern: pattern, middleware: middleware, handler: handler))
    }
}
