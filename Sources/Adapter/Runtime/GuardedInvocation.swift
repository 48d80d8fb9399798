internal import SluiceMiddleware
internal import SluiceReporting
internal import Synchronization
internal import SluiceCore

/// What the deadline guard knows of one invocation in flight.
final class GuardedInvocation: Sendable {
    let id: String
    let scope: InvocationScope
    let schedule: GuardSchedule
    let token: ReplyToken
    private let details = Mutex(Details())

    struct Details: Sendable {
        /// Cancels the handler's task.
        var cancel: (@Sendable () -> Void)?
        /// The request, once the event has been read.
        var request: Request?
        /// The stream, under streaming mode and once the handler has answered.
        var stream: StreamReply?
        /// The app's response to a time-out, shaped by its own code on a thread that may block.
        var timeoutResponse: Response?
        /// The guard has answered, or ended the stream, in the worker's place.
        var isEndedByGuard = false
    }

    init(id: String, scope: InvocationScope, schedule: GuardSchedule, token: ReplyToken) {
        self.id = id
        self.scope = scope
        self.schedule = schedule
        self.token = token
    }

    var known: Details { details.withLock { $0 } }

    func tell(_ change: (inout sending Details) -> Void) { details.withLock { change(&$0) } }
}

/// One worker's place at the guard. Arming and disarming take this worker's own lock only, and no system call as a rule.
final class GuardSlot: Sendable {
    private struct State {
        var trip: GuardedInvocation?
        var done: GuardSchedule.Stage?
        /// What the guard is doing about the trip: meanwhile its connection must not be closed, and its worker not go on.
        var acts = 0
        var waiting: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    func arm(_ trip: GuardedInvocation) {
        state.withLock { state in
            state.trip = trip
            state.done = nil
        }
    }

    /// Ends the guard's interest; waits while it is answering, or ending the process.
    func disarm() async {
        state.withLock { $0.trip = nil }
        guard isActing else { return }
        await withCheckedContinuation { continuation in
            let late = state.withLock { state in
                if state.acts > 0 { state.waiting = { continuation.resume() } }
                return state.acts == 0
            }
            if late { continuation.resume() }
        }
    }

    /// When the guard must look again; nil when nothing is in flight.
    var nextDue: WallClock.Instant? { state.withLock { state in state.trip?.schedule.next(after: state.done) } }

    /// Whether its invocation is past its end and the handler still holds the worker.
    var isStuck: Bool { state.withLock { state in state.trip != nil && state.done == .exit } }

    /// Takes the next stage that is due; all but the first end with ``acted()``.
    func takeDue(at now: WallClock.Instant) -> (GuardSchedule.Stage, GuardedInvocation)? {
        state.withLock { state in
            guard let trip = state.trip, let stage = trip.schedule.due(at: now, after: state.done) else { return nil }
            state.done = stage
            if stage != .cancel { state.acts += 1 }
            return (stage, trip)
        }
    }

    /// Whether the guard is answering, or ending the process.
    var isActing: Bool { state.withLock { $0.acts > 0 } }

    /// Whether the worker has not come back from the trip.
    func isHeld(by trip: GuardedInvocation) -> Bool { state.withLock { $0.trip === trip } }

    /// Runs `end` if the trip still holds the worker. Under the lock: a worker that is just done must not go on to another
    /// invocation while the process is being ended.
    func ifStillHeld(by trip: GuardedInvocation, _ end: () -> Void) {
        state.withLock { state in
            if state.trip === trip { end() }
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
