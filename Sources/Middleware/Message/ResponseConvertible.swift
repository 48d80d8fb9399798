public import HTTPTypes

/// What a handler may return besides any `Encodable`: text, a status, a whole response, or an optional of these.
public protocol ResponseConvertible: Sendable {
    /// - Throws: What making the answer throws; it becomes the answer's error.
    func response() throws -> Response
}

extension Response: ResponseConvertible {
    /// Itself.
    public func response() -> Response { self }
}

extension String: ResponseConvertible {
    /// 200, `text/plain; charset=utf-8`.
    public func response() -> Response { .text(self) }
}

extension HTTPResponse.Status: ResponseConvertible {
    /// This status, no body.
    public func response() -> Response { Response(status: self) }
}

extension Optional: ResponseConvertible where Wrapped: ResponseConvertible {
    /// Nil is a 404.
    public func response() throws -> Response {
        guard let self else { throw HTTPError(.notFound) }
        return try self.response()
    }
}
