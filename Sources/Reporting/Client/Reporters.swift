package import Logging
internal import Synchronization

/// All that hear of an app's failures: the log first, then each reporter.
package struct Reporters: SettlingReporter {
    private let logger: Logger
    /// Of the app's own, whose flush is waited for no longer than its limit.
    private let others: [any ErrorReporter]
    private let sentry: [SentryReporter]

    /// - Parameter reporters: None: failures are logged, and that is all.
    package init(_ logger: Logger, _ reporters: [any ErrorReporter] = []) {
        self.logger = logger
        sentry = reporters.compactMap { $0 as? SentryReporter }
        others = reporters.filter { !($0 is SentryReporter) }
    }

    package func capture(_ failure: Failure) {
        failure.write(to: logger)
        for reporter in sentry { reporter.capture(failure) }
        for reporter in others { reporter.capture(failure) }
    }

    package func flush(within limit: Duration) async {
        guard !others.isEmpty else {
            for reporter in sentry { await reporter.flush(within: limit) }
            return
        }
        let waits = others.map { reporter in Wait(limit) { await reporter.flush(within: limit) } }
        for reporter in sentry { await reporter.flush(within: limit) }
        for wait in waits { await wait.end() }
    }

    package func mustSettle(_ scope: InvocationScope) -> Bool {
        !others.isEmpty || sentry.contains { $0.mustSettle(scope) }
    }

    package func settle(within limit: Duration) async {
        for reporter in sentry { await reporter.settle(within: limit, logger) }
        let waits = others.map { reporter in Wait(limit) { await reporter.flush(within: limit) } }
        for wait in waits { await wait.end() }
    }

    /// Something that is waited for, up to a limit: what does not heed its cancellation is left behind.
    private final class Wait: Sendable {
        private struct State {
            var isOver = false
            var timer: Task<Void, Never>?
            var waiting: CheckedContinuation<Void, Never>?
        }

        private let state = Mutex(State())

        init(_ limit: Duration, _ body: @escaping @Sendable () async -> Void) {
            let limit = max(InvocationScope.current?.budget(limit) ?? limit, .zero)
            let work = Task {
                await body()
                self.finish()
            }
            let timer = Task.detached {
                // Cancelled where the work was done in time.
                guard (try? await Task.sleep(for: limit)) != nil else { return }
                work.cancel()
                self.finish()
            }
            let isOver = state.withLock { state in
                state.timer = timer
                return state.isOver
            }
            if isOver { timer.cancel() }
        }

        private func finish() {
            let (timer, waiting) = state.withLock { state in
                state.isOver = true
                defer { (state.timer, state.waiting) = (nil, nil) }
                return (state.timer, state.waiting)
            }
            timer?.cancel()
            waiting?.resume()
        }

        func end() async {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if !state.isOver { state.waiting = continuation }
                    return state.isOver
                }
                if isOver { continuation.resume() }
            }
        }
    }
}
