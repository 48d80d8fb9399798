public import HTTPTypes
public import SluiceStreaming

/// An HTTP response on its way up the chain.
public struct Response: Sendable {
    /// 200 to 999; any other becomes a 500 with a record, as no exchange can end with it.
    public var status: HTTPResponse.Status
    /// Values are made legal as they are set: CR, LF and NUL become spaces. Hop-by-hop headers and `Content-Length` do not leave:
    /// the front end makes its own.
    public var headers: HTTPFields
    /// Bytes, or a closure that writes them; HEAD, 204 and 304 send none. 6 MB as JSON at most under buffered mode, 200 MB streamed.
    ///
    /// Another body may be put in its place: who wraps it, or waits for its end, does so for the new one.
    public var body: Body
    /// Nil for most responses: they are copied at every step of the chain.
    private var attached: ResponseAttachments?
    /// What those who wrap the body write themselves is not sent either.
    private var hasNoBody = false

    /// Around the writing of the body, the outermost last.
    var wrappers: [Body.Wrapper] {
        get { attached?.wrappers ?? [] }
        set { attached = ResponseAttachments(newValue, observers, recoveries) }
    }
    /// Who waits for the end.
    var observers: [@Sendable (ResponseEnd) -> Void] {
        get { attached?.observers ?? [] }
        set { attached = ResponseAttachments(wrappers, newValue, recoveries) }
    }
    /// What a streamed body's error becomes: see ``recover(_:)``.
    var recoveries: [@Sendable (any Error) -> Response?] {
        get { attached?.recoveries ?? [] }
        set { attached = ResponseAttachments(wrappers, observers, newValue) }
    }

    /// What was thrown below, if this response stands for an error. A response without it is no failure:
    /// returning another response handles the error, as a `catch` would.
    public var error: (any Error)?

    /// Whether its body was cut after the head had left: of responses that a test gets.
    package var isCut = false

    /// The pattern of the route that it comes from, as `/orders/{id}`; nil where none matched, and where a middleware made it.
    public internal(set) var route: String?

    /// A response; 200 and empty unless told otherwise.
    public init(status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], body: Body = .empty) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The body's bytes as text, where they are all there. Bytes that are not UTF-8 are replaced: meant for tests and logs.
    public var text: String { String(decoding: body.plainBytes, as: UTF8.self) }

    /// HEAD, 204 and 304 have no body (RFC 9110): its bytes go, those who wait for its end stay.
    package mutating func dropForbiddenBody(for request: Request) {
        guard !Self.permitsBody(status, to: request.method) else { return }
        body = .empty
        hasNoBody = true
        // That of the words which an error would have.
        if status == .notModified, error != nil { headers[.contentType] = nil }
    }

    /// Whether the body's bytes are all there is to write: no stream, and nobody around it.
    package var isPlain: Bool { !body.isStream && (attached?.wrappers.isEmpty ?? true) }

    /// Writes the body, with all who wrapped it around it.
    package func writeBody(to writer: BodyWriter) async throws {
        try await body.write(to: hasNoBody ? BodyWriter(DiscardingSink()) : writer, in: wrappers)
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

/// What middleware has attached to a response, by one reference.
final class ResponseAttachments: Sendable {
    let wrappers: [Body.Wrapper]
    let observers: [@Sendable (ResponseEnd) -> Void]
    let recoveries: [@Sendable (any Error) -> Response?]

    init(
        _ wrappers: [Body.Wrapper], _ observers: [@Sendable (ResponseEnd) -> Void],
        _ recoveries: [@Sendable (any Error) -> Response?]
    ) {
        self.wrappers = wrappers
        self.observers = observers
        self.recoveries = recoveries
    }
}
