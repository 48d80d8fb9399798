public import HTTPTypes
public import SluiceStreaming

/// An HTTP answer on its way up the chain.
public struct Response: Sendable {
    /// 200 to 999; any other becomes a 500 with a record, as no exchange can end with it.
    public var status: HTTPResponse.Status
    /// Values are made legal as they are set: CR, LF and NUL become spaces. Hop-by-hop headers and `Content-Length` do not leave:
    /// the front end makes its own.
    public var headers: HTTPFields
    /// Bytes, or a closure that writes them; HEAD, 204 and 304 send none. 6 MB as JSON at most under buffered mode, 200 MB streamed.
    public var body: Body
    /// What was thrown below, if this answer stands for an error. An answer without it is no failure:
    /// returning another response handles the error, as a `catch` would.
    public var error: (any Error)?

    /// An answer; 200 and empty unless told otherwise.
    public init(status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], body: Body = .empty) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The body's bytes as text, where they are all there. Bytes that are not UTF-8 are replaced: meant for tests and logs.
    public var text: String { String(decoding: body.bytes, as: UTF8.self) }

    /// HEAD, 204 and 304 have no body (RFC 9110): its bytes go, those who wait for its end stay.
    package mutating func dropForbiddenBody(for request: Request) {
        if !Self.permitsBody(status, to: request.method) { body.dropContent() }
    }

    package static func permitsBody(_ status: HTTPResponse.Status, to method: HTTPRequest.Method) -> Bool {
        method != .head && status != .noContent && status != .notModified
    }

    /// Puts `wrapper` around the writing of the body; see ``Body/wrap(_:)``.
    public mutating func wrapBody(_ wrapper: @escaping Body.Wrapper) { body.wrap(wrapper) }
}
