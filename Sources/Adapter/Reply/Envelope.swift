internal import SluiceMiddleware
internal import SluiceReporting

/// The buffered answer of payload 2.0, as one JSON text.
enum Envelope {
    /// The server's own constant: 6 MiB and 100 bytes, of the encoded JSON.
    static let limit = 6 * 1024 * 1024 + 100

    /// The body must have been collected.
    static func encode(_ response: Response) -> [UInt8] {
        let body = response.body.bytes
        let isText = BodyEncoding.isText(response.headers, body)
        var json = JSONWriter(reserving: body.count / 3 * 4 + 512)
        json.object { json in
            WireHead(response).write(to: &json, leavingOutEmpty: false)
            json.key("body")
            if isText { json.string(body) } else { json.plainString(Base64.encode(body)) }
            json.field("isBase64Encoded", !isText)
        }
        return json.bytes
    }
}

/// An answer does not fit the platform's limit.
struct ReplyTooLarge: Error, CustomStringConvertible {
    let size: Int
    var description: String { "the answer has \(size) bytes as JSON, the limit is \(Envelope.limit)" }
}
