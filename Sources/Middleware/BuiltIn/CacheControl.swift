internal import HTTPTypes

/// Says how long a response may be kept: sets `Cache-Control` on responses to GET and HEAD that are a success or a 304, and have none.
///
/// - SeeAlso: RFC 9111, section 5.2.
public struct CacheControl: Middleware {
    private let field: HTTPField
    private static let forOneClient = HTTPField(name: .cacheControl, value: "no-store")

    /// - Parameter value: Directives, as `public, max-age=60`, or `no-store`.
    public init(_ value: String) { field = HTTPField(name: .cacheControl, value: value) }

    /// Runs the rest and sets the header. What sets a cookie is for one client: nobody else may keep it (RFC 9111, section 7.3).
    @inline(__always)
    public func handle(_ request: Request, next: Next) async throws -> Response {
        var response = await next(request)
        guard request.method == .get || request.method == .head, !response.headers.has(.cacheControl),
            response.status.kind == .successful || response.status == .notModified
        else { return response }
        response.headers.append(response.headers.has(.setCookie) ? Self.forOneClient : field)
        return response
    }
}
