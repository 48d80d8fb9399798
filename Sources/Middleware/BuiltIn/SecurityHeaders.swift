internal import HTTPTypes

/// Sets headers that make browsers careful, on every response, errors included. A header that the response has already stays.
///
/// The defaults are those that break no page: no `Content-Security-Policy`, as only you know what your pages load.
///
/// - SeeAlso: OWASP HTTP Security Response Headers Cheat Sheet.
public struct SecurityHeaders: Middleware {
    private let fields: HTTPFields
    /// A bit for each length of their names.
    private let lengths: UInt64

    /// - Parameters: nil leaves a header out.
    ///   - strictTransportSecurity: HTTPS alone, for so long: half a year.
    ///   - frameOptions: Who may show the page in a frame.
    ///   - referrerPolicy: What other sites learn of the page that led to them.
    ///   - crossOriginOpenerPolicy: Who may hold a reference to the page's window.
    ///   - crossOriginResourcePolicy: Who may embed the response without CORS. Images and fonts for other sites need `cross-origin`.
    ///   - contentSecurityPolicy: What a page may load and run: `default-src 'self'` is a good beginning.
    ///   - permissionsPolicy: Which features of the browser a page may use.
    public init(
        strictTransportSecurity: String? = "max-age=15552000; includeSubDomains", frameOptions: String? = "SAMEORIGIN",
        referrerPolicy: String? = "no-referrer", crossOriginOpenerPolicy: String? = "same-origin",
        crossOriginResourcePolicy: String? = "same-origin", contentSecurityPolicy: String? = nil,
        permissionsPolicy: String? = nil
    ) {
        var fields: HTTPFields = [:]
        fields[.strictTransportSecurity] = strictTransportSecurity
        fields[.xContentTypeOptions] = "nosniff"
        fields[.xFrameOptions] = frameOptions
        fields[.referrerPolicy] = referrerPolicy
        fields[.crossOriginOpenerPolicy] = crossOriginOpenerPolicy
        fields[.crossOriginResourcePolicy] = crossOriginResourcePolicy
        fields[.contentSecurityPolicy] = contentSecurityPolicy
        fields[.permissionsPolicy] = permissionsPolicy
        // Old filters of browsers could be turned against the page.
        fields[.xXSSProtection] = "0"
        self.fields = fields
        lengths = fields.reduce(0) { $0 | Self.bit($1.name) }
    }

    private static func bit(_ name: HTTPField.Name) -> UInt64 { 1 << UInt64(min(name.canonicalName.utf8.count, 63)) }

    /// Most names differ from all of these in their length.
    private func clashes(with name: HTTPField.Name) -> Bool {
        lengths & Self.bit(name) != 0 && fields.contains { $0.name == name }
    }

    /// Runs the rest and sets what is not there.
    @inline(__always)
    public func handle(_ request: Request, next: Next) async throws -> Response {
        var response = await next(request)
        if response.headers.contains(where: { clashes(with: $0.name) }) {
            for field in fields where !response.headers.has(field.name) { response.headers.append(field) }
        } else {
            // As a rule: the few that it has behind these.
            var headers = fields
            headers.reserveCapacity(fields.count + response.headers.count + 4)
            for field in response.headers { headers.append(field) }
            response.headers = headers
        }
        return response
    }
}
