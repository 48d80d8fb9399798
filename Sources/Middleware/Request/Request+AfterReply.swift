internal import Logging
internal import SluiceCore

extension Request {
    /// Leaves work for when the client has its response: a receipt, a cache, statistics.
    ///
    /// It runs in this request's scope, before the next invocation is asked for and so before the sandbox freezes, in the order in which it
    /// was left. The client does not wait for it; the next request of this sandbox does, and it is billed. Its time is what is left of the
    /// invocation (``deadline``): near the end its task is cancelled, and what holds on until the deadline ends the process. What it throws
    /// is recorded and reported.
    ///
    /// On a crash, and where the platform kills the process, it does not run: what must not be lost belongs before the response.
    ///
    /// - Parameter work: Runs after a streamed body too, whatever became of the response.
    public func afterReply(_ work: @escaping @Sendable () async throws -> Void) {
        guard let scope = InvocationScope.current else {
            return Logger(label: "sluice").warning("afterReply was called outside of an invocation: its work is not run")
        }
        scope.afterReply(work)
    }
}

extension InvocationScope {
    /// As ``Request/afterReply(_:)``, where there is no request at hand: for a handler of another event, say.
    public func afterReply(_ work: @escaping @Sendable () async throws -> Void) {
        let scope = self
        let isKept = state.addLater {
            do {
                // In this very scope: that of one record of an event, say.
                try await InvocationScope.$current.withValue(scope) { try await work() }
            } catch {
                throw LaterFailure(error: error, scope: scope)
            }
        }
        if !isKept {
            Logger(label: "sluice").warning("afterReply was called when its invocation was over: its work is not run")
        }
    }
}

/// What work after the reply threw, and in whose scope.
private struct LaterFailure: Error {
    let error: any Error
    let scope: InvocationScope
}

extension Chain {
    /// Runs what was left for after the reply, in the current scope.
    package func runAfterReply(_ reporter: any SettlingReporter) async {
        guard let state = InvocationScope.current?.state else { return }
        while let work = state.takeLater() {
            // What adds more for ever ends here.
            if state.isTimedOut, Task.isCancelled {
                return reporter.record(
                    Failure(.afterReply, "work after the reply was not done: no time was left", error: nil))
            }
            do {
                try await work()
            } catch {
                let failure = error as? LaterFailure
                let isLate = state.isTimedOut && Task.isCancelled
                InvocationScope.$current.withValue(failure?.scope ?? InvocationScope.current) {
                    reporter.record(
                        Failure(
                            .afterReply, "work after the reply \(isLate ? "did not end in time" : "failed")",
                            error: failure?.error ?? error))
                }
            }
        }
    }
}
