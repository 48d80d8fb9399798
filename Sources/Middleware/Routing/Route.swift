internal import HTTPTypes

/// One line of the route table.
struct Route: Sendable {
    let method: HTTPRequest.Method
    let pattern: PathPattern
    /// From the groups around it, outermost first.
    var middleware: [any Middleware]
    let handler: @Sendable (Request) async throws -> Response

    /// Of the pattern's parameters, in order.
    let names: [String]

    /// As `GET /orders/{id}`: the name that reports give to its requests.
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
