internal import Logging
public import SluiceReporting
internal import SluiceStreaming

/// Records every failure of what stands above it, streamed bodies included: the last step but one of every app.
///
/// A failure is an answer that still carries an error and has a status of 500 or more, an answer of 500 or more that nobody
/// threw, and an error of a streamed body. Each has exactly one ERROR record. Answers below 500 are in the access line.
public struct CaptureErrors: Sendable {
    private let answersOf500: Bool
    let options: ReportOptions?
    private let lowestStatus: Int

    /// - Parameters:
    ///   - options: How errors are reported; nil takes all of it from the environment: `SENTRY_DSN` and the others.
    ///   - answersOf500: Whether an answer of 500 or more that nobody threw is a failure too.
    public init(_ options: ReportOptions? = nil, answersOf500: Bool = true) {
        self.answersOf500 = answersOf500
        self.options = options
        lowestStatus = max(400, min(options?.lowestStatus ?? 500, 500))
    }

    func apply(to response: inout Response, of request: Request, _ reporter: any Reporter) {
        let head = failure(of: response, request)
        guard !response.body.isPlain else {
            if let head { Self.record(head, reporter) }
            return
        }
        // Decided when the body has ended: its own error says more than the status before it, and one failure has one record.
        let status = response.status.code
        response.body.wrap { writer, body in
            do {
                try await body(writer)
                if let head { Self.record(head, reporter) }
            } catch {
                if let failure = failure(of: error, request, status, writer) ?? head { Self.record(failure, reporter) }
                throw error
            }
        }
    }

    private func failure(of response: Response, _ request: Request) -> FailureRecord? {
        let status = response.status.code
        guard status >= (response.error == nil ? 500 : lowestStatus), response.error != nil || answersOf500 else { return nil }
        let place = "\(request.method.rawValue) \(request.rawPath)"
        guard let error = response.error else {
            return FailureRecord(
                .serverErrorAnswer, "\(place) was answered with \(status)", error: nil, status: status,
                method: request.method.rawValue, path: request.rawPath)
        }
        return FailureRecord(
            Self.isTimeout(error) ? .timeout : .handlerError, "\(place) failed with \(status)", error: error,
            status: status, method: request.method.rawValue, path: request.rawPath, level: Self.level(status))
    }

    /// What the client did wrong is no error of ours, where it is reported at all.
    private static func level(_ status: Int) -> Logger.Level { status >= 500 ? .error : .warning }

    /// What an error of the body means depends on whether the client has the status already.
    private func failure(
        of error: any Error, _ request: Request, _ status: Int, _ writer: BodyWriter
    ) -> FailureRecord? {
        let place = "\(request.method.rawValue) \(request.rawPath)"
        if writer.canStillChangeStatus {
            let answer = HTTPError(answering: error).status.code
            guard answer >= lowestStatus else { return nil }
            return FailureRecord(
                Self.isTimeout(error) ? .timeout : .handlerError, "\(place) failed with \(answer)", error: error,
                status: answer, method: request.method.rawValue, path: request.rawPath, level: Self.level(answer))
        }
        return FailureRecord(
            Self.isTimeout(error) ? .timeout : Self.isDisconnection(error) ? .replyRefused : .streamCut,
            "\(place) was cut after \(writer.bytesWritten) bytes of its body", error: error, status: status,
            method: request.method.rawValue, path: request.rawPath)
    }

    private static func isTimeout(_ error: any Error) -> Bool {
        error is CancellationError && InvocationScope.current?.progress.isPastGuard == true
    }

    private static func isDisconnection(_ error: any Error) -> Bool {
        if case .disconnected = error as? BodyWriterError { true } else { false }
    }

    private static func record(_ failure: FailureRecord, _ reporter: any Reporter) {
        // The guard may have answered for us already: then the time-out has its record, and so has what it led to here.
        if let progress = InvocationScope.current?.progress, progress.isPastGuard, !progress.takeTimeoutRecord() {
            return
        }
        reporter.record(failure)
    }
}
