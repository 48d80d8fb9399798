internal import SluiceCore

/// What the server asked us not to send, and until when. Pure: the moment is handed in.
///
/// Deadlines are of the wall clock: a monotonic one may stand still while the sandbox is frozen.
/// - SeeAlso: Sentry's developer documentation, "Rate limiting".
struct RateLimits: Sendable, Equatable {
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
            extend(nil, now.advanced(by: Self.retryAfter(retryAfter, now: now)))
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

    /// Whole seconds or an HTTP date; anything else is a minute.
    static func retryAfter(_ text: String?, now: WallClock.Instant) -> Duration {
        guard let text = text?.trimmed, !text.isEmpty else { return .seconds(60) }
        if text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let seconds = Int64(text) {
            return .seconds(min(seconds, 1_000_000_000))
        }
        if let moment = HTTPDate.parse(String(text)) { return max(now.duration(to: moment), .zero) }
        return .seconds(60)
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

/// `Fri, 08 Mar 2019 11:17:09 GMT`, the one form of RFC 9110 that is still sent.
enum HTTPDate {
    static func parse(_ text: String) -> WallClock.Instant? {
        let parts = text.split(at: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int64(parts[1]), let year = Int64(parts[3]),
            let month = months.firstIndex(of: String(parts[2])), (1...31).contains(day), (1970...9999).contains(year)
        else { return nil }
        let clock = parts[4].split(at: ":").compactMap { Int64($0) }
        guard clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...60).contains(clock[2]) else {
            return nil
        }
        let seconds = days(year, Int64(month) + 1, day) * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
        return WallClock.Instant(millisecondsSinceEpoch: seconds * 1000)
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Days from 1970 to a date; years are counted from March.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
