/// One event of a `text/event-stream`.
///
/// - SeeAlso: WHATWG HTML, "Server-sent events", <https://html.spec.whatwg.org/multipage/server-sent-events.html>
public struct ServerSentEvent: Sendable, Equatable {
    /// The payload; each of its lines becomes a `data:` line.
    public var data: String
    /// The event's type; the browser's default is `message`. Line breaks in it are dropped.
    public var event: String?
    /// What the browser sends back as `Last-Event-ID`. Line breaks and NUL in it are dropped.
    public var id: String?
    /// How long the browser waits before it connects again.
    public var retry: Duration?

    /// An event; only its data is needed.
    public init(_ data: String, event: String? = nil, id: String? = nil, retry: Duration? = nil) {
        self.data = data
        self.event = event
        self.id = id
        self.retry = retry
    }

    /// The event as it goes over the wire, its empty line included.
    public var text: String {
        var text = ""
        if let event { text += "event: \(Self.oneLine(event))\n" }
        if let id { text += "id: \(Self.oneLine(id))\n" }
        if let retry {
            // Longer than any browser lives, and still a number.
            let (seconds, attoseconds) = max(.zero, min(retry, .seconds(Int64.max / 1000))).components
            text += "retry: \(seconds * 1000 + attoseconds / 1_000_000_000_000_000)\n"
        }
        for line in Self.lines(of: data) { text += "data: \(line)\n" }
        return text + "\n"
    }

    /// What CRLF, CR and LF set apart.
    static func lines(of text: String) -> [Substring] {
        var lines: [Substring] = []
        var rest = text.utf8[...]
        while let end = rest.firstIndex(where: { $0 == 0x0D || $0 == 0x0A }) {
            lines.append(Substring(rest[..<end]))
            let next = rest.index(after: end)
            rest = rest[next...]
            if text.utf8[end] == 0x0D, rest.first == 0x0A { rest = rest.dropFirst() }
        }
        return lines + [Substring(rest)]
    }

    private static func oneLine(_ field: String) -> String {
        String(String.UnicodeScalarView(field.unicodeScalars.filter { $0 != "\r" && $0 != "\n" && $0 != "\0" }))
    }
}
