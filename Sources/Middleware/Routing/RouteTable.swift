internal import HTTPTypes
internal import SluiceCore
internal import SluiceStreaming

/// All routers of an app as one: answers a request, or throws the 404 and 405 that the chain then dresses.
package struct RouteTable: Sendable {
    private let trie: RouteTrie
    /// Asked where no route is; a trie of its own, as they stand in nobody's way.
    private let fallbacks: RouteTrie
    /// Of each route, in the order of the tries.
    private let links: [Links]
    private let fallbackLinks: [Links]
    private let responder: ErrorResponder

    package init(_ routers: [Router], responder: @escaping ErrorResponder = problemResponse) {
        func links(_ trie: RouteTrie) -> [Links] {
            trie.routes.map { Links($0.middleware, responder: responder, handler: $0.handler) }
        }
        trie = RouteTrie(routers.flatMap(\.routes))
        fallbacks = RouteTrie(routers.flatMap(\.fallbacks))
        self.links = links(trie)
        fallbackLinks = links(fallbacks)
        self.responder = responder
    }

    /// What must stop start-up: duplicates and patterns that cannot be read.
    package var problems: [RouteError] { trie.problems + fallbacks.problems }

    /// That of all groups; what stands around several routes is there as often.
    var middleware: [any Middleware] { (trie.routes + fallbacks.routes).flatMap(\.middleware) }

    func handle(_ request: Request) async throws -> Response {
        let segments = try Self.segments(of: request.rawPath)
        // HEAD is GET without its body, unless the same place has a route for it; the body is dropped further up.
        let match = trie.match(segments) { routes in
            trie.route(for: request.method, among: routes)
                ?? (request.method == .head ? trie.route(for: .get, among: routes) : nil)
        }
        if let match { return await run(match, trie.routes[match.route], links[match.route], request) }
        let allowed = allowedMethods(segments)
        guard !allowed.isEmpty else {
            guard let match = fallbacks.match(segments, pick: \.first) else { throw HTTPError(.notFound) }
            return await run(match, fallbacks.routes[match.route], fallbackLinks[match.route], request)
        }
        if request.method == .options { return Response(status: .noContent, headers: [.allow: allowed]) }
        var response = responder(HTTPError(.methodNotAllowed), request)
        response.error = HTTPError(.methodNotAllowed)
        response.headers[.allow] = allowed
        return response
    }

    private func run(
        _ match: RouteTrie.Match, _ route: Route, _ links: Links, _ request: Request
    ) async -> Response {
        if let scope = InvocationScope.current {
            scope.follower?.matched(route.description)
            scope.state.addRouteToLogContext(route.pattern.text)
        }
        var request = request
        request.route = route.pattern.text
        if !match.captured.isEmpty {
            request.parameters = Parameters(zip(route.names, match.captured).map { (name: $0, value: $1) })
        }
        var response = await Next(links)(request)
        response.route = request.route
        return response
    }

    /// The path's segments, each decoded once, so that `%2F` never splits one.
    private static func segments(of path: String) throws -> [String] {
        var segments: [String] = []
        try PathSegments.forEach(in: path) { (part) throws(HTTPError) in
            guard let text = PercentEncoding.decode(part) else {
                throw HTTPError(.badRequest, "the path's percent-encoding is broken")
            }
            segments.append(text)
        }
        return segments
    }

    private func allowedMethods(_ segments: [String]) -> String {
        var methods: Set<String> = []
        // A pick that takes nothing is asked at every place that the path fits.
        _ = trie.match(segments) { routes in
            for route in routes { methods.insert(trie.routes[route].method.rawValue) }
            return nil
        }
        guard !methods.isEmpty else { return "" }
        if methods.contains("GET") { methods.insert("HEAD") }
        methods.insert("OPTIONS")
        return methods.sorted().joined(separator: ", ")
    }
}
