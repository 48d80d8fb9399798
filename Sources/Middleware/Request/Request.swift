public import HTTPTypes
public import SluiceStreaming
public import SluiceCore

/// An HTTP request on its way down the chain. A value: middleware changes its copy and hands that to `next`.
public struct Request: Sendable {
    /// The platform's id of the invocation, or one of ours off Lambda; opaque text.
    public var id: String
    /// Any HTTP token, as `GET`; case sensitive.
    public var method: HTTPRequest.Method
    /// The path as sent, percent-encoding included; always begins with `/`. Routes are matched on its segments.
    public var rawPath: String
    /// The query as sent, without `?`; empty when there is none.
    public var rawQuery: String
    /// `https`, or what `X-Forwarded-Proto` says. A client can forge it.
    public var scheme: String
    /// Host and port, from the `Host` header or else from the event; empty when neither is there.
    public var authority: String
    /// The headers as they came, repeated ones joined with a comma by the front end. `Content-Length` is that of the decoded body.
    public var headers: HTTPFields {
        get { lateHeaders?.fields ?? ownHeaders }
        set { (lateHeaders, ownHeaders) = (nil, newValue) }
    }
    /// All of the body: Lambda delivers events whole, 6 MB at most.
    public var body: Body
    /// What the matched route's `{names}` stand for; empty before the router.
    public var parameters: Parameters
    /// The peer of the client's TCP connection; nil where unknown.
    public var remoteAddress: String?
    /// When the service will stop this invocation; nil where nothing does.
    public var deadline: WallClock.Instant?

    /// One header: the same as `headers[name]`, without the others having to be made. For middleware that looks at one or two.
    public func header(_ name: HTTPField.Name) -> String? {
        if let lateHeaders { return lateHeaders.value(of: name) }
        return ownHeaders[name]
    }

    private var ownHeaders: HTTPFields = [:]
    private var lateHeaders: (any LazyHeaders)?

    /// The pattern of the route that matched, as `/orders/{id}`; nil before the router, and where none did.
    public internal(set) var route: String?

    var values: [ObjectIdentifier: any Sendable] = [:]
    /// The app's own; nil: the standard ones.
    var coders: JSONCoders?
    /// What the front end knows that the request came through.
    package var frontEnd: (any Sendable)?

    /// A request, for tests and for other front ends than Lambda.
    ///
    /// - Parameters:
    ///   - target: Path and query as a client would send them, percent-encoded: `/search?q=a%20b`.
    public init(
        _ method: HTTPRequest.Method, _ target: String, headers: HTTPFields = [:], body: Body = .empty
    ) {
        let (path, query) = target.cut(at: "?") ?? (target[...], "")
        self.id = RequestIDSource.next()
        self.method = method
        self.rawPath = path.utf8.first == UInt8(ascii: "/") ? String(path) : "/" + path
        self.rawQuery = String(query)
        self.scheme = "https"
        self.authority = headers[.host] ?? ""
        ownHeaders = headers
        self.body = body
        self.parameters = Parameters()
    }

    /// A request from an event, its fields already taken apart.
    package init(
        id: String, method: HTTPRequest.Method, rawPath: String, rawQuery: String, scheme: String, authority: String,
        headers: any LazyHeaders, body: Body, remoteAddress: String?, deadline: WallClock.Instant?
    ) {
        self.id = id
        self.method = method
        self.rawPath = rawPath
        self.rawQuery = rawQuery
        self.scheme = scheme
        self.authority = authority
        lateHeaders = headers
        self.body = body
        self.parameters = Parameters()
        self.remoteAddress = remoteAddress
        self.deadline = deadline
    }

    /// The path, percent-decoded once. `%2F` is a slash here, but not for the router.
    public var path: String { PercentEncoding.decode(rawPath[...]) ?? rawPath }

    /// The query's fields, decoded as `application/x-www-form-urlencoded`.
    public var query: Query { Query(rawQuery) }

    /// The cookies that the client sent, values verbatim.
    public var cookies: Cookies { Cookies(headers) }

    /// The whole URL as text, or path and query alone when no authority is known.
    public var url: String {
        (authority.isEmpty ? "" : "\(scheme)://\(authority)") + rawPath + (rawQuery.isEmpty ? "" : "?\(rawQuery)")
    }
}

/// Headers that are made when they are asked for.
package protocol LazyHeaders: AnyObject, Sendable {
    var fields: HTTPFields { get }
    /// The same as `fields[name]`.
    func value(of name: HTTPField.Name) -> String?
}
