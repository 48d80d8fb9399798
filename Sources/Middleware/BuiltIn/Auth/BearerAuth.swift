internal import HTTPTypes
internal import SluiceCore

/// Takes a bearer token (RFC 6750), and hands down who that is: `request.principal(User.self)`.
///
/// A request without a token is a 401 with the bare challenge, one with a wrong token a 401 with `error="invalid_token"`, one
/// whose token is no token a 400 with `error="invalid_request"`.
public struct BearerAuth<Principal: Sendable>: Middleware {
    private let authentication: Authentication
    private let check: @Sendable (_ token: String) async throws -> Principal?

    /// - Parameters:
    ///   - realm: What the token is for.
    ///   - isRequired: Whether a request without a token is refused; else it goes on with nobody. A wrong one is refused always.
    ///   - check: Whose token this is; nil for nobody's. Compare with `isEqual(inConstantTime:)`. What it throws is the response: a
    ///     403 for what the token may not do, say.
    public init(
        realm: String = "api", isRequired: Bool = true,
        _ check: @escaping @Sendable (_ token: String) async throws -> Principal?
    ) {
        authentication = Authentication(challenge: "Bearer realm=\(Authentication.quoted(realm))", isRequired: isRequired)
        self.check = check
    }

    /// Runs the rest with the principal.
    ///
    /// - Throws: ``HTTPError``, a 401 or a 400 with `WWW-Authenticate`.
    @inline(__always)
    public func handle(_ request: Request, next: Next) async throws -> Response {
        guard let credentials = Credentials(request, scheme: "Bearer") else {
            try authentication.refuse()
            return await next(request)
        }
        guard Self.isToken(credentials.token) else {
            throw HTTPError(
                .badRequest, "the bearer token is malformed",
                headers: [.wwwAuthenticate: authentication.challenge + ", error=\"invalid_request\""])
        }
        guard let principal = try await check(credentials.token) else {
            throw HTTPError(
                .unauthorized, headers: [.wwwAuthenticate: authentication.challenge + ", error=\"invalid_token\""])
        }
        var request = request
        request.setPrincipal(principal)
        return await next(request)
    }

    /// `b64token` of RFC 6750, section 2.1.
    private static func isToken(_ text: String) -> Bool {
        let body = text.utf8.prefix { $0 != 0x3D }
        return !body.isEmpty && text.utf8.dropFirst(body.count).allSatisfy { $0 == 0x3D }
            && body.allSatisfy { octet in
                switch octet {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E, 0x2B, 0x2F: true
                default: false
                }
            }
    }
}
