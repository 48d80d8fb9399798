import Sluice

struct User: Sendable, Codable, Equatable {
    let name: String
}

/// Names the value that `SignIn` hands down.
enum SignedIn: RequestKey { typealias Value = User }

/// A middleware of the app's own: one type, one method.
struct SignIn: Middleware {
    let tokens: [String: User]

    func handle(_ request: Request, next: Next) async throws -> Response {
        guard let header = request.headers[.authorization], header.hasPrefix("Bearer "),
            let user = tokens[String(header.dropFirst(7))]
        else { throw HTTPError(.unauthorized, "sign in first") }
        var request = request
        request[SignedIn.self] = user
        return await next(request)
    }
}
