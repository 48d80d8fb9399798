internal import SluiceMiddleware
internal import SluiceReporting
internal import SluiceCore

/// The buffered response of payload 2.0, as one JSON text.
enum BufferedReply {
    /// The server's own constant: 6 MiB and 100 bytes, of the encoded JSON.
    static let limit = 6 * 1024 * 1024 + 100

    /// The body must have been collected.
    static func encode(_ response: Response) -> [UInt8] {
        let body = response.body.plainBytes
        let head = WireHead(response)
        let isText = BodyEncoding.isText(head, body)
        let size = 256 + 64 * head.headers.count
        var json = JSONWriter(reserving: isText ? body.count + body.count / 8 + size : size)
        var bodyPlace = 0
        json.object { json in
            head.write(to: &json, leavingOutEmpty: false)
            json.key("body")
            if isText { json.string(body) } else { json.plainString([]) }
            bodyPlace = json.bytes.count - 1
            json.field("isBase64Encoded", !isText)
        }
        return isText ? json.bytes : json.bytes.inserting(base64: body, at: bodyPlace)
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
    let size: Int
    var description: String { "the response has \(size) bytes as JSON, the limit is \(BufferedReply.limit)" }
}
