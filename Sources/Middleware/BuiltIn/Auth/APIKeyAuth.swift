public import HTTPTypes

/// Takes a key from a header, and hands down who that is: `request.principal(Client.self)`.
///
/// A missing or wrong key is a 401. No scheme for this is registered; the challenge names the header.
public struct APIKeyAuth<Principal: Sendable>: Middleware {
    private let header: HTTPField.Name
    private let authentication: Authentication
    private let check: @Sendable (_ key: String) async throws -> Principal?

    /// - Parameters:
    ///   - header: Which header has the key.
    ///   - isRequired: Whether a request without a key is refused; else it goes on with nobody. A wrong one is refused always.
    ///   - check: Whose key this is; nil for nobody's. Compare with `isEqual(inConstantTime:)`. What it throws is the response.
    public init(
        header: HTTPField.Name = .apiKey, isRequired: Bool = true,
        _ check: @escaping @Sendable (_ key: String) async throws -> Principal?
    ) {
        self.header = header
        authentication = Authentication(
            challenge: "ApiKey header=\(Authentication.quoted(header.rawName))", isRequired: isRequired)
        self.check = check
    }

    /// Runs the rest with the principal.
    ///
    /// - Throws: ``HTTPError``, a 401 with `WWW-Authenticate`.
    @inline(__always)
    public func handle(_ request: Request, next: Next) async throws -> Response {
        guard let key = request.header(header) else {
            try authentication.refuse()
            return await next(request)
        }
        guard !key.isEmpty, let principal = try await check(key) else {
            throw HTTPError(.unauthorized, headers: [.wwwAuthenticate: authentication.challenge])
        }
        var request = request
        request.setPrincipal(principal)
        return await next(request)
    }
}
