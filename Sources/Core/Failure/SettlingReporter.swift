/// All reporters of an app as one, for whoever records a failure: they know more of an invocation's end.
package protocol SettlingReporter: ErrorReporter {
    /// Flushes as ``flush(within:)`` does, when the client has its response: also what earlier invocations left behind. Says what became of
    /// the current invocation's reports.
    func settle(within limit: Duration) async
    /// Whether ``flush(within:)`` would find anything to do now; asked before each response leaves.
    var mustFlush: Bool { get }
    /// Whether ``settle(within:)`` would find anything to do for this invocation; asked after each one.
    func mustSettle(_ scope: InvocationScope) -> Bool
}

extension SettlingReporter {
    package func settle(within limit: Duration) async { await flush(within: limit) }
    package var mustFlush: Bool { true }
    package func mustSettle(_ scope: InvocationScope) -> Bool { true }

    /// Captures one failure, and notes on the current invocation that it has one.
    package func record(_ failure: Failure) {
        InvocationScope.current?.state.noteFailure(failure.outcome)
        capture(failure)
    }
}
