public import HTTPTypes

/// What a handler may return besides any `Encodable` (of which `Data` is taken for bytes): text, bytes, a status, a whole response, or an
/// optional of these.
public protocol ResponseConvertible: Sendable {
    /// - Parameter request: What it is a response to.
    /// - Throws: What making the response throws; it becomes the response's error.
    func response(for request: Request) throws -> Response
}

extension Response: ResponseConvertible {
    /// Itself.
    public func response(for request: Request) -> Response { self }
}

extension String: ResponseConvertible {
    /// 200, `text/plain; charset=utf-8`.
    public func response(for request: Request) -> Response { .text(self) }
}

extension [UInt8]: ResponseConvertible {
    /// 200, `application/octet-stream`: the bytes as they are, no JSON.
    public func response(for request: Request) -> Response {
        Response(headers: [.contentType: "application/octet-stream"], body: .bytes(self))
    }
}

extension HTTPResponse.Status: ResponseConvertible {
    /// This status, no body.
    public func response(for request: Request) -> Response { Response(status: self) }
}

extension Optional: ResponseConvertible where Wrapped: ResponseConvertible {
    /// Nil is a 404.
    public func response(for request: Request) throws -> Response {
        guard let self else { throw HTTPError(.notFound) }
        return try self.response(for: request)
    }
}
