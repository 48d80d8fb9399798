internal import FoundationEssentials
internal import SluiceStreaming

/// A request to the inbox that Sentry would take: `POST /api/<project>/envelope/`.
struct IngestRequest: Sendable, Equatable {
    enum Content: Sendable, Equatable {
        case items([ReportedItem])
        /// We carry no inflater: it is taken unread.
        case compressed(encoding: String, bytes: Int)
    }

    /// 32 lower-case hex digits; nil for an envelope without an event.
    let eventID: String?
    let content: Content

    private static let compressions: Set = ["gzip", "deflate", "br", "zstd"]

    /// - Throws: ``IngestRefusal``.
    init(_ head: HTTPMessageHead, _ body: [UInt8]) throws(IngestRefusal) {
        let path = (head.target.parts(at: "?").first ?? "").parts(at: "/")
        guard path.count == 5, path[0].isEmpty, path[1] == "api", !path[2].isEmpty, path[3] == "envelope", path[4].isEmpty
        else {
            throw .notFound("no such path: \(head.target); reports go to /api/<project>/envelope/")
        }
        guard head.method == "POST" else {
            throw IngestRefusal(status: 405, reason: "Method Not Allowed", detail: "\(head.method): envelopes are sent by POST")
        }
        try IngestKey.check(head)
        // An unknown encoding is taken for none, and then is no envelope.
        if let encoding = head["content-encoding"]?.lowercased(), Self.compressions.contains(encoding) {
            eventID = nil
            content = .compressed(encoding: encoding, bytes: body.count)
            return
        }
        let envelope: ReceivedEnvelope
        do throws(EnvelopeError) {
            envelope = try EnvelopeReader.read(body)
        } catch {
            throw .malformed(error.description)
        }
        var items: [ReportedItem] = []
        for item in envelope.items { items.append(try ReportedItem(item)) }
        content = .items(items)
        eventID = try Self.id(envelope.eventID ?? items.firstEvent?.id)
    }

    /// The id may have dashes or capitals: Sentry makes one form of it.
    private static func id(_ text: String?) throws(IngestRefusal) -> String? {
        guard let text else { return nil }
        let digits = text.filter { $0 != "-" }.lowercased()
        guard digits.utf8.count == 32, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else {
            throw .malformed("the event_id is not 32 hexadecimal digits")
        }
        return digits
    }
}

extension [ReportedItem] {
    fileprivate var firstEvent: ReportedEvent? {
        for case .event(let event) in self { return event }
        return nil
    }
}
