internal import Synchronization
public import SluiceCore

/// What every line of code under one invocation may ask for: the ids that logs and reports carry, and the deadline.
///
/// Bound in one place (the adapter) around everything that belongs to an invocation, the writing of the body included;
/// a copy in each task, never shared between invocations. Business code gets its dependencies as arguments.
public struct InvocationScope: Sendable {
    /// The invocation that the current task works for; nil outside of one. `Task {}` and child tasks inherit it; detached
    /// tasks and callbacks of other libraries do not: read it before you cross, and bind it with `withValue` on the other side.
    @TaskLocal public static var current: InvocationScope?

    /// From `Lambda-Runtime-Aws-Request-Id`; of our own making outside Lambda.
    public let requestID: String
    /// When the service will stop the invocation; nil where nothing does.
    public let deadline: WallClock.Instant?
    /// From `Lambda-Runtime-Trace-Id`, as `Root=1-…;Parent=…;Sampled=0`.
    public let traceID: String?
    /// From `Lambda-Runtime-Aws-Tenant-Id`, in tenant isolation mode only.
    public let tenantID: String?

    /// What the platform says of the invocation; nil outside Lambda.
    package let lambda: LambdaFacts?
    package let progress: Progress
    /// What reports of this invocation carry; another one inside of `Reports.withScope`.
    package var report: ScopeBox
    /// When the deadline guard begins to act, when whoever it cancelled must be done, and when the platform is about to act; nil where
    /// nothing guards.
    package var guardTimes: GuardTimes?

    package init(
        requestID: String, deadline: WallClock.Instant? = nil, traceID: String? = nil, tenantID: String? = nil,
        progress: Progress = Progress(), report: ScopeBox = ScopeBox(), guardTimes: GuardTimes? = nil,
        lambda: LambdaFacts? = nil
    ) {
        self.lambda = lambda
        self.requestID = requestID
        self.deadline = deadline
        self.traceID = traceID
        self.tenantID = tenantID
        self.progress = progress
        self.report = report
        self.guardTimes = guardTimes
    }

    /// For the context `aws.lambda` of a report.
    package struct LambdaFacts: Sendable {
        let functionARN: String
        let arrival: WallClock.Instant
        let isColdStart: Bool

        package init(functionARN: String, arrival: WallClock.Instant, isColdStart: Bool) {
            self.functionARN = functionARN
            self.arrival = arrival
            self.isColdStart = isColdStart
        }
    }

    /// The moments at which the deadline guard acts.
    package struct GuardTimes: Sendable {
        /// The handler's task is cancelled.
        let cancel: WallClock.Instant
        /// Whoever was cancelled must be ready to answer: the guard is about to do so itself.
        let flushed: WallClock.Instant
        /// The platform is about to act.
        let last: WallClock.Instant

        package init(cancel: WallClock.Instant, flushed: WallClock.Instant, last: WallClock.Instant) {
            self.cancel = cancel
            self.flushed = flushed
            self.last = last
        }
    }

    /// Where an error was thrown, innermost first, twenty frames at most: names where they are at hand, else image and offset. Empty
    /// where nobody looked: throws are remembered while reports are on.
    package func stack(of error: any Error) -> [String] {
        Array((report.throwSite(of: error)?.addresses ?? []).lazy.compactMap(Symbols.place).prefix(20))
    }

    /// How long something may take at most when it may take `limit`: the deadline, less the guard's margin, may come first.
    package func budget(_ limit: Duration) -> Duration {
        guard let guardTimes else { return min(limit, deadline?.remaining ?? limit) }
        return min(limit, (progress.isPastGuard ? guardTimes.flushed : guardTimes.cancel).remaining)
    }

    /// As ``budget(_:)``, when the response has left.
    package func budgetAfterReply(_ limit: Duration) -> Duration {
        min(limit, (guardTimes?.last ?? deadline)?.remaining ?? limit)
    }

    /// What happened to the invocation so far: written by the deadline guard, read by whoever records a failure.
    package final class Progress: Sendable {
        private let cancelledByGuard = Atomic(false)
        private let timeoutTaken = Atomic(false)
        private let failed = Atomic(false)

        package init() {}

        /// Set before the handler's task is cancelled.
        package var isPastGuard: Bool {
            get { cancelledByGuard.load(ordering: .acquiring) }
            set { cancelledByGuard.store(newValue, ordering: .releasing) }
        }

        /// Whether a failure of this invocation is on record.
        package var hasFailed: Bool {
            get { failed.load(ordering: .acquiring) }
            set { failed.store(newValue, ordering: .releasing) }
        }

        /// True for the first caller only: a time-out has exactly one record, whoever comes to write it.
        package func takeTimeoutRecord() -> Bool {
            timeoutTaken.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        }
    }
}
