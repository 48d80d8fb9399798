package import Logging
internal import Synchronization

extension InvocationScope {
    /// What happened to an invocation so far: written by the deadline guard, read by whoever records a failure.
    package final class State: Sendable {
        private let timedOut = Atomic(false)
        private let timeoutTaken = Atomic(false)
        private let failed = Atomic(false)
        private let afterReply = Atomic(false)
        private let flushed = Atomic<Int64>(0)
        private let hasFollower = Atomic(false)
        private let hasLogContext = Atomic(false)
        private let laterPhase = Atomic(Later.none.rawValue)
        /// 0 until somebody has claimed the invocation.
        private let owner: Atomic<UInt64>
        private let shared = Mutex(Shared())
        /// The invocation's own, where this is that of a part of it: what ends the invocation is known to all of its parts.
        private let outer: State?

        private struct Shared {
            var follower: (any ScopeFollower)?
            var throwSites: [ThrowSite] = []
            var later: [@Sendable () async throws -> Void] = []
            var logContext: Logger.Metadata = [:]
            // Apart, so that a request of which nothing is logged makes no dictionary.
            var trace: String?
            var route: String?
            var outcome: Failure.Outcome?
        }

        /// The current task owns the invocation, until another one claims it.
        package init() {
            owner = Atomic(CurrentTask.id)
            outer = nil
        }

        /// The state of a part of an invocation, which the current task owns: a time-out, a failure and work after the reply are the whole's.
        init(partOf outer: State) {
            owner = Atomic(CurrentTask.id)
            self.outer = outer.whole
        }

        private var whole: State { outer ?? self }

        /// The current task owns the invocation from here on: what it says of it is said of the whole.
        func claim() { owner.store(CurrentTask.id, ordering: .relaxed) }

        /// The number of the task that owns the invocation; 0 outside of tasks.
        package var ownerID: UInt64 { owner.load(ordering: .relaxed) }

        /// Whether the deadline guard has acted; set before the handler's task is cancelled.
        package var isTimedOut: Bool {
            get { whole.timedOut.load(ordering: .acquiring) }
            set { whole.timedOut.store(newValue, ordering: .releasing) }
        }

        /// Whether the reply has left, and work that was left for then is being done.
        package var isAfterReply: Bool {
            get { whole.afterReply.load(ordering: .acquiring) }
            set { whole.afterReply.store(newValue, ordering: .releasing) }
        }

        /// Whether a failure of this invocation is on record.
        package var hasFailed: Bool { whole.failed.load(ordering: .acquiring) }

        /// The first failure of this invocation that is on record; nil where there is none.
        package var outcome: Failure.Outcome? { hasFailed ? whole.shared.withLock(\.outcome) : nil }

        func noteFailure(_ outcome: Failure.Outcome) {
            whole.shared.withLock { $0.outcome = $0.outcome ?? outcome }
            whole.failed.store(true, ordering: .releasing)
        }

        /// How long somebody has waited for reports to be delivered, in nanoseconds.
        package var flushTime: Int64 { whole.flushed.load(ordering: .relaxed) }

        /// Adds to ``flushTime``, from a moment of the monotonic clock until now.
        package func addFlush(since start: Int64) { whole.flushed.add(MonotonicClock.now - start, ordering: .relaxed) }

        /// True for the first caller only: a time-out has exactly one record, whoever comes to write it.
        package func takeTimeoutRecord() -> Bool {
            whole.timeoutTaken.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        }

        // MARK: Work after the reply

        /// Of the work that is left for when the reply is gone.
        private enum Later: UInt8 {
            case none
            case some
            /// Nothing can be added any more.
            case over
        }

        /// Keeps work for when the reply has left; false where that is over.
        package func addLater(_ work: @escaping @Sendable () async throws -> Void) -> Bool {
            if let outer { return outer.addLater(work) }
            return shared.withLock { shared in
                let (_, phase) = laterPhase.compareExchange(
                    expected: Later.none.rawValue, desired: Later.some.rawValue, ordering: .acquiringAndReleasing)
                guard phase != Later.over.rawValue else { return false }
                shared.later.append(work)
                return true
            }
        }

        /// Whether nothing was left for after the reply; nothing can be added any more then.
        package func endsWithoutLater() -> Bool {
            laterPhase.compareExchange(
                expected: Later.none.rawValue, desired: Later.over.rawValue, ordering: .acquiringAndReleasing
            ).exchanged
        }

        /// The next piece of work. When there is none, none can be added any more.
        package func takeLater() -> (@Sendable () async throws -> Void)? {
            guard !endsWithoutLater() else { return nil }
            return shared.withLock { shared in
                if shared.later.isEmpty {
                    laterPhase.store(Later.over.rawValue, ordering: .releasing)
                    return nil
                }
                return shared.later.removeFirst()
            }
        }

        // MARK: Who follows

        /// Who follows the whole invocation; nil where nobody does.
        package var follower: (any ScopeFollower)? {
            // As a rule nobody does: then no lock is taken.
            hasFollower.load(ordering: .acquiring) ? shared.withLock(\.follower) : nil
        }

        /// Who follows the whole invocation, made by the first who asks.
        package func follower(orMake make: () -> any ScopeFollower) -> any ScopeFollower {
            shared.withLock { shared in
                if let follower = shared.follower { return follower }
                let made = make()
                shared.follower = made
                hasFollower.store(true, ordering: .releasing)
                return made
            }
        }

        // MARK: Logs

        /// What each log record of this invocation has besides its own; nil where nobody asked for that.
        package var logContext: Logger.Metadata? {
            guard hasLogContext.load(ordering: .acquiring) else { return nil }
            return shared.withLock { shared in
                var context = shared.logContext
                if context["traceId"] == nil, let id = shared.trace.flatMap(Self.traceID) { context["traceId"] = "\(id)" }
                if let route = shared.route { context["route"] = context["route"] ?? "\(route)" }
                return context
            }
        }

        /// From here on log records have what is added.
        ///
        /// - Parameter trace: A `traceparent`, or the platform's trace, as `Root=1-…;Parent=…`.
        package func openLogContext(trace: String?) {
            if let trace { shared.withLock { $0.trace = trace } }
            hasLogContext.store(true, ordering: .releasing)
        }

        private static func traceID(_ trace: String) -> Substring? {
            let parts = trace.split(at: "-")
            if parts.count >= 4, parts[1].utf8.count == 32, parts[1].utf8.allSatisfy({ Octets.isHexDigit($0) }) {
                return parts[1]
            }
            return trace.split(at: ";").lazy.compactMap { $0.trimmed.cut(at: "=") }.first { $0.before == "Root" }?.after
        }

        /// The request matched a route, as `/orders/{id}`.
        package func addRouteToLogContext(_ route: String) {
            guard hasLogContext.load(ordering: .acquiring) else { return }
            shared.withLock { $0.route = route }
        }

        /// Adds to what log records have, if somebody asked for that.
        package func addToLogContext(_ key: String, _ value: Logger.Metadata.Value?) {
            guard hasLogContext.load(ordering: .acquiring) else { return }
            shared.withLock { shared in
                shared.logContext[key] = value
                if value == nil, key == "route" { shared.route = nil }
                if value == nil, key == "traceId" { shared.trace = nil }
            }
        }

        // MARK: Throws

        /// Remembers where an error was thrown, of the last few.
        func noteThrow(_ error: any Error, isTyped: Bool, known: () -> (any Sendable)?, _ addresses: () -> [UInt]) {
            let isKnown =
                !isTyped && shared.withLock { $0.throwSites.contains { ErrorIdentity.isSameBox($0.error, error) } }
            // A rethrow: the first throw is the one that tells.
            guard !isKnown else { return }
            let site = ThrowSite(error: error, isTyped: isTyped, addresses: addresses(), known: known())
            // What goes is let go outside of the lock: its `deinit` is the app's own code.
            let old = shared.withLock { shared -> ThrowSite? in
                shared.throwSites.append(site)
                return shared.throwSites.count > 8 ? shared.throwSites.removeFirst() : nil
            }
            withExtendedLifetime(old) {}
        }

        /// The last few throws.
        package var throwSites: [ThrowSite] { shared.withLock(\.throwSites) }

        /// Where this error was first thrown; of a typed throw, the first of an equal error.
        package func throwSite(of error: any Error) -> ThrowSite? {
            let sites = throwSites
            return sites.first { ErrorIdentity.isSameBox($0.error, error) }
                ?? sites.first { $0.isTyped && ErrorIdentity.same($0.error, error) }
        }
    }
}
