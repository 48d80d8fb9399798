public import HTTPTypes
public import SluiceStreaming

/// An HTTP response on its way up the chain. A value, as a request is.
public struct Response: Sendable {
    /// One reference: every link of the chain hands it on.
    private var storage: Storage

    /// What a response is made of.
    private final class Storage: @unchecked Sendable {  // written only where it has one owner, by ``Response/parts`` alone
        // A write lies within one to the response that is its only owner, and that one is checked for exclusivity.
        @exclusivity(unchecked) var parts: Parts
        init(_ parts: Parts) { self.parts = parts }
    }

    struct Parts: Sendable {
        var status: HTTPResponse.Status
        var headers: HTTPFields
        var body: Body
        var wrappers: [Body.Wrapper] = []
        var observers: [@Sendable (ResponseEnd) -> Void] = []
        var recoveries: [@Sendable (any Error) -> Response?] = []
        /// What those who wrap the body write themselves is not sent either.
        var hasNoBody = false
        var isCut = false
        var error: (any Error)?
        var route: String?
        var failureMarker: FailureMarker?
    }

    var parts: Parts {
        _read { yield storage.parts }
        _modify {
            if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.parts) }
            yield &storage.parts
        }
    }

    /// 200 to 999; any other becomes a 500 with a record, as no exchange can end with it.
    public var status: HTTPResponse.Status {
        get { parts.status }
        _modify { yield &parts.status }
    }
    /// Values are made legal as they are set: CR, LF and NUL become spaces. Hop-by-hop headers and `Content-Length` do not leave:
    /// the front end makes its own.
    public var headers: HTTPFields {
        _read { yield parts.headers }
        _modify { yield &parts.headers }
    }
    /// Bytes, or a closure that writes them; HEAD, 204 and 304 send none. 6 MB as JSON at most under buffered mode, 200 MB streamed.
    ///
    /// Another body may be put in its place: who wraps it, or waits for its end, does so for the new one.
    public var body: Body {
        get { parts.body }
        _modify { yield &parts.body }
    }

    /// Around the writing of the body, the outermost last.
    var wrappers: [Body.Wrapper] {
        get { parts.wrappers }
        _modify { yield &parts.wrappers }
    }
    /// Who waits for the end.
    var observers: [@Sendable (ResponseEnd) -> Void] {
        get { parts.observers }
        _modify { yield &parts.observers }
    }
    /// What a streamed body's error becomes: see ``recover(_:)``.
    var recoveries: [@Sendable (any Error) -> Response?] {
        get { parts.recoveries }
        _modify { yield &parts.recoveries }
    }

    /// What was thrown below, if this response stands for an error. A response without it is no failure:
    /// returning another response handles the error, as a `catch` would.
    public var error: (any Error)? {
        get { parts.error }
        _modify { yield &parts.error }
    }

    /// Whether its body was cut after the head had left: of responses that a test gets.
    package var isCut: Bool {
        get { parts.isCut }
        _modify { yield &parts.isCut }
    }

    /// The pattern of the route that it comes from, as `/orders/{id}`; nil where none matched, and where a middleware made it.
    public internal(set) var route: String? {
        get { parts.route }
        _modify { yield &parts.route }
    }

    /// A response; 200 and empty unless told otherwise.
    public init(status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], body: Body = .empty) {
        storage = Storage(Parts(status: status, headers: headers, body: body))
    }

    /// The body's bytes as text, where they are all there. Bytes that are not UTF-8 are replaced: meant for tests and logs.
    public var text: String { String(decoding: body.plainBytes, as: UTF8.self) }

    /// HEAD, 204 and 304 have no body (RFC 9110): its bytes go, those who wait for its end stay.
    package mutating func dropForbiddenBody(for request: Request) {
        guard !Self.permitsBody(status, to: request.method) else { return }
        body = .empty
        parts.hasNoBody = true
        // That of the words which an error would have.
        if status == .notModified, error != nil { headers[.contentType] = nil }
    }

    /// Whether the body's bytes are all there is to write: no stream, and nobody around it.
    package var isPlain: Bool { !body.isStream && wrappers.isEmpty }

    /// Writes the body, with all who wrapped it around it.
    package func writeBody(to writer: BodyWriter) async throws {
        try await body.write(to: parts.hasNoBody ? BodyWriter(DiscardingSink()) : writer, in: wrappers)
    }

    package static func permitsBody(_ status: HTTPResponse.Status, to method: HTTPRequest.Method) -> Bool {
        method != .head && status != .noContent && status != .notModified
    }

    /// Puts `wrapper` around the writing of the body, whichever that will be, outside of what wraps it already.
    ///
    /// A response has ended when its body has ended, not when `next` returned: whoever binds something for the length of a request,
    /// or must see the body's error, wraps the body. The wrapper must call the body once, wait for it, and pass its error on; where it does
    /// not, the response fails with a ``BodyWrapperError``, or with the error that it kept to itself.
    public mutating func wrapBody(_ wrapper: @escaping Body.Wrapper) { wrappers.append(wrapper) }

    /// Calls `observer` when it is known what the client gets, before the last byte leaves and before reports do.
    ///
    /// Once for each response that is sent; observers that were added first are called first. A middleware that returns another
    /// response drops this one, and its observers and wrappers with it.
    public mutating func onEnd(_ observer: @escaping @Sendable (ResponseEnd) -> Void) { observers.append(observer) }
}
