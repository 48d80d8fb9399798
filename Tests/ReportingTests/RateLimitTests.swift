import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

/// What a server's answer holds back, and until when.
@Suite struct RateLimitTests {
    private static let now = WallClock.Instant(millisecondsSinceEpoch: 1_551_900_000_000)

    struct Row: Sendable, CustomTestStringConvertible {
        var status = 200
        var limits: String?
        var retryAfter: String?
        /// Seconds for what no category's own limit covers.
        var all: Int?
        var own: [ReportCategory: Int] = [:]
        var testDescription: String { "\(status) \(limits ?? "-") \(retryAfter ?? "-")" }
    }

    private static let rows: [Row] = [
        Row(limits: "60", all: 60), Row(limits: "60:", all: 60), Row(limits: "60::organization", all: 60),
        Row(limits: "60:error", own: [.error: 60]),
        Row(limits: "5:error;transaction", own: [.error: 5, .transaction: 5]),
        Row(limits: "6:error, 7:transaction", own: [.error: 6, .transaction: 7]),
        Row(
            limits: "60:transaction:key, 2700:default;error;security:organization",
            own: [.transaction: 60, .default: 2700, .error: 2700, .security: 2700]),
        Row(limits: "8:error;unknown", own: [.error: 8]), Row(limits: "8:unknown"),
        Row(limits: "30:error:s1, 20:error:s2, 40:error", own: [.error: 40]),
        Row(limits: "30:error:s1, 20:error:s2, 40::", all: 40),
        Row(limits: "3.1:error", own: [.error: 4]), Row(limits: "0:error"), Row(limits: "-1:error"), Row(limits: "NaN:error"),
        Row(limits: "Inf:error"), Row(limits: "x"), Row(limits: "x:error"), Row(limits: "x, 9:error", own: [.error: 9]),
        Row(
            limits: "42::organization, invalid, 4711:foobar;transaction;security:project", all: 42,
            own: [.transaction: 4711, .security: 4711]),
        Row(limits: ""), Row(limits: ","), Row(limits: ":::"), Row(limits: "::,,:,"),
        Row(limits: "60:metric_bucket:organization:quota:custom", own: [.metricBucket: 60]),
        Row(limits: "60:metric_bucket:organization:quota", own: [.metricBucket: 60]),
        Row(limits: "60:metric_bucket:organization:quota:transactions"),
        Row(limits: "86400:transaction;span:organization", own: [.transaction: 86400, .span: 86400]),
        Row(
            status: 429, limits: "60::key, 86400:transaction;span:organization", all: 60,
            own: [.transaction: 86400, .span: 86400]),
        Row(status: 429, retryAfter: "100", all: 100), Row(status: 429, all: 60),
        Row(status: 429, limits: "50:error", retryAfter: "100", own: [.error: 50]),
        Row(status: 429, limits: "", retryAfter: "100"),
        Row(status: 429, retryAfter: "x", all: 60), Row(status: 429, retryAfter: "", all: 60),
        Row(status: 429, retryAfter: "5.0", all: 60), Row(status: 429, retryAfter: "-1", all: 60),
        Row(status: 429, retryAfter: "Wed, 06 Mar 2019 19:21:49 GMT", all: 109),
        Row(status: 429, retryAfter: "Wed, 06 Mar 2019 19:19:59 GMT"),
        Row(retryAfter: "100"), Row(status: 503, retryAfter: "100"),
    ]

    @Test("case 100: every row of the table of rate limits", arguments: rows)
    func table(_ row: Row) {
        var limits = SentryRateLimits()
        limits.update(status: row.status, limits: row.limits, retryAfter: row.retryAfter, now: Self.now)
        for category in ReportCategory.allCases where category != .internal {
            let seconds = max(row.all ?? 0, row.own[category] ?? 0)
            let until = Self.now.advanced(by: .seconds(seconds))
            #expect(limits.isLimited(category, at: Self.now) == (seconds > 0), "\(category)")
            if seconds > 0 { #expect(limits.isLimited(category, at: until.advanced(by: .milliseconds(-1))), "\(category)") }
            #expect(!limits.isLimited(category, at: until), "\(category)")
        }
    }

    @Test("case 100: of two answers' limits the later one counts, whichever came first", arguments: [true, false])
    func later(_ longFirst: Bool) {
        var limits = SentryRateLimits()
        let texts = longFirst ? ["50:error", "10:error", "20"] : ["20", "10:error", "50:error"]
        for text in texts { limits.update(status: 200, limits: text, retryAfter: nil, now: Self.now) }
        #expect(limits.isLimited(.error, at: Self.now.advanced(by: .seconds(49))))
        #expect(!limits.isLimited(.error, at: Self.now.advanced(by: .seconds(50))))
        #expect(limits.isLimited(.logItem, at: Self.now.advanced(by: .seconds(19))))
        #expect(!limits.isLimited(.logItem, at: Self.now.advanced(by: .seconds(20))))
    }

    @Test("an answer without limits lifts none, and reports about losses are never limited")
    func kept() {
        var limits = SentryRateLimits()
        limits.update(status: 429, limits: nil, retryAfter: "100", now: Self.now)
        limits.update(status: 200, limits: nil, retryAfter: nil, now: Self.now)
        limits.update(status: 200, limits: "1:internal", retryAfter: nil, now: Self.now)
        #expect(limits.isLimited(.error, at: Self.now.advanced(by: .seconds(99))))
        #expect(!limits.isLimited(.internal, at: Self.now))
    }

    @Test("limits of any length do not overflow")
    func extremes() {
        var limits = SentryRateLimits()
        limits.update(status: 200, limits: "1e300:error,99999999999999999999:log_item", retryAfter: nil, now: Self.now)
        limits.update(status: 429, limits: nil, retryAfter: "99999999999999999999", now: Self.now)
        limits.update(status: 429, limits: nil, retryAfter: "9223372036854775807", now: Self.now)
        #expect(limits.isLimited(.error, at: Self.now.advanced(by: .seconds(86_400))))
        #expect(limits.isLimited(.span, at: Self.now.advanced(by: .seconds(61))))
    }
}
