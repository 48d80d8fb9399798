internal import SluiceCore
internal import Synchronization

/// One worker's place at the guard. Arming and disarming take this worker's own lock only, and no system call as a rule.
final class GuardSlot: Sendable {
    private struct State {
        var invocation: GuardedInvocation?
        var done: GuardSchedule.Stage?
        /// What the guard is doing about the invocation: meanwhile its connection must not be closed, and its worker not go on.
        var acts = 0
        var waiting: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    func arm(_ invocation: GuardedInvocation) {
        state.withLock { state in
            state.invocation = invocation
            state.done = nil
        }
    }

    /// Ends the guard's interest.
    ///
    /// - Returns: Whether it is answering, or ending the process, which is then to be waited for.
    func disarm() -> Bool {
        state.withLock { state in
            state.invocation = nil
            return state.acts > 0
        }
    }

    /// Returns when the guard has done what it is doing.
    func waitForGuard() async {
        await withCheckedContinuation { continuation in
            let late = state.withLock { state in
                if state.acts > 0 { state.waiting = { continuation.resume() } }
                return state.acts == 0
            }
            if late { continuation.resume() }
        }
    }

    /// What its worker has not come back from.
    var inHand: GuardedInvocation? { state.withLock(\.invocation) }

    /// When the guard must look again; nil when nothing is in flight.
    var nextDue: WallClock.Instant? { state.withLock { state in state.invocation?.schedule.next(after: state.done) } }

    /// Whether its invocation is past its end and the handler still holds the worker.
    var isStuck: Bool { state.withLock { state in state.invocation != nil && state.done == .exit } }

    /// Takes the next stage that is due; all but the first end with ``acted()``.
    func takeDue(at now: WallClock.Instant) -> (GuardSchedule.Stage, GuardedInvocation)? {
        state.withLock { state in
            guard let invocation = state.invocation, let stage = invocation.schedule.due(at: now, after: state.done) else {
                return nil
            }
            state.done = stage
            if stage != .cancel { state.acts += 1 }
            return (stage, invocation)
        }
    }

    /// Whether the guard is answering, or ending the process.
    var isActing: Bool { state.withLock { $0.acts > 0 } }

    /// Whether the worker has not come back from it.
    func isHeld(by invocation: GuardedInvocation) -> Bool { state.withLock { $0.invocation === invocation } }

    /// Runs `end` if the invocation still holds the worker. Under the lock: a worker that is just done must not go on to another
    /// invocation while the process is being ended.
    func ifStillHeld(by invocation: GuardedInvocation, _ end: () -> Void) {
        state.withLock { state in
            if state.invocation === invocation { end() }
        }
    }

    func acted() {
        let waiting = state.withLock { state -> (@Sendable () -> Void)? in
            state.acts -= 1
            guard state.acts == 0 else { return nil }
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?()
    }
}
