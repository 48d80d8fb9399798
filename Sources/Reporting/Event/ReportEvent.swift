public import SluiceCore

/// One report: a failure, and what is known about the request that it belongs to. Everything may be changed but its id.
///
/// Its terms are those of error trackers: an exception's frames, tags, contexts, breadcrumbs.
public struct ReportEvent: Sendable {
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
