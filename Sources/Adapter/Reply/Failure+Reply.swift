internal import Logging
internal import SluiceCore
internal import SluiceMiddleware

/// The failures that the chain does not see, each with its record's words: of events, replies, time-outs, start-up and the Runtime API.
extension Failure {
    // MARK: Events

    /// An event that is no usable request, and how it was answered.
    static func badEvent(_ error: EventError) -> Failure {
        Failure(
            .badEvent, error.isHTTP ? "the request was answered with 400" : "the event is no HTTP request", error: error,
            status: error.isHTTP ? 400 : nil, level: error.isHTTP ? .warning : .error)
    }

    /// An invocation whose headers cannot be used.
    static func badInvocation(_ error: InvocationError) -> Failure {
        Failure(.badEvent, "the invocation cannot be used", error: error)
    }

    // MARK: Replies

    /// A status that fails the invocation: one that `AWS_LWA_ERROR_STATUS_CODES` lists, or an error's where an event was passed through.
    static func errorStatus(_ status: Int, _ request: Request, _ error: (any Error)? = nil) -> Failure {
        of(request, .errorStatus, "a response with \(status) fails the invocation", error, status)
    }

    /// The Runtime API did not take a reply; the sandbox lives on.
    static func refused(_ refused: ReplyRefused, _ request: Request?) -> Failure {
        of(request, .replyRefused, "the Runtime API did not take the reply", refused, refused.status)
    }

    /// The Runtime API did not take the error that stood for a reply.
    static func errorRefused(_ refused: ReplyRefused) -> Failure {
        Failure(.replyRefused, "the error was not taken", error: refused)
    }

    /// The Runtime API stopped reading a stream.
    static func readerGone(_ error: any Error, _ request: Request) -> Failure {
        of(request, .replyRefused, "the Runtime API stopped reading the reply", error, nil)
    }

    // MARK: Time-outs

    /// What the deadline guard did, as in `GET / did not end in time and was answered with 504`.
    ///
    /// - Parameter status: What the client got; nil where it got no response of ours.
    static func timeout(_ what: String, _ request: Request?, _ status: Int?) -> Failure {
        let place = request.map { "\($0.method.rawValue) \($0.rawPath)" } ?? "the invocation"
        return of(request, .timeout, "\(place) \(what)", HandlerTimeout(), status)
    }

    /// SIGTERM came, and an invocation did not end in its part of the time.
    static func sandboxEnds(_ request: Request?, _ status: Int?) -> Failure {
        let place = request.map { "\($0.method.rawValue) \($0.rawPath)" } ?? "an invocation"
        return of(request, .shutdown, "\(place) was in hand when the sandbox ended", nil, status)
    }

    /// The deadline guard's own reply did not get through.
    static func timeoutRefused(_ error: any Error) -> Failure {
        Failure(.replyRefused, "the time-out's reply was not taken", error: error)
    }

    // MARK: The platform's count

    /// Lambda counted an error of an invocation that was answered, and not as a failed one.
    static func platformError(_ miscount: PlatformPairing.Miscount) -> Failure {
        var failure = Failure(
            .platformError, "platform counted an error that the app did not see", error: nil, status: miscount.ours.status,
            level: .warning)
        failure.details = miscount.details
        return failure
    }

    // MARK: The process

    static func startUp(_ error: any Error) -> Failure { Failure(.startUp, "start-up failed", error: error) }

    static func startUp(of part: String, _ error: any Error) -> Failure {
        Failure(.startUp, "\(part) could not start", error: error, level: .critical)
    }

    /// A service of the app has ended, or could not begin.
    static func service(_ error: any Error) -> Failure {
        Failure(.service, "a service of the app has ended; the process ends", error: error, level: .critical)
    }

    /// Lambda was not told why start-up failed.
    static func startUpUntold(_ error: any Error) -> Failure {
        Failure(.replyRefused, "the start-up error was not taken", error: error)
    }

    /// The Runtime API is gone, or not as it should be.
    static func runtime(_ error: any Error) -> Failure {
        Failure(.runtime, "the Runtime API failed; the process ends", error: error, level: .critical)
    }

    private static func of(
        _ request: Request?, _ outcome: Outcome, _ message: String, _ error: (any Error)?, _ status: Int?
    ) -> Failure {
        Failure(
            outcome, message, error: error, status: status, method: request?.method.rawValue, path: request?.rawPath)
    }
}

/// A handler did not end before the deadline's margin, nor when it was cancelled.
struct HandlerTimeout: Error, CustomStringConvertible {
    var description: String { "the handler did not end before its deadline" }
}
