package import Logging

/// What `CaptureErrors` and `FlushReports` act on.
package protocol Reporter: Sendable {
    /// Takes one failure; call it through ``record(_:)``.
    func capture(_ failure: FailureRecord)
    /// Returns when all that was captured is delivered, or when `limit` is over. With nothing pending it costs nothing.
    func flush(within limit: Duration) async
    /// As ``flush(within:)``, when the client has its response: also for what earlier invocations left behind. Says what became of
    /// the current invocation's reports.
    func settle(within limit: Duration) async
    /// Whether ``settle(within:)`` would find anything to do for this invocation; asked after each one.
    func mustSettle(_ scope: InvocationScope) -> Bool
}

extension Reporter {
    package func settle(within limit: Duration) async { await flush(within: limit) }
    package func mustSettle(_ scope: InvocationScope) -> Bool { true }

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
