internal import SluiceCore

/// Counts what was thrown away, to be told to the server with the next envelope.
///
/// - SeeAlso: Sentry's developer documentation, "Client reports".
struct ClientReports: Sendable {
    struct Key: Hashable, Sendable {
        let reason: DropReason
        let category: ReportCategory
    }

    private var counts: [Key: Int] = [:]

    var isEmpty: Bool { counts.isEmpty }

    mutating func add(_ reason: DropReason, _ category: ReportCategory, _ quantity: Int = 1) {
        // Losses of these reports themselves are not reported.
        guard category != .internal, quantity > 0 else { return }
        counts[Key(reason: reason, category: category), default: 0] += quantity
    }

    /// The payload of a `client_report` item; the counters are cleared. Nil when there is nothing to tell.
    mutating func take(at now: WallClock.Instant) -> [UInt8]? {
        guard !counts.isEmpty else { return nil }
        let taken = counts.sorted {
            ($0.key.reason.rawValue, $0.key.category.rawValue) < ($1.key.reason.rawValue, $1.key.category.rawValue)
        }
        counts = [:]
        var json = JSONWriter()
        json.object { json in
            json.key("timestamp")
            json.number(now.secondsSinceEpoch)
            json.key("discarded_events")
            json.array { json in
                for (key, quantity) in taken {
                    json.object { json in
                        json.field("reason", key.reason.rawValue)
                        json.field("category", key.category.rawValue)
                        json.field("quantity", quantity)
                    }
                }
            }
        }
        return json.bytes
    }
}

/// Why something was not sent, in Sentry's words.
public enum DropReason: String, Sendable, Hashable {
    /// `sampleRate` left it out.
    case sampleRate = "sample_rate"
    /// `beforeSend` returned nil, threw, or hung.
    case beforeSend = "before_send"
    /// `ignoreErrors` or an event processor.
    case eventProcessor = "event_processor"
    /// The server had asked not to send this kind of item for now.
    case rateLimitBackoff = "ratelimit_backoff"
    /// More was captured than a queue holds.
    case queueOverflow = "queue_overflow"
    /// More was spooled than the spool holds, or for longer.
    case cacheOverflow = "cache_overflow"
    /// More breadcrumbs or logs than a buffer holds.
    case bufferOverflow = "buffer_overflow"
    /// No response came, and the item has no id under which it may be repeated.
    case networkError = "network_error"
    /// The server refused it.
    case sendError = "send_error"
    /// A mistake of ours.
    case internalError = "internal_sdk_error"
}
