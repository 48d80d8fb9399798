package import Logging
package import SluiceCore
internal import Synchronization

/// All that hear of an app's failures: the log first, then each reporter.
package struct Reporters: SettlingReporter {
    private let logger: Logger
    /// The reporters in the order in which the app names them.
    let all: [any ErrorReporter]
    /// Those whose own `flush` is called, and waited for no longer than its limit. What the others captured is the hub's to deliver.
    private let flushedByUs: [any ErrorReporter]

    /// - Parameter reporters: None: failures are logged, and that is all.
    package init(_ logger: Logger, _ reporters: [any ErrorReporter] = []) {
        self.logger = logger
        all = reporters
        flushedByUs = reporters.filter { !($0 is any DeliveredReporter) && !($0 is any TrackingReporter) }
    }

    /// Whether failures are logged, and that is all.
    package var isEmpty: Bool { all.isEmpty }

    package var lowestStatus: Int { all.map(\.lowestStatus).min() ?? 500 }

    package func capture(_ failure: Failure) {
        failure.write(to: logger)
        report(failure)
    }

    /// Tells the reporters, as ``capture(_:)`` does, without a record.
    func report(_ failure: Failure) {
        for reporter in all where reporter.wants(failure) { reporter.capture(failure) }
    }

    // As a rule there is nothing: no clock is read for that, and no lock taken.
    package var mustFlush: Bool { !flushedByUs.isEmpty || Reports.currentScope?.ledger.hasPending == true }

    package func flush(within limit: Duration) async {
        let ledger = Reports.currentScope?.ledger
        let isPending = ledger?.hasPending == true
        guard isPending || !flushedByUs.isEmpty else { return }
        let start = MonotonicClock.now
        defer { InvocationScope.current?.state.addFlush(since: start) }
        let limit = max(InvocationScope.current?.budget(limit) ?? limit, .zero)
        let waits = flushedByUs.map { reporter in Wait(limit) { await reporter.flush(within: limit) } }
        if isPending { await Reports.hub?.flush(ledger, drains: false, within: limit) }
        for wait in waits { await wait.wait() }
    }

    package func mustSettle(_ scope: InvocationScope) -> Bool {
        if !flushedByUs.isEmpty { return true }
        guard let hub = Reports.hub else { return false }
        return hub.deliveries.contains(where: \.hasWork) || Reports.scope(following: scope)?.ledger.isUsed == true
    }

    package func settle(within limit: Duration) async {
        let scope = InvocationScope.current
        let start = MonotonicClock.now
        defer { scope?.state.addFlush(since: start) }
        let limit = max(scope?.budgetAfterReply(limit) ?? limit, .zero)
        let waits = flushedByUs.map { reporter in Wait(limit) { await reporter.flush(within: limit) } }
        await Reports.hub?.flush(Reports.currentScope?.ledger, drains: true, within: limit)
        for wait in waits { await wait.wait() }
        if scope != nil, let ledger = Reports.currentScope?.ledger, ledger.isUsed { tell(ledger.now) }
    }

    /// One record for each invocation of which anything was captured: what became of it.
    private func tell(_ ledger: ReportLedger) {
        guard ledger.captured > 0 else { return }
        logger.log(
            level: ledger.isDelivered ? .info : .warning, "reports: \(ledger)",
            metadata: ["reports": .dictionary(ledger.metadata)])
    }

    /// Something that is waited for, up to a limit: what does not heed its cancellation is left behind.
    private final class Wait: Sendable {
        private struct State {
            var isOver = false
            var waiting: CheckedContinuation<Void, Never>?
        }

        private let state = Mutex(State())
        private let end: WallClock.Instant
        private let work = Mutex<Task<Void, Never>?>(nil)

        init(_ limit: Duration, _ body: @escaping @Sendable () async -> Void) {
            end = .actual.advanced(by: limit)
            let task = Task {
                await body()
                self.finish()
            }
            work.withLock { $0 = task }
        }

        private func finish() {
            let waiting = state.withLock { state in
                state.isOver = true
                defer { state.waiting = nil }
                return state.waiting
            }
            waiting?.resume()
        }

        private func giveUp() {
            finish()
            // What it does when it is cancelled is its own code too.
            let work = work.withLock(\.self)
            Task.detached { work?.cancel() }
        }

        func wait() async {
            // As a rule it is over by now: then nobody has to keep its time.
            if state.withLock(\.isOver) { return }
            // Not by a task, where there is a thread for it: the reporter may block those that tasks need.
            let alarm = Alarms.shared.set(at: end) { self.giveUp() }
            if alarm == nil {
                let left = max(WallClock.Instant.actual.duration(to: end), .zero)
                Task.detached {
                    try? await Task.sleep(for: left)
                    self.giveUp()
                }
            }
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if !state.isOver { state.waiting = continuation }
                    return state.isOver
                }
                if isOver { continuation.resume() }
            }
            if let alarm { Alarms.shared.cancel(alarm) }
        }
    }
}

extension ReportLedger {
    var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["captured": "\(captured)", "delivered": "\(delivered)"]
        if spooled > 0 { metadata["spooled"] = "\(spooled)" }
        if pending > 0 { metadata["pending"] = "\(pending)" }
        if !refused.isEmpty { metadata["refused"] = "\(refused.values.reduce(0, +))" }
        if !dropped.isEmpty { metadata["dropped"] = "\(dropped.values.reduce(0, +))" }
        return metadata
    }
}
