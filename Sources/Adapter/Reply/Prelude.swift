internal import HTTPTypes
internal import SluiceMiddleware

/// What a streamed answer begins with: status, headers and cookies as JSON, then eight NULs.
enum Prelude {
    static let delimiter = [UInt8](repeating: 0, count: 8)

    static func encode(_ response: Response) -> [UInt8] {
        var json = JSONWriter()
        json.object { WireHead(response).write(to: &$0, leavingOutEmpty: true) }
        return json.bytes + delimiter
    }

    /// The one place that decides what a streamed answer without a body looks like.
    ///
    /// Some accounts and regions have been seen to deliver the head and then hang until the time-out; which form ends
    /// promptly everywhere is not documented. `SLUICE_EMPTY_STREAM` switches.
    static func encodeEmpty(_ response: Response, as form: EmptyStream) -> [UInt8] {
        let permitsBody = response.status.code != 204 && response.status.code != 304
        switch form {
        case .bare: return encode(response)
        case .contentLength where permitsBody:
            var json = JSONWriter()
            let head = WireHead(response)
            json.object { json in
                json.field("statusCode", head.status)
                json.key("headers")
                json.object { json in
                    for (name, value) in head.headers { json.field(name, value) }
                    json.field("content-length", "0")
                }
                if !head.cookies.isEmpty {
                    json.key("cookies")
                    json.array { json in for cookie in head.cookies { json.string(cookie.utf8) } }
                }
            }
            return json.bytes + delimiter
        case .newline where permitsBody: return encode(response) + [0x0A]
        default: return encode(response)
        }
    }
}

/// What follows the delimiter of a streamed answer that has no body: `SLUICE_EMPTY_STREAM`.
enum EmptyStream: String, CaseIterable, Sendable {
    /// Nothing: the terminator at once.
    case bare
    /// Nothing, and `content-length: 0` among the headers.
    case contentLength = "content-length"
    /// One line feed, where HTTP permits a body.
    case newline
}
