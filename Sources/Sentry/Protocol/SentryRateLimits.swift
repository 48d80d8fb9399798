internal import SluiceCore
internal import SluiceReporting

/// What the server asked us not to send, and until when. Pure: the moment is handed in.
///
/// Deadlines are of the wall clock: a monotonic one may stand still while the sandbox is frozen.
/// - SeeAlso: Sentry's developer documentation, "Rate limiting".
struct SentryRateLimits: Sendable, Equatable {
    private var all: WallClock.Instant?
    private var byCategory: [ReportCategory: WallClock.Instant] = [:]

    func isLimited(_ category: ReportCategory, at now: WallClock.Instant) -> Bool {
        // Reports about losses are never limited.
        guard category != .internal else { return false }
        return [all, byCategory[category]].contains { $0.map { now < $0 } ?? false }
    }

    /// Reads a response's headers; both may be nil.
    mutating func update(status: Int, limits: String?, retryAfter: String?, now: WallClock.Instant) {
        if let limits {
            for member in limits.split(at: ",") { apply(member, now) }
        } else if status == 429 {
            extend(nil, now.advanced(by: RetryAfter.duration(retryAfter, now: now)))
        }
    }

    private mutating func apply(_ member: Substring, _ now: WallClock.Instant) {
        let parts = member.split(at: ":", omittingEmptySubsequences: false).map(\.trimmed)
        guard let first = parts.first, first.utf8.allSatisfy({ 0x30...0x39 ~= $0 || $0 == 0x2E }), let seconds = Double(first),
            seconds.isFinite, seconds > 0
        else { return }
        let until = now.advanced(by: .seconds(Int64(min(seconds, 1e9).rounded(.up))))
        let names = parts.count > 1 ? parts[1] : ""
        guard !names.isEmpty else { return extend(nil, until) }
        for name in names.split(at: ";") {
            // An unknown category must never become "all".
            guard let category = ReportCategory(rawValue: String(name.trimmed)) else { continue }
            if category == .metricBucket, parts.count > 4, !parts[4].isEmpty,
                !parts[4].split(at: ";").contains(where: { $0.isSame(as: "custom") })
            {
                continue
            }
            extend(category, until)
        }
    }

    /// Of two limits the later one counts.
    private mutating func extend(_ category: ReportCategory?, _ until: WallClock.Instant) {
        if let category {
            byCategory[category] = max(byCategory[category] ?? until, until)
        } else {
            all = max(all ?? until, until)
        }
    }
}

/// Kinds of items, as rate limits and client reports name them.
enum ReportCategory: String, Sendable, Hashable, CaseIterable {
    case `default`, error, transaction, span, session, attachment, monitor, profile, replay, feedback, security, `internal`
    case logItem = "log_item"
    case logByte = "log_byte"
    case traceMetric = "trace_metric"
    case traceMetricByte = "trace_metric_byte"
    case profileChunk = "profile_chunk"
    case metricBucket = "metric_bucket"
}
