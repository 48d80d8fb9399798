internal import SluiceCore
internal import SluiceReporting
internal import Synchronization

/// Sentry's ingest protocol: envelopes, client reports, and rate limits by category.
final class SentryFormat: ExtendedReportFormat {
    private let settings: SentrySettings
    private let dsn: DSN
    private let limits = Mutex(SentryRateLimits())

    init(_ settings: SentrySettings, _ dsn: DSN) {
        self.settings = settings
        self.dsn = dsn
    }

    let contentType = "application/x-sentry-envelope"

    var tellsLosses: Bool { settings.options.sendClientReports }

    /// An envelope without items.
    private var blank: SentryEnvelope {
        var envelope = SentryEnvelope()
        if settings.options.tunnel != nil { envelope.dsn = dsn.full }
        return envelope
    }

    static let eventLimit = 950_000

    /// The envelope of one event, within the protocol's limits.
    func body(of event: ReportEvent) -> [UInt8] {
        var event = event
        var payload = event.json()
        // A part of the event is worth more than none.
        if payload.count > Self.eventLimit { event.breadcrumbs = Array(event.breadcrumbs.suffix(10)); payload = event.json() }
        if payload.count > Self.eventLimit { event.contexts = [:]; payload = event.json() }
        if payload.count > Self.eventLimit { event.request = nil; event.breadcrumbs = []; payload = event.json() }
        return envelope(of: event, .init(type: "event", payload: payload, contentType: "application/json"))
    }

    /// The envelope of one transaction: as many of its spans as the protocol's limit leaves room for.
    func body(of event: ReportEvent, _ transaction: SentryTransaction) -> [UInt8] {
        var transaction = transaction
        var payload = event.json(transaction)
        while payload.count > Self.eventLimit, !transaction.spans.isEmpty {
            transaction.spans.removeLast((transaction.spans.count + 1) / 2)
            payload = event.json(transaction)
        }
        if payload.count > Self.eventLimit {
            transaction.root.data = [:]
            payload = event.json(transaction)
        }
        return envelope(of: event, .init(type: "transaction", payload: payload, contentType: "application/json"))
    }

    private func envelope(of event: ReportEvent, _ item: SentryEnvelope.Item) -> [UInt8] {
        var envelope = blank
        envelope.eventID = event.id
        envelope.trace =
            event.trace?.sampling(
                publicKey: dsn.publicKey, release: Field.release(event.release),
                environment: Field.environment(event.environment), organization: settings.organizationID,
                rate: settings.tracesSampleRate) ?? []
        envelope.items = [item]
        return envelope.bytes
    }

    func body(ofLogs entries: [[UInt8]]) -> [UInt8] {
        var payload = Array("{\"items\":[".utf8)
        for (index, entry) in entries.enumerated() {
            if index > 0 { payload.append(0x2C) }
            payload += entry
        }
        payload += Array("]}".utf8)
        var envelope = blank
        envelope.items = [
            .init(
                type: "log", payload: payload, contentType: "application/vnd.sentry.items.log+json", count: entries.count)
        ]
        return envelope.bytes
    }

    func body(_ body: [UInt8]?, telling losses: Losses, at now: WallClock.Instant) -> [UInt8] {
        var bytes = body ?? blank.bytes
        // Before the last line feed.
        if bytes.last == 0x0A { bytes.removeLast() }
        SentryEnvelope.append(.init(type: "client_report", payload: losses.clientReport(at: now)), to: &bytes)
        bytes.append(0x0A)
        return bytes
    }

    func stamped(_ body: [UInt8], at now: WallClock.Instant) -> [UInt8] { SentryEnvelope.stamp(body, sentAt: now) }

    func heed(_ response: TransportResponse, status: Int, at now: WallClock.Instant) {
        limits.withLock {
            $0.update(status: status, limits: response.rateLimits, retryAfter: response.retryAfter, now: now)
        }
    }

    func isLimited(_ kind: QueuedRequest.Kind, at now: WallClock.Instant) -> Bool {
        switch kind {
        case .event: limits.withLock { $0.isLimited(.error, at: now) }
        case .logs: limits.withLock { $0.isLimited(.logItem, at: now) }
        case .spans: limits.withLock { $0.isLimited(.transaction, at: now) }
        // Reports about losses are never limited.
        case .losses: false
        }
    }

    func hint(on status: Int) -> String {
        switch status {
        case 401, 403: ": the key of the DSN is wrong or disabled"
        case 413: ": it is too large"
        case 429: ": too many, it holds back"
        default: ""
        }
    }
}
