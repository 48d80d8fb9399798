public import HTTPTypes
public import SluiceStreaming
public import SluiceCore

/// An HTTP request on its way down the chain. A value: middleware changes its copy and hands that to `next`.
public struct Request: Sendable {
    /// One reference, so that a copy for each link of the chain costs next to nothing.
    private var storage: Storage
    /// Apart, so that the router need not copy all the rest; nil before it.
    var match: RouteMatch?

    /// What a request is made of.
    private final class Storage: @unchecked Sendable {  // written only where it has one owner, by ``Request/fields`` alone
        // A write lies within one to the request that is its only owner, and that one is checked for exclusivity.
        @exclusivity(unchecked) var fields: Fields
        init(_ fields: Fields) { self.fields = fields }
    }

    struct Fields: Sendable {
        var id: String
        var method: HTTPRequest.Method
        var rawPath: String
        var rawQuery: String
        var scheme: String
        var authority: String
        var headers: HTTPFields = [:]
        /// In the place of `headers`, until somebody changes them.
        var lateHeaders: (any LazyHeaders)?
        var body: Body
        var remoteAddress: String?
        var deadline: WallClock.Instant?
        var values: [ObjectIdentifier: any Sendable] = [:]
        /// The app's own; nil: the standard ones.
        var coders: JSONCoders?
        var frontEnd: (any Sendable)?
    }

    /// Nil: the standard ones.
    @usableFromInline var coders: JSONCoders? { fields.coders }

    var fields: Fields {
        _read { yield storage.fields }
        _modify {
            if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.fields) }
            yield &storage.fields
        }
    }

    /// The platform's id of the invocation, or one of ours off Lambda; opaque text.
    public var id: String {
        get { fields.id }
        _modify { yield &fields.id }
    }
    /// Any HTTP token, as `GET`; case sensitive.
    public var method: HTTPRequest.Method {
        get { fields.method }
        _modify { yield &fields.method }
    }
    /// The path as sent, percent-encoding included; always begins with `/`. Routes are matched on its segments.
    public var rawPath: String {
        get { fields.rawPath }
        _modify { yield &fields.rawPath }
    }
    /// The query as sent, without `?`; empty when there is none.
    public var rawQuery: String {
        get { fields.rawQuery }
        _modify { yield &fields.rawQuery }
    }
    /// `https`, or what `X-Forwarded-Proto` says. A client can forge it.
    public var scheme: String {
        get { fields.scheme }
        _modify { yield &fields.scheme }
    }
    /// Host and port, from the `Host` header or else from the event; empty when neither is there.
    public var authority: String {
        get { fields.authority }
        _modify { yield &fields.authority }
    }
    /// The headers as they came, repeated ones joined with a comma by the front end. `Content-Length` is that of the decoded body.
    public var headers: HTTPFields {
        get { fields.lateHeaders?.fields ?? fields.headers }
        _modify {
            if let late = fields.lateHeaders { (fields.headers, fields.lateHeaders) = (late.fields, nil) }
            yield &fields.headers
        }
    }
    /// All of the body: Lambda delivers events whole, 6 MB at most.
    public var body: Body {
        get { fields.body }
        _modify { yield &fields.body }
    }
    /// What the matched route's `{names}` stand for; empty before the router.
    public var parameters: Parameters {
        get { match?.parameters ?? Parameters() }
        set { match = RouteMatch(match?.route, newValue) }
    }
    /// The peer of the client's TCP connection; nil where unknown.
    public var remoteAddress: String? {
        get { fields.remoteAddress }
        _modify { yield &fields.remoteAddress }
    }
    /// When the service will stop this invocation; nil where nothing does.
    public var deadline: WallClock.Instant? {
        get { fields.deadline }
        _modify { yield &fields.deadline }
    }

    /// One header: the same as `headers[name]`, without the others having to be made. For middleware that looks at one or two.
    public func header(_ name: HTTPField.Name) -> String? {
        if let late = fields.lateHeaders { return late.value(of: name) }
        return fields.headers[name]
    }

    /// The pattern of the route that matched, as `/orders/{id}`; nil before the router, and where none did.
    public internal(set) var route: String? {
        get { match?.route }
        set { match = RouteMatch(newValue, parameters) }
    }

    /// What the front end knows that the request came through.
    package var frontEnd: (any Sendable)? {
        get { fields.frontEnd }
        set { fields.frontEnd = newValue }
    }

    /// A request, for tests and for other front ends than Lambda.
    ///
    /// - Parameters:
    ///   - target: Path and query as a client would send them, percent-encoded: `/search?q=a%20b`.
    public init(
        _ method: HTTPRequest.Method, _ target: String, headers: HTTPFields = [:], body: Body = .empty
    ) {
        let (path, query) = target.cut(at: "?") ?? (target[...], "")
        storage = Storage(
            Fields(
                id: RequestIDSource.next(), method: method,
                rawPath: path.utf8.first == UInt8(ascii: "/") ? String(path) : "/" + path, rawQuery: String(query),
                scheme: "https", authority: headers[.host] ?? "", headers: headers, body: body))
    }

    /// A request from an event, its fields already taken apart.
    package init(
        id: String, method: HTTPRequest.Method, rawPath: String, rawQuery: String, scheme: String, authority: String,
        headers: any LazyHeaders, body: Body, remoteAddress: String?, deadline: WallClock.Instant?
    ) {
        storage = Storage(
            Fields(
                id: id, method: method, rawPath: rawPath, rawQuery: rawQuery, scheme: scheme, authority: authority,
                lateHeaders: headers, body: body, remoteAddress: remoteAddress, deadline: deadline))
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

/// The pattern of the route that matched a request, and what its `{names}` stand for.
final class RouteMatch: Sendable {
    let route: String?
    let parameters: Parameters
    init(_ route: String?, _ parameters: Parameters) { (self.route, self.parameters) = (route, parameters) }
}

/// Headers that are made when they are asked for.
package protocol LazyHeaders: AnyObject, Sendable {
    var fields: HTTPFields { get }
    /// The same as `fields[name]`.
    func value(of name: HTTPField.Name) -> String?
}
