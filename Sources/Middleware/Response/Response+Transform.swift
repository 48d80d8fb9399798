internal import HTTPTypes
internal import SluiceCore
public import SluiceStreaming

extension Response {
    /// Puts a transform around the body, bytes or stream: `response.transformBody { Gzip() }`.
    ///
    /// Those who wrap the body, or wait for its end, stay: they see what is sent. Headers that no longer hold go (`Content-Length`,
    /// `Content-MD5`, `Digest`, `Content-Digest`, `Repr-Digest`, `Accept-Ranges`), and a strong `ETag` becomes a weak one, as the bytes are
    /// others (RFC 9110, section 8.8.1). Setting `Content-Encoding`, `Vary` and the like is for whoever knows what the transform does.
    /// - Parameter make: Makes the transform: at once for bytes, when the body is written for a stream.
    public mutating func transformBody(_ make: @escaping @Sendable () -> any BodyTransform) {
        changeBody(to: body.transformed(by: make))
    }

    /// Puts other bytes in the place of the body's, which mean the same.
    mutating func changeBody(to other: Body) {
        body = other
        for name in Self.bytewise { headers[name] = nil }
        if let tag = headers[.eTag], !tag.begins(with: "W/") { headers[.eTag] = "W/\(tag)" }
    }

    /// What speaks of the very bytes.
    private static let bytewise: [HTTPField.Name] = [
        .contentLength, .acceptRanges, .contentMD5, .digest, .contentDigest, .reprDigest,
    ]

    /// Handles an error that this response stands for, or that its streamed body meets before its first byte.
    ///
    /// So a middleware that was written for handlers is right for streams. `handler` gives the response that the client gets
    /// instead, with what middleware has put on this one besides; nil leaves the error to those above. After a stream's first
    /// byte it is not asked: the client has the status then.
    public mutating func recover(_ handler: @escaping @Sendable (any Error) -> Response?) {
        if let error {
            guard var other = handler(error) else { return }
            // Its body has yet to be written: those around it are still waiting for that.
            if !wrappers.isEmpty { other.wrappers = wrappers + other.wrappers }
            self = replaced(by: other)
        } else if body.isStream {
            recoveries.append(handler)
        }
    }
}
