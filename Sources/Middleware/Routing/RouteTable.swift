internal import HTTPTypes
internal import SluiceCore
internal import SluiceStreaming

/// All routers of an app as one: answers a request, or throws the 404 and 405 that the chain then dresses. A class: each request asks it.
package final class RouteTable: Sendable {
    private let trie: RouteTrie
    /// Asked where no route is; a trie of its own, as they stand in nobody's way.
    private let fallbacks: RouteTrie
    /// Of each route, in the order of the tries.
    private let targets: [Target]
    private let fallbackTargets: [Target]
    private let responder: ErrorResponder

    /// A route as each request of it needs it: one reference.
    private final class Target: Sendable {
        let links: Links
        let description: String
        let pattern: String
        let names: [String]
        /// What all requests get, where the pattern has no parameters.
        let match: RouteMatch

        init(_ route: Route, _ responder: @escaping ErrorResponder) {
            links = Links(route.middleware, responder: responder, .handler(route.handler))
            (description, pattern, names) = (route.description, route.pattern.text, route.names)
            match = RouteMatch(pattern, Parameters())
        }
    }

    package init(_ routers: [Router], responder: @escaping ErrorResponder = problemResponse) {
        trie = RouteTrie(routers.flatMap(\.routes))
        fallbacks = RouteTrie(routers.flatMap(\.fallbacks))
        targets = trie.routes.map { Target($0, responder) }
        fallbackTargets = fallbacks.routes.map { Target($0, responder) }
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
        if let match { return await run(targets[match.route], match.captured, request) }
        let allowed = allowedMethods(segments)
        guard !allowed.isEmpty else {
            guard let match = fallbacks.match(segments, pick: \.first) else { throw HTTPError(.notFound) }
            return await run(fallbackTargets[match.route], match.captured, request)
        }
        if request.method == .options { return Response(status: .noContent, headers: [.allow: allowed]) }
        var response = responder(HTTPError(.methodNotAllowed), request)
        response.error = HTTPError(.methodNotAllowed)
        response.headers[.allow] = allowed
        return response
    }

    private func run(_ target: Target, _ captured: [String], _ request: Request) async -> Response {
        if let scope = InvocationScope.current {
            scope.follower?.matched(target.description)
            scope.state.addRouteToLogContext(target.pattern)
        }
        var request = request
        let parameters =
            captured.isEmpty ? request.parameters : Parameters(zip(target.names, captured).map { (name: $0, value: $1) })
        request.match = parameters.pairs.isEmpty ? target.match : RouteMatch(target.pattern, parameters)
        var response = await Next(target.links)(request)
        response.route = target.pattern
        return response
    }

    /// The path's segments, each decoded once, so that `%2F` never splits one.
    private static func segments(of path: String) throws -> [String] {
        var segments: [String] = []
        var path = path
        try path.withUTF8 { bytes in
            var rest = bytes.dropFirst()
            while true {
                let end = rest.firstIndex(of: 0x2F) ?? rest.endIndex
                guard let text = PercentEncoding.decode(UnsafeBufferPointer(rebasing: rest[..<end])) else {
                    throw HTTPError(.badRequest, "the path's percent-encoding is broken")
                }
                segments.append(text)
                if end == rest.endIndex { return }
                rest = rest[rest.index(after: end)...]
            }
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
