internal import SluiceCore

/// What travels in one request: headers, and items with their lengths. One line each, LF only.
///
/// - SeeAlso: Sentry's developer documentation, "Envelopes".
struct SentryEnvelope: Sendable {
    struct Item: Sendable {
        var type: String
        var contentType: String?
        var count: Int?
        var payload: [UInt8]

        init(type: String, payload: [UInt8], contentType: String? = nil, count: Int? = nil) {
            self.type = type
            self.payload = payload
            self.contentType = contentType
            self.count = count
        }
    }

    var eventID: String?
    var sdk = SDK.current
    var dsn: String?
    /// The dynamic sampling context; empty leaves it out.
    var trace: [(String, String)] = []
    var items: [Item] = []

    /// All but the time of sending, which is put in with ``stamp(_:sentAt:)`` each time.
    var bytes: [UInt8] {
        var json = JSONWriter(reserving: items.reduce(512) { $0 + $1.payload.count + 128 })
        json.object { json in
            if let eventID { json.field("event_id", eventID) }
            if let dsn { json.field("dsn", dsn) }
            json.key("sdk")
            sdk.write(to: &json)
            if !trace.isEmpty {
                json.key("trace")
                json.object { json in for (key, value) in trace { json.field(key, value) } }
            }
        }
        var bytes = json.bytes
        for item in items { Self.append(item, to: &bytes) }
        bytes.append(0x0A)
        return bytes
    }

    static func append(_ item: Item, to bytes: inout [UInt8]) {
        var json = JSONWriter(reserving: 128)
        json.object { json in
            json.field("type", item.type)
            json.field("length", item.payload.count)
            if let type = item.contentType { json.field("content_type", type) }
            if let count = item.count { json.field("item_count", count) }
        }
        bytes.append(0x0A)
        bytes += json.bytes
        bytes.append(0x0A)
        bytes += item.payload
    }

    /// The same envelope, with the moment it is sent in its headers.
    static func stamp(_ bytes: [UInt8], sentAt now: WallClock.Instant) -> [UInt8] {
        guard bytes.first == 0x7B else { return bytes }
        return Array("{\"sent_at\":\"\(Timestamp.text(now))\",".utf8) + bytes.dropFirst()
    }
}
