public import SluiceCore

/// One report, as `beforeSend` and event processors see it: everything may be changed but its id.
///
/// - SeeAlso: Sentry's developer documentation, "Event payloads".
public struct ReportEvent: Sendable {
    /// 32 lower-case hexadecimal digits; the server takes each id once.
    public let id: String
    /// When it happened.
    public var timestamp: WallClock.Instant
    /// `error` for errors, `info` for messages, unless set.
    public var level: ReportLevel
    /// The text of a message, or what the record of the failure says.
    public var message: String?
    /// The logger's or component's name.
    public var logger: String?
    /// The route, as `GET /orders/{id}`.
    public var transaction: String?
    /// Host name.
    public var serverName: String?
    /// As `shop@1.4.2`.
    public var release: String?
    /// As `production`.
    public var environment: String?
    /// The build, within a release.
    public var dist: String?
    /// Keys of letters, digits and `_.:-`, up to 200 characters; values up to 200, without line breaks. Others are left out.
    public var tags: [String: String] = [:]
    /// Who the request was for.
    public var user: ReportUser?
    /// Named groups of values.
    public var contexts: [String: [String: ReportValue]] = [:]
    /// What decides which reports are one issue; empty for the server's own rule.
    public var fingerprint: [String] = []
    /// Oldest first.
    public var breadcrumbs: [Breadcrumb] = []
    /// Deepest cause first; the error that was thrown is the last one.
    public var exceptions: [ReportException] = []
    /// The HTTP request, filtered.
    public var request: ReportRequest?

    /// The return addresses of the throw, innermost first; they become frames when the event is sent.
    var throwAddresses: [UInt] = []
    var images: [ReportImage] = []
    var trace: TraceContext?

    init(id: String = ReportID.make(), level: ReportLevel, timestamp: WallClock.Instant = .now) {
        self.id = id
        self.level = level
        self.timestamp = timestamp
    }
}

/// Ids of events, traces and spans.
enum ReportID {
    /// A version 4 UUID as 32 lower-case hexadecimal digits.
    static func make() -> String {
        let high = UInt64.random(in: .min ... .max) & ~0xF000 | 0x4000
        let low = UInt64.random(in: .min ... .max) & ~(3 << 62) | (2 << 62)
        return hex(high) + hex(low)
    }

    /// 32 random digits.
    static func trace() -> String { hex(UInt64.random(in: 1 ... .max)) + hex(UInt64.random(in: .min ... .max)) }

    /// 16 random digits, not all zero.
    static func span() -> String { hex(UInt64.random(in: 1 ... .max)) }

    static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
