internal import HTTPTypes
internal import SluiceMiddleware
internal import SluiceReporting
internal import SluiceCore

/// What a streamed response begins with: status, headers and cookies as JSON, then eight NULs.
enum Prelude {
    static let delimiter = [UInt8](repeating: 0, count: 8)

    static func encode(
        _ response: Response, as form: EventForm = .functionURL, extra: (name: String, value: String)? = nil
    ) -> [UInt8] {
        guard form.isPayload2 else {
            var json = JSONWriter()
            json.object { GatewayHead(response, form).writePrelude(to: &$0, extra: extra) }
            return json.bytes + delimiter
        }
        var head = WireHead(response)
        if let extra { head.headers.append(extra) }
        var json = JSONWriter()
        json.object { head.write(to: &$0, leavingOutEmpty: true) }
        return json.bytes + delimiter
    }
}

/// How one streamed response begins, and the one place that decides what it looks like without a body.
///
/// Some accounts and regions have been seen to deliver the head of an empty response and then hang until the time-out; which
/// form ends promptly everywhere is not documented. `SLUICE_EMPTY_STREAM` switches.
struct StreamForm: Sendable {
    let prelude: [UInt8]
    /// What stands in the place of ``prelude`` when it is known before the head leaves that no body follows.
    let emptyPrelude: [UInt8]
    /// The body of a response that has none.
    let emptyTail: [UInt8]

    /// Why the response cannot begin so; nil where it can.
    let problem: ReplyTooLarge?

    init(_ response: Response, to method: HTTPRequest.Method, _ form: EmptyStream, as event: EventForm = .functionURL) {
        prelude = Prelude.encode(response, as: event)
        let size = prelude.count
        problem = event.preludeLimit.flatMap { size > $0 ? ReplyTooLarge(size: size, limit: $0, part: "response's head") : nil }
        // HEAD, 204 and 304 neither have a body nor may they claim its length.
        let permitsBody = Response.permitsBody(response.status, to: method)
        emptyTail = form == .newline && permitsBody ? [0x0A] : []
        if form == .contentLength, permitsBody {
            emptyPrelude = Prelude.encode(response, as: event, extra: ("content-length", "0"))
        } else {
            emptyPrelude = prelude
        }
    }
}

/// What follows the delimiter of a streamed response that has no body: `SLUICE_EMPTY_STREAM`.
enum EmptyStream: String, CaseIterable, Sendable {
    /// Nothing: the terminator at once.
    case bare
    /// Nothing, and `content-length: 0` among the headers.
    case contentLength = "content-length"
    /// One line feed, where HTTP permits a body.
    case newline
}
