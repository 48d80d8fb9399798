internal import HTTPTypes

/// One line of the route table.
struct Route: Sendable {
    let method: HTTPRequest.Method
    let pattern: PathPattern
    /// The middleware of the groups around it, outermost first.
    var middleware: [any Middleware]
    let handler: @Sendable (Request) async throws -> Response

    /// The names of the pattern's parameters, in order.
    let names: [String]

    /// The name that reports give to its requests, as `GET /orders/{id}`.
    let description: String

    init(
        method: HTTPRequest.Method, pattern: PathPattern, middleware: [any Middleware],
        handler: @escaping @Sendable (Request) async throws -> Response
    ) {
        self.method = method
        self.pattern = pattern
        self.middleware = middleware
        self.handler = handler
        names = pattern.names
        description = "\(method.rawValue) \(pattern.text)"
    }
}

/// A route that cannot be served; stops start-up.
public struct RouteError: Error, Equatable, CustomStringConvertible {
    /// What is wrong and which routes are concerned.
    public let description: String
}
