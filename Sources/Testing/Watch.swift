internal import Logging
internal import SluiceCore
internal import Sluice
internal import Synchronization

/// What a client sees of its app.
final class Watch: Sendable {
    let reporter = CollectingReporter()
    let records = TestLogs.Records()

    /// A watcher for the app.
    func watcher(_ began: @escaping @Sendable (InvocationScope.State) -> Void = { _ in }) -> AppWatcher {
        let records = records
        return AppWatcher(
            logger: Logger(label: "sluice") { TestLogHandler(label: $0, records: records) }, reporters: [reporter], began: began
        )
    }
}

/// Keeps failures; they are delivered when they are flushed.
final class CollectingReporter: ErrorReporter {
    private struct State {
        var failures: [Failure] = []
        /// The first error of each invocation.
        var errors: [String: any Error] = [:]
        var delivered = 0
    }

    private let state = Mutex(State())

    var failures: [Failure] { state.withLock(\.failures) }
    var ledger: TestLedger {
        state.withLock { TestLedger(captured: $0.failures.count, delivered: $0.delivered) }
    }

    func capture(_ failure: Failure) {
        let id = InvocationScope.current?.requestID
        state.withLock { state in
            state.failures.append(failure)
            if let id, let error = failure.error, state.errors[id] == nil { state.errors[id] = error }
        }
    }

    /// What the invocation of this id failed with.
    func error(of id: String) -> (any Error)? { state.withLock { $0.errors[id] } }

    func flush(within limit: Duration) async { state.withLock { $0.delivered = $0.failures.count } }
    func reset() { state.withLock { $0 = State() } }
}

/// What became of a test's reports.
public struct TestLedger: Sendable, Hashable {
    /// All that reporters heard of.
    public let captured: Int
    /// Those that a flush has delivered.
    public let delivered: Int
    /// Those that no flush has seen: on Lambda they would be frozen.
    public var pending: Int { captured - delivered }
}
