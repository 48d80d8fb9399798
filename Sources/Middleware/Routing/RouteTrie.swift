internal import HTTPTypes
internal import SluiceCore

/// The routes as a tree of path segments: a look-up walks the path once, however many routes there are.
///
/// At each segment a literal wins over a parameter and a parameter over a catch-all, so the order of registration never matters.
struct RouteTrie: Sendable {
    private struct Node: Sendable {
        var literals = OctetMap()
        var parameter: Int?
        var routes: [Int] = []
        var catchAlls: [Int] = []
    }

    struct Match: Sendable {
        let route: Int
        let captured: [String]
    }

    private var nodes = [Node()]
    private(set) var routes: [Route] = []
    private(set) var problems: [RouteError] = []

    init(_ routes: [Route]) {
        for route in routes { insert(route) }
    }

    private mutating func insert(_ route: Route) {
        if let problem = route.pattern.problem {
            problems.append(RouteError(description: "the route \(route.description) is not usable: \(problem)"))
            return
        }
        let index = routes.count
        var node = 0
        for segment in route.pattern.segments {
            switch segment {
            case .literal(let text): node = child(of: node, literal: text)
            case .parameter: node = parameterChild(of: node)
            case .catchAll:
                checkTwin(of: route, among: nodes[node].catchAlls)
                nodes[node].catchAlls.append(index)
                routes.append(route)
                return
            }
        }
        checkTwin(of: route, among: nodes[node].routes)
        nodes[node].routes.append(index)
        routes.append(route)
    }

    private mutating func checkTwin(of route: Route, among others: [Int]) {
        guard let twin = others.first(where: { routes[$0].method == route.method }) else { return }
        problems.append(
            RouteError(
                description: "two routes answer the same requests: \(routes[twin].description) and \(route.description)"))
    }

    func route(for method: HTTPRequest.Method, among candidates: [Int]) -> Int? {
        candidates.first { routes[$0].method == method }
    }

    private mutating func child(of node: Int, literal: String) -> Int {
        if let known = nodes[node].literals[literal] { return known }
        nodes.append(Node())
        nodes[node].literals[literal] = nodes.count - 1
        return nodes.count - 1
    }

    private mutating func parameterChild(of node: Int) -> Int {
        if let known = nodes[node].parameter { return known }
        nodes.append(Node())
        nodes[node].parameter = nodes.count - 1
        return nodes.count - 1
    }

    /// The first match in order of precedence of which `pick` takes a route: it gets those that stand at one place.
    func match(_ segments: [String], pick: ([Int]) -> Int?) -> Match? {
        var captured: [String] = []
        guard let route = find(segments[...], from: 0, &captured, pick) else { return nil }
        return Match(route: route, captured: captured)
    }

    private func find(
        _ rest: ArraySlice<String>, from index: Int, _ captured: inout [String], _ pick: ([Int]) -> Int?
    ) -> Int? {
        // The node is asked in its place: a copy of it is three references.
        guard let segment = rest.first else { return pick(nodes[index].routes) }
        if let child = nodes[index].literals[segment],
            let found = find(rest.dropFirst(), from: child, &captured, pick)
        {
            return found
        }
        if let child = nodes[index].parameter, !segment.isEmpty {
            captured.append(segment)
            if let found = find(rest.dropFirst(), from: child, &captured, pick) { return found }
            captured.removeLast()
        }
        guard let found = pick(nodes[index].catchAlls) else { return nil }
        captured.append(rest.joined(separator: "/"))
        return found
    }
}
