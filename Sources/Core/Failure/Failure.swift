public import Logging

/// One failure of an invocation, as it is logged and reported: the same fields in both modes, however the invocation ended.
public struct Failure: Sendable {
    /// What happened: the rows of the table in the guide "How errors travel". More may come.
    public struct Outcome: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        /// Its name in records, and in the tag `outcome` of reports.
        public let rawValue: String

        /// - Parameter rawValue: Lower case, with underscores.
        public init(rawValue: String) { self.rawValue = rawValue }

        private init(_ rawValue: String) { self.rawValue = rawValue }

        /// The same as ``rawValue``.
        public var description: String { rawValue }

        /// A handler or middleware threw, and the response still has that error.
        public static let handlerError = Self("handler_error")
        /// A response of 500 or more that nobody threw.
        public static let serverErrorResponse = Self("server_error_response")
        /// The body threw after the head was sent.
        public static let streamCut = Self("stream_cut")
        /// The deadline guard ended the invocation.
        public static let timeout = Self("timeout")
        /// The event is no usable HTTP request, or the invocation's headers cannot be used.
        public static let badEvent = Self("bad_event")
        /// The Runtime API did not take the reply.
        public static let replyRefused = Self("reply_refused")
        /// The reply could not be expressed: too large.
        public static let replyUnusable = Self("reply_unusable")
        /// A status that `AWS_LWA_ERROR_STATUS_CODES` lists.
        public static let errorStatus = Self("error_status")
        /// Work that an app had left for after the reply failed, or did not end in time.
        public static let afterReply = Self("after_reply")
        /// What an app does after a thaw failed.
        public static let thaw = Self("thaw")
        /// The sandbox ended with an invocation in hand.
        public static let shutdown = Self("shutdown")
        /// A service of the app ended before the app; the process ends.
        public static let service = Self("service")
        /// Start-up failed.
        public static let startUp = Self("start_up")
        /// The Runtime API itself failed; the process ends.
        public static let runtime = Self("runtime")
        /// The handler of a record, or of an event, threw: of what is not HTTP.
        public static let eventError = Self("event_error")
        /// The app's own code captured it, and went on: no record of ours tells of it.
        public static let captured = Self("captured")
        /// Lambda counted an error of an invocation that the app had answered without failing it: `PlatformWatch` has heard of it.
        public static let platformError = Self("platform_error")
    }

    /// 32 lower-case hexadecimal digits, the same for every reporter.
    public let id: String
    /// When it happened.
    public let timestamp: WallClock.Instant

    /// What happened.
    public let outcome: Outcome
    /// What happened, in words: as `GET /orders failed with 500`.
    public let message: String
    /// What was thrown; nil where nothing was.
    public let error: (any Error)?
    /// What the client got, or what the Runtime API said of a reply that it did not take; nil where there was no response of ours.
    public let status: Int?
    /// The request's method, as `GET`; nil where there was none.
    public package(set) var method: String?
    /// The request's path, as it was sent; nil where there was none.
    public package(set) var path: String?
    /// The tag that says which service an event came from, where it is no HTTP request: as `aws:sqs`.
    package static let sourceTag = "event_source"
    /// The tag that names one record of an event.
    package static let recordTag = "record_id"

    /// What it is about besides: `record_id`, of a message in a batch, say. Metadata of its record, tags or attributes of its report.
    public package(set) var tags: [String: String] = [:]
    /// The level of its record: `error` as a rule, `warning` for what the client did wrong, `critical` where the process ends.
    public let level: Logger.Level
    /// What its record says besides.
    package var details: Logger.Metadata = [:]

    /// A failure of your own making, to test a reporter with.
    ///
    /// - Parameters:
    ///   - outcome: What happened.
    ///   - message: What happened, in words.
    ///   - error: What was thrown; nil where nothing was.
    ///   - status: What the client got; nil where it got no response.
    ///   - method: The request's method; nil where there was no request.
    ///   - path: The request's path; nil where there was no request.
    ///   - level: The level of its record.
    public init(
        _ outcome: Outcome, _ message: String, error: (any Error)?, status: Int? = nil, method: String? = nil,
        path: String? = nil, level: Logger.Level = .error
    ) {
        id = RandomID.uuid()
        timestamp = .now
        self.outcome = outcome
        self.message = message
        self.error = error
        self.status = status
        self.method = method
        self.path = path
        self.level = level
    }

    private var metadata: Logger.Metadata {
        var metadata = details.merging(tags.mapValues { Logger.MetadataValue.string($0) }) { own, _ in own }
        metadata["outcome"] = "\(outcome.rawValue)"
        if let status { metadata["status"] = "\(status)" }
        if let method { metadata["method"] = "\(method)" }
        if let path { metadata["path"] = "\(path)" }
        return metadata
    }

    /// Writes the record. Call it once per failure.
    package func write(to logger: Logger) {
        logger.log(level: level, "\(message)", error: error, metadata: metadata)
    }
}
