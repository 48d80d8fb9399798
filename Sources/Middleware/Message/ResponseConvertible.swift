public import FoundationEssentials
public import HTTPTypes

/// What a handler may return besides any `Encodable`: text, bytes, a status, a whole response, or an optional of these.
public protocol ResponseConvertible: Sendable {
    /// - Throws: What making the response throws; it becomes the response's error.
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

extension [UInt8]: ResponseConvertible {
    /// 200, `application/octet-stream`: the bytes as they are, no JSON.
    public func response() -> Response {
        Response(headers: [.contentType: "application/octet-stream"], body: .bytes(self))
    }
}

extension Data: ResponseConvertible {
    /// 200, `application/octet-stream`: the bytes as they are, no base64.
    public func response() -> Response { [UInt8](self).response() }
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
