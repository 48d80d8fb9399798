package import Logging

/// One failed invocation, as it is logged and reported: the same fields in both modes, however the trip ended.
package struct FailureRecord: Sendable {
    /// How the trip ended: the rows of the table in the guide "How errors travel".
    package enum Outcome: String, Sendable {
        /// A handler or middleware threw, and the response still has that error.
        case handlerError = "handler_error"
        /// A response of 500 or more that nobody threw.
        case serverErrorResponse = "server_error_response"
        /// The body threw after the head was sent.
        case streamCut = "stream_cut"
        /// The deadline guard ended the invocation.
        case timeout
        /// The event is no usable HTTP request.
        case badEvent = "bad_event"
        /// The Runtime API did not take the response.
        case replyRefused = "reply_refused"
        /// The response could not be expressed: too large, or a status that no response may have.
        case replyUnusable = "reply_unusable"
        /// A status that `AWS_LWA_ERROR_STATUS_CODES` lists.
        case errorStatus = "error_status"
        /// Start-up failed.
        case startUp = "start_up"
        /// The Runtime API itself failed; the process ends.
        case runtime
    }

    package var outcome: Outcome
    package var message: String
    package var error: (any Error)?
    package var status: Int?
    package var method: String?
    package var path: String?
    package var level: Logger.Level

    package init(
        _ outcome: Outcome, _ message: String, error: (any Error)?, status: Int? = nil, method: String? = nil,
        path: String? = nil, level: Logger.Level = .error
    ) {
        self.outcome = outcome
        self.message = message
        self.error = error
        self.status = status
        self.method = method
        self.path = path
        self.level = level
    }

    private var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["outcome": "\(outcome.rawValue)"]
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
