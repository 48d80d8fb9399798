internal import SluiceMiddleware
internal import SluiceReporting
internal import Synchronization
internal import SluiceCore

/// What the deadline guard knows of one invocation in flight.
final class GuardedInvocation: Sendable {
    let scope: InvocationScope
    let schedule: GuardSchedule
    let reply: Reply
    private let details = Mutex(Details())

    struct Details: Sendable {
        /// Cancels the handler's task.
        var cancel: (@Sendable () -> Void)?
        /// The request, once the event has been read.
        var request: Request?
        /// Whether the event is no HTTP request: then nobody can be answered, and a time-out fails the invocation.
        var isEvent = false
        /// The app's response to a time-out, shaped by its own code on a thread that may block.
        var timeoutResponse: Response?
    }

    init(scope: InvocationScope, schedule: GuardSchedule, reply: Reply) {
        self.scope = scope
        self.schedule = schedule
        self.reply = reply
    }

    var known: Details { details.withLock { $0 } }

    func tell(_ change: (inout sending Details) -> Void) { details.withLock { change(&$0) } }
}
