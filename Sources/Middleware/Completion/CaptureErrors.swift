internal import Logging
public import SluiceCore
internal import SluiceStreaming

/// Records every failure of what stands above it, streamed bodies included: the last step but one of every app.
///
/// A failure is a response that still carries an error and has a status of 500 or more, a response of 500 or more that nobody
/// threw, and an error of a streamed body. Each has exactly one ERROR record. Answers below 500 are in the access line.
public struct CaptureErrors: Sendable {
    private let returnedServerErrors: Bool
    /// Boxed: an app's list is copied as it is built, and these are many.
    private let given: Box?
    private let lowestStatus: Int

    private final class Box: Sendable {
        let reporters: Reporters
        init(_ reporters: Reporters) { self.reporters = reporters }
    }

    /// Who hears of failures.
    package enum Reporters: Sendable {
        /// Those that the environment names: `SENTRY_DSN`, `OTEL_EXPORTER_OTLP_ENDPOINT`, or both.
        case ofEnvironment
        /// Those that the environment names, this one in the place of its kind.
        case ofEnvironmentBut(any ErrorReporter)
        /// These, and no others.
        case these([any ErrorReporter])
    }

    package var reporters: Reporters { given?.reporters ?? .ofEnvironment }

    /// Failures go to whom the environment names: `SENTRY_DSN`, `OTEL_EXPORTER_OTLP_ENDPOINT`, or both. Where it names nobody
    /// they are in the log.
    ///
    /// - Parameter returnedServerErrors: Whether a response of 500 or more that nobody threw is a failure too.
    public init(returnedServerErrors: Bool = true) {
        self.returnedServerErrors = returnedServerErrors
        given = nil
        lowestStatus = 500
    }

    /// - Parameter reporters: Who hears of failures.
    package init(_ reporters: Reporters, returnedServerErrors: Bool) {
        self.returnedServerErrors = returnedServerErrors
        given = Box(reporters)
        let lowest: Int? =
            switch reporters {
            case .ofEnvironment: nil
            case .ofEnvironmentBut(let reporter): reporter.lowestStatus
            case .these(let reporters): reporters.map(\.lowestStatus).min()
            }
        lowestStatus = max(400, min(lowest ?? 500, 500))
    }

    /// Failures go to these reporters, and to no others: `CaptureErrors(to: SentryReporter(options), Pager())`.
    ///
    /// - Parameters:
    ///   - reporters: Each hears of every failure, in this order, once its log record is written.
    ///   - returnedServerErrors: Whether a response of 500 or more that nobody threw is a failure too.
    public init(to reporters: any ErrorReporter..., returnedServerErrors: Bool = true) {
        self.init(to: reporters, returnedServerErrors: returnedServerErrors)
    }

    /// As ``init(to:returnedServerErrors:)-(ErrorReporter...,_)``, for a list that is known when the program runs.
    public init(to reporters: [any ErrorReporter], returnedServerErrors: Bool = true) {
        self.init(.these(reporters), returnedServerErrors: returnedServerErrors)
    }

    func capture(_ end: ResponseEnd, of request: Request, _ reporter: any SettlingReporter) {
        if let failure = failure(of: end, request) { Self.record(failure, reporter) }
    }

    private func failure(of end: ResponseEnd, _ request: Request) -> Failure? {
        let status = end.status.code
        let (method, path) = (request.method.rawValue, request.rawPath)
        guard let error = end.error else {
            guard status >= 500, returnedServerErrors else { return nil }
            return Failure(
                .serverErrorResponse, "\(method) \(path) was answered with \(status)", error: nil, status: status,
                method: method,
                path: path)
        }
        if end.isCut {
            return Failure(
                Self.isDisconnection(error) ? .replyRefused : Self.isPastGuard ? .timeout : .streamCut,
                "\(method) \(path) was cut after \(end.bytesWritten) bytes of its body", error: error, status: status,
                method: method, path: path)
        }
        // What the platform cannot carry is a failure, whatever the app makes of it.
        guard status >= lowestStatus || error is any UnusableReply else { return nil }
        return Failure(
            error is any UnusableReply ? .replyUnusable : Self.isTimeout(error) ? .timeout : .handlerError,
            "\(method) \(path) failed with \(status)", error: error, status: status, method: method, path: path,
            level: Self.level(status))
    }

    /// What the client did wrong is no error of ours, where it is reported at all.
    private static func level(_ status: Int) -> Logger.Level { status >= 500 ? .error : .warning }

    private static func isTimeout(_ error: any Error) -> Bool { error is CancellationError && isPastGuard }

    /// What cuts a body after the guard has cancelled it is the time-out, in whatever words: clients have errors of their own for it.
    private static var isPastGuard: Bool { InvocationScope.current?.state.isTimedOut == true }

    private static func isDisconnection(_ error: any Error) -> Bool {
        (error as? BodyWriterError)?.code == .disconnected
    }

    private static func record(_ failure: Failure, _ reporter: any SettlingReporter) {
        // The guard may have answered for us already: then the time-out has its record, and so has what it led to here.
        if let state = InvocationScope.current?.state, state.isTimedOut, !state.takeTimeoutRecord() {
            return
        }
        reporter.record(failure)
    }
}

/// A response that the platform cannot carry, whatever its handler meant.
package protocol UnusableReply: Error {}
