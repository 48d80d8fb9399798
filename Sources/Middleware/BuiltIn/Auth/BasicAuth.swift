internal import HTTPTypes
internal import SluiceCore

/// Asks for a name and a password (RFC 7617), and hands down who that is: `request.principal(User.self)`.
///
/// A missing or wrong pair is a 401 with the challenge. The password travels in the clear, in each request: over HTTPS only, which a
/// Function URL is.
public struct BasicAuth<Principal: Sendable>: Middleware {
    private let authentication: Authentication
    private let check: @Sendable (_ name: String, _ password: String) async throws -> Principal?

    /// - Parameters:
    ///   - realm: What the password is for; browsers show it.
    ///   - isRequired: Whether a request without credentials is refused; else it goes on with nobody. Wrong ones are refused always.
    ///   - check: Who has this name and password; nil for nobody. Compare with `isEqual(inConstantTime:)`. What it throws is
    ///     the response.
    public init(
        realm: String, isRequired: Bool = true,
        _ check: @escaping @Sendable (_ name: String, _ password: String) async throws -> Principal?
    ) {
        authentication = Authentication(
            challenge: "Basic realm=\(Authentication.quoted(realm)), charset=\"UTF-8\"", isRequired: isRequired)
        self.check = check
    }

    /// Runs the rest with the principal.
    ///
    /// - Throws: ``HTTPError``, a 401 with `WWW-Authenticate`.
    @inline(__always)
    public func handle(_ request: Request, next: Next) async throws -> Response {
        guard let credentials = Credentials(request, scheme: "Basic") else {
            try authentication.refuse()
            return await next(request)
        }
        guard let (name, password) = Self.pair(credentials.token), let principal = try await check(name, password) else {
            throw HTTPError(.unauthorized, headers: [.wwwAuthenticate: authentication.challenge])
        }
        var request = request
        request.setPrincipal(principal)
        return await next(request)
    }

    /// The first colon parts them: a name has none. No control characters are allowed in either.
    private static func pair(_ token: String) -> (String, String)? {
        let decoded = Array(token.utf8).withUnsafeBufferPointer { Base64.decode($0) }
        guard let decoded, let text = String(validating: decoded, as: UTF8.self), let (name, password) = text.cut(at: ":"),
            !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else { return nil }
        return (String(name), String(password))
    }
}

/// What `Authorization` holds, of one scheme.
struct Credentials {
    let token: String

    /// Nil where the request has none of this scheme.
    init?(_ request: Request, scheme: String) {
        guard let value = request.header(.authorization)?.trimmed else { return nil }
        let parts = value.split(at: " ", maxSplits: 1)
        guard let first = parts.first, first.isSame(ignoringCase: scheme) else { return nil }
        token = parts.count == 2 ? String(parts[1].trimmed) : ""
    }
}
