internal import SluiceMiddleware
internal import SluiceReporting
internal import SluiceCore

/// A buffered response, as one JSON text.
struct BufferedReply {
    /// The server's own constant: 6 MiB and 100 bytes, of the encoded JSON.
    static let limit = 6 * 1024 * 1024 + 100
    /// From here on a body's base64 is made while it is sent.
    static let large = 2 * 1024 * 1024

    /// The text; without the base64 of a large body.
    let text: [UInt8]
    /// What becomes base64 at a place of the text.
    let body: (place: Int, bytes: [UInt8])?

    /// Of the whole text, in bytes.
    var count: Int { text.count + (body.map { Base64.size(of: $0.bytes.count) } ?? 0) }

    /// The whole text.
    var bytes: [UInt8] { body.map { text.inserting(base64: $0.bytes, at: $0.place) } ?? text }

    /// The body must have been collected.
    static func encode(_ response: Response, as form: EventForm = .functionURL) -> BufferedReply {
        let body = response.body.plainBytes
        guard form.isPayload2 else {
            let head = GatewayHead(response, form)
            return encode(body, BodyEncoding.isText(head.contentType, isIdentity: head.isIdentity, body), 1024, head.write)
        }
        let head = WireHead(response)
        let isText = BodyEncoding.isText(head.contentType, isIdentity: head.isIdentity, body)
        return encode(body, isText, 256 + 64 * head.headers.count) { head.write(to: &$0, leavingOutEmpty: false) }
    }

    /// - Parameters:
    ///   - size: About what the fields before the body take.
    ///   - writeHead: Writes these.
    @inline(__always)  // The fields of payload 2.0 without a closure's context: each hello has them.
    private static func encode(
        _ body: [UInt8], _ isText: Bool, _ size: Int, _ writeHead: (inout JSONWriter) -> Void
    ) -> BufferedReply {
        var json = JSONWriter(reserving: isText ? body.count + body.count / 8 + size : size)
        var bodyPlace = 0
        json.object { json in
            writeHead(&json)
            json.key(plain: "body")
            if isText { json.string(body) } else { json.plainString([]) }
            bodyPlace = json.bytes.count - 1
            json.key(plain: "isBase64Encoded")
            json.bool(!isText)
        }
        if isText { return BufferedReply(text: json.bytes, body: nil) }
        guard body.count < large else { return BufferedReply(text: json.bytes, body: (bodyPlace, body)) }
        return BufferedReply(text: json.bytes.inserting(base64: body, at: bodyPlace), body: nil)
    }
}

extension [UInt8] {
    /// A copy with these bytes as base64 at `place`. They are written where they stay: with large bodies copies cost most.
    fileprivate func inserting(base64 bytes: [UInt8], at place: Int) -> [UInt8] {
        let size = Base64.size(of: bytes.count)
        return [UInt8](unsafeUninitializedCapacity: count + size) { space, written in
            let afterHead = space[...].initialize(fromContentsOf: self[..<place])
            Base64.encode(bytes, into: UnsafeMutableBufferPointer(rebasing: space[afterHead..<afterHead + size]))
            written = space[(afterHead + size)...].initialize(fromContentsOf: self[place...])
        }
    }
}

/// A response does not fit the platform's limit.
struct ReplyTooLarge: UnusableReply, CustomStringConvertible {
    /// In bytes.
    let size: Int
    let limit: Int
    /// What it is of the response.
    var part = "response"
    var description: String { "the \(part) has \(size) bytes as JSON, the limit is \(limit)" }
}
