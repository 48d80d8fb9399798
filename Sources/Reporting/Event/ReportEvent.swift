public import SluiceCore

/// One report: a failure, and what is known about the request that it belongs to. Everything may be changed but its id.
///
/// Its terms are those of error trackers: an exception's frames, tags, contexts, breadcrumbs.
///
/// Encoded, it has the names of its properties, the trace's ids among them: a body for a server of your own.
public struct ReportEvent: Sendable, Encodable {
    /// 32 lower-case hexadecimal digits, those of the ``Failure``; a server takes each id once.
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
    /// The host's name.
    public var serverName: String?
    /// The version of the app, as `shop@1.4.2`.
    public var release: String?
    /// Where it runs, as `production`.
    public var environment: String?
    /// The build, within a release.
    public var dist: String?
    /// Something to search by. A tracker may take keys of letters, digits and `_.:-` only, and values of one line, 200 characters each.
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

    /// The id of the trace that it belongs to, 32 lower-case hexadecimal digits; nil where none is known.
    public var traceID: String? { trace?.traceID }
    /// The id of our own span in that trace, 16 digits.
    public var spanID: String? { trace?.spanID }

    private enum CodingKeys: CodingKey {
        case id, timestamp, level, message, logger, transaction, serverName, release, environment, dist, tags, user, contexts
        case fingerprint, breadcrumbs, exceptions, request, traceID, spanID
    }

    /// Throws what the encoder throws; what is nil is left out.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(timestamp, forKey: .timestamp)
        try container.encode(level, forKey: .level)
        try container.encodeIfPresent(message, forKey: .message)
        try container.encodeIfPresent(logger, forKey: .logger)
        try container.encodeIfPresent(transaction, forKey: .transaction)
        try container.encodeIfPresent(serverName, forKey: .serverName)
        try container.encodeIfPresent(release, forKey: .release)
        try container.encodeIfPresent(environment, forKey: .environment)
        try container.encodeIfPresent(dist, forKey: .dist)
        try container.encode(tags, forKey: .tags)
        try container.encodeIfPresent(user, forKey: .user)
        try container.encode(contexts, forKey: .contexts)
        try container.encode(fingerprint, forKey: .fingerprint)
        try container.encode(breadcrumbs, forKey: .breadcrumbs)
        try container.encode(exceptions, forKey: .exceptions)
        try container.encodeIfPresent(request, forKey: .request)
        try container.encodeIfPresent(traceID, forKey: .traceID)
        try container.encodeIfPresent(spanID, forKey: .spanID)
    }

    /// The return addresses of the throw, innermost first; they become frames when the event is sent.
    package var throwAddresses: [UInt] = []
    package var images: [LoadedImage] = []
    /// The trace that it belongs to; nil where none is known.
    package var trace: TraceContext?

    /// - Parameters:
    ///   - id: 32 lower-case hexadecimal digits.
    ///   - level: How bad it is.
    ///   - timestamp: When it happened.
    package init(id: String = RandomID.uuid(), level: ReportLevel, timestamp: WallClock.Instant = .now) {
        self.id = id
        self.level = level
        self.timestamp = timestamp
    }

    /// The event with the names of its calls, where it has addresses only. Reads the binaries' files: not for a request's thread.
    package var symbolicated: ReportEvent {
        guard !throwAddresses.isEmpty, let last = exceptions.indices.last, exceptions[last].frames.isEmpty else { return self }
        var event = self
        event.exceptions[last].frames = Symbols.frames(throwAddresses, images)
        return event
    }

    /// The event with addresses only, for the copy in the spool: names can wait until it is sent.
    package var withBareFrames: ReportEvent {
        guard !throwAddresses.isEmpty, let last = exceptions.indices.last else { return self }
        var event = self
        event.exceptions[last].frames = Symbols.bareFrames(throwAddresses, images)
        return event
    }
}
