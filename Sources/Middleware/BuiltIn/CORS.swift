public import HTTPTypes
internal import SluiceCore

/// Lets pages of other origins read responses: answers preflights, and marks every response, errors included.
///
/// It is no protection of the app: a request of another origin runs all the same, and the browser keeps its response from the page. A
/// Function URL can do this too, with its own setting: use one of the two, as two sets of headers are none.
///
/// - SeeAlso: Fetch, "CORS protocol", <https://fetch.spec.whatwg.org/#http-cors-protocol>
public struct CORS: Middleware {
    /// Which origins may read.
    public struct Origins: Sendable {
        enum Kind: Sendable {
            case any
            case list([String])
            case predicate(@Sendable (String) -> Bool)
        }
        let kind: Kind

        /// All of them.
        public static let any = Self(kind: .any)
        /// These, as a browser writes them: scheme, host and, where it is not the scheme's own, port: `https://a.example`.
        public static func list(_ origins: [String]) -> Self { Self(kind: .list(origins)) }
        /// Those for which this is true.
        public static func `where`(_ isAllowed: @escaping @Sendable (_ origin: String) -> Bool) -> Self {
            Self(kind: .predicate(isAllowed))
        }

        func allows(_ origin: String) -> Bool {
            switch kind {
            case .any: true
            case .list(let origins): origins.contains { $0.isSame(as: origin) }
            case .predicate(let isAllowed): isAllowed(origin)
            }
        }
    }

    private let origins: Origins
    private let methods: String?
    private let headers: String?
    private let exposes: String?
    private let credentials: Bool
    private let privateNetwork: Bool
    private let maxAge: String?

    /// - Parameters:
    ///   - origins: Which origins may read responses.
    ///   - methods: Which methods pages may use.
    ///   - headers: Which headers they may send; nil for whatever a preflight asks for.
    ///   - exposes: Which headers of a response they may read, besides those that anyone may.
    ///   - credentials: Whether the browser may send cookies and the like. Not with ``Origins/any``: every site could act for your users.
    ///   - privateNetwork: Whether pages of the internet may reach this app in a private network.
    ///   - maxAge: How long a browser need not ask again; nil for its own choice.
    public init(
        origins: Origins, methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete],
        headers: [HTTPField.Name]? = nil, exposes: [HTTPField.Name] = [], credentials: Bool = false,
        privateNetwork: Bool = false, maxAge: Duration? = .seconds(600)
    ) {
        self.origins = origins
        self.methods = methods.isEmpty ? nil : Self.list(methods.map(\.rawValue))
        self.headers = headers.map { Self.list($0.map(\.rawName)) }
        self.exposes = exposes.isEmpty ? nil : Self.list(exposes.map(\.rawName))
        self.credentials = credentials
        self.privateNetwork = privateNetwork
        self.maxAge = maxAge.map { String(max(0, $0.components.seconds)) }
    }

    /// Not `joined(separator:)`: at its first call it searches the whole program for a conformance.
    private static func list(_ names: [String]) -> String {
        var list = names.first ?? ""
        for name in names.dropFirst() { list += ", " + name }
        return list
    }

    /// - Throws: ``MiddlewareError``, for credentials with any origin, and for an origin that no browser sends.
    public func validate() throws {
        switch origins.kind {
        case .any where credentials:
            throw MiddlewareError(
                "CORS(origins: .any, credentials: true) would let every site act for your users: name the origins")
        case .list(let list):
            for origin in list where origin != "null" && !Self.isOrigin(origin) {
                throw MiddlewareError(
                    "CORS: no browser sends the origin '\(origin)'; one is written 'https://a.example' or 'http://localhost:8080'"
                )
            }
        default: return
        }
    }

    /// Lower case, no path, no slash at the end, and no port that is the scheme's own.
    private static func isOrigin(_ text: String) -> Bool {
        guard let (scheme, rest) = text.cut(at: ":"), !scheme.isEmpty, rest.begins(with: "//") else { return false }
        if scheme == "https", text.hasSuffix(":443") { return false }
        if scheme == "http", text.hasSuffix(":80") { return false }
        func isLegal(_ octet: UInt8) -> Bool {
            switch octet {
            case 0x61...0x7A, 0x30...0x39, 0x2D, 0x2E, 0x5F, 0x3A, 0x5B, 0x5D: true  // a-z 0-9 - . _ : [ ]
            default: false
            }
        }
        let host = rest.utf8.dropFirst(2)
        return !host.isEmpty && host.allSatisfy(isLegal) && scheme.asciiLowercased.isSame(as: String(scheme))
    }

    /// Answers a preflight itself; runs the rest for every other request, and marks its response.
    @inline(__always)
    public func handle(_ request: Request, next: Next) async throws -> Response {
        let origin = request.header(.origin)
        if request.method == .options, let origin, request.header(.accessControlRequestMethod) != nil {
            return preflight(request, origin)
        }
        var response = await next(request)
        let isAllowed = mark(&response, for: origin)
        if let exposes, isAllowed { response.headers[.accessControlExposeHeaders] = exposes }
        return response
    }

    /// A 204 that is dressed for the origins that may ask, and bare for others.
    private func preflight(_ request: Request, _ origin: String) -> Response {
        var response = Response(status: .noContent)
        let isAllowed = mark(&response, for: origin)
        if headers == nil { response.headers.vary(by: "Access-Control-Request-Headers") }
        if privateNetwork { response.headers.vary(by: "Access-Control-Request-Private-Network") }
        guard isAllowed else { return response }
        response.headers[.accessControlAllowMethods] = methods
        let allowed = headers ?? request.header(.accessControlRequestHeaders)
        if let allowed, !allowed.isEmpty { response.headers[.accessControlAllowHeaders] = allowed }
        response.headers[.accessControlMaxAge] = maxAge
        if privateNetwork, request.header(.accessControlRequestPrivateNetwork) == "true" {
            response.headers[.accessControlAllowPrivateNetwork] = "true"
        }
        return response
    }

    /// Says who may read it. Where that depends on who asks, caches must know; where it does not, everybody is told: what a cache has of
    /// a plain request may answer one of another origin (Fetch, "CORS protocol and HTTP caches").
    private func mark(_ response: inout Response, for origin: String?) -> Bool {
        if case .any = origins.kind {
            response.headers[.accessControlAllowOrigin] = "*"
            return true
        }
        response.headers.vary(by: "Origin")
        guard let origin, origins.allows(origin) else {
            if response.headers.has(.accessControlAllowOrigin) { response.headers[.accessControlAllowOrigin] = nil }
            return false
        }
        response.headers[.accessControlAllowOrigin] = origin
        if credentials { response.headers[.accessControlAllowCredentials] = "true" }
        return true
    }
}
