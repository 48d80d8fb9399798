package import Logging

/// What `CaptureErrors` and `FlushReports` act on. The log is the only destination so far; delivery to an error tracker
/// takes the same place.
package protocol Reporter: Sendable {
    /// Takes one failure; call it through ``record(_:)``.
    func capture(_ failure: FailureRecord)
    /// Returns when all that was captured is delivered, or when `limit` is over. With nothing pending it costs nothing.
    func flush(within limit: Duration) async
}

extension Reporter {
    /// Captures one failure, and notes on the current invocation that it has one.
    package func record(_ failure: FailureRecord) {
        InvocationScope.current?.progress.hasFailed = true
        capture(failure)
    }
}

/// Writes failures to the log; a record is complete when the call returns, so nothing is ever pending.
package struct LogReporter: Reporter {
    private let logger: Logger

    package init(_ logger: Logger) { self.logger = logger }

    package func capture(_ failure: FailureRecord) { failure.write(to: logger) }
    package func flush(within limit: Duration) async {}
}
