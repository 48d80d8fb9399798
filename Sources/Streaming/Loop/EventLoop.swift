internal import Synchronization
package import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// One thread that runs Swift tasks and waits for sockets: a task executor whose idle state is a `poll`.
///
/// A task whose preferred executor this is comes back here after every suspension, so what it touches between
/// suspensions needs no lock. Child tasks share the thread; CPU-parallel work belongs on another executor.
package final class EventLoop: TaskExecutor, @unchecked Sendable {  // `confined` is touched on the loop's thread only
    /// What a suspended task waits for.
    package enum Readiness: Sendable {
        case readable, writable
        var events: Int16 { self == .readable ? Int16(POLLIN) : Int16(POLLOUT) }
    }

    /// What other threads leave for this one.
    private struct Inbox {
        var jobs: [UnownedJob] = []
        var cancelled: [UInt64] = []
        var asleep = false
        var stopped = false
    }

    private let wakeUp: WakeUp
    private let inbox = Mutex(Inbox())
    private let thread = Atomic<UInt>(0)
    // Each access is one call of its own, which calls nobody; see ``Confined``.
    @exclusivity(unchecked) private var confined = Confined()

    /// - Throws: ``SystemError`` when the process has no descriptor left.
    package init() throws(SystemError) {
        wakeUp = try WakeUp()
    }

    /// Whether the caller is on the loop's own thread: enough for what ends before the caller is suspended, and for nothing else. A
    /// task of another executor may run here once and go on elsewhere.
    package var isCurrent: Bool { thread.load(ordering: .relaxed) == OwnedThread.currentID }

    /// Whether the current task prefers this loop and runs on its thread: it comes back here after every suspension, unless an actor
    /// with an executor of its own is its home. `@concurrent` functions have no such home.
    package var isHome: Bool {
        isCurrent && withUnsafeCurrentTask { $0?.unownedTaskExecutor == asUnownedTaskExecutor() }
    }

    // MARK: Jobs

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            confined.ready.append(job)
        } else {
            post { $0.jobs.append(job) }
        }
    }

    private func post(_ change: (inout sending Inbox) -> Void) {
        let mustWake = inbox.withLock { inbox in
            change(&inbox)
            defer { inbox.asleep = false }
            return inbox.asleep
        }
        if mustWake { wakeUp.signal() }
    }

    /// Starts the loop on a thread of its own.
    package func start(_ name: String) throws(SystemError) {
        try OwnedThread.start(name) { self.run() }
    }

    /// Runs tasks on the calling thread until ``stop()``.
    package func run() {
        thread.store(OwnedThread.currentID, ordering: .relaxed)
        while true {
            runReadyJobs()
            confined.turn += 1
            // Before the inbox is looked at: what they start is work to do.
            if !confined.hooks.isEmpty { runHooks() }
            let (stopped, idle) = takeInbox()
            if stopped { return drain() }
            poll(idle: idle)
        }
    }

    /// What waits for a descriptor is cancelled, so that what it holds is let go. Bounded: nothing may keep a loop that has ended.
    private func drain() {
        for _ in 0..<64 {
            let waits = confined.waits
            confined.waits = []
            for wait in waits { wait.continuation.resume(throwing: CancellationError()) }
            runReadyJobs()
            if confined.waits.isEmpty, takeInbox().idle { return }
        }
    }

    /// Ends ``run()`` once the job in hand is done. What waits for a descriptor gets a `CancellationError`; tasks that wait for something else
    /// stay suspended.
    package func stop() { post { $0.stopped = true } }

    /// Rises whenever the tasks that were ready have run: a task that reads the same number twice was not suspended meanwhile.
    package var turn: UInt64 { confined.turn }

    /// Calls `hook` once, before the loop looks for more to do. On the loop's thread only.
    package func before(nextPoll hook: any BeforePoll) { confined.hooks.append(hook) }

    private func runHooks() {
        let hooks = confined.hooks
        confined.hooks.removeAll(keepingCapacity: true)
        for hook in hooks { hook.beforePoll() }
    }

    private func runReadyJobs() {
        // Bounded, so that tasks that wake each other cannot keep sockets waiting for ever.
        var budget = 512
        while budget > 0, let job = confined.nextJob() {
            budget -= 1
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }

    private func takeInbox() -> (stopped: Bool, idle: Bool) {
        let hasJobs = confined.hasJobs
        let (jobs, cancelled, stopped) = inbox.withLock { inbox in
            let taken = (inbox.jobs, inbox.cancelled, inbox.stopped)
            if !inbox.jobs.isEmpty { inbox.jobs = [] }
            if !inbox.cancelled.isEmpty { inbox.cancelled = [] }
            inbox.asleep = taken.0.isEmpty && taken.1.isEmpty && !hasJobs && !taken.2
            return taken
        }
        if !jobs.isEmpty { confined.ready += jobs }
        for id in cancelled {
            guard let index = confined.waits.firstIndex(where: { $0.id == id }) else { continue }
            confined.waits.remove(at: index).continuation.resume(throwing: CancellationError())
        }
        return (stopped, jobs.isEmpty && cancelled.isEmpty && !hasJobs)
    }

    // MARK: Readiness

    /// Suspends until the descriptor can be read or written, or has an error or an end that the next call will report.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait at most; nil for ever.
    ///   - cancellable: Pass `false` where a half-done write must be completed whatever happens to the task.
    /// - Returns: False when the timeout came first.
    /// - Throws: `CancellationError`, only when `cancellable`.
    @discardableResult
    package func wait(
        until readiness: Readiness, on descriptor: CInt, timeout: Duration? = nil, cancellable: Bool = true
    ) async throws -> Bool {
        precondition(isHome, "EventLoop.wait outside its loop")
        let id = confined.newWaitID()
        let deadline = timeout.map(Self.deadline) ?? .max
        guard cancellable else {
            return try await withUnsafeThrowingContinuation { continuation in
                add(Wait(id: id, descriptor: descriptor, readiness: readiness, deadline: deadline, continuation: continuation))
            }
        }
        // A cancellation that comes before the wait is on the list is posted, and read from the inbox after this job.
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                add(Wait(id: id, descriptor: descriptor, readiness: readiness, deadline: deadline, continuation: continuation))
            }
        } onCancel: {
            post { $0.cancelled.append(id) }
        }
    }

    /// Suspends for a time; not cancellable.
    package func pause(for time: Duration) async throws {
        // What is below 0 is no descriptor, and poll leaves it out.
        try await wait(until: .readable, on: -1, timeout: time, cancellable: false)
    }

    private func add(_ wait: Wait) { confined.waits.append(wait) }

    private func poll(idle: Bool) {
        let first = confined.listWaits(wakeUp.descriptor)
        let (found, isWokenUp) = confined.poll(idle ? Self.milliseconds(until: first) : 0)
        guard found > 0 || first < .max else { return }  // EINTR, or nothing yet
        if isWokenUp { wakeUp.clear() }
        let now = first == .max ? 0 : MonotonicClock.now
        var (place, taken) = (0, 0)
        while let over = confined.takeOver(from: &place, &taken, hasReady: found > 0, now) {
            over.continuation.resume(returning: over.isReady)
        }
    }

    private static func deadline(in time: Duration) -> Int64 {
        let (seconds, attoseconds) = time.components
        return MonotonicClock.now + min(max(seconds, 0), 1_000_000_000) * 1_000_000_000 + max(attoseconds, 0) / 1_000_000_000
    }

    /// The time for `poll`: -1 for ever, and rounded up, so that it never wakes too early.
    private static func milliseconds(until deadline: Int64) -> CInt {
        if deadline == .max { return -1 }
        return CInt(clamping: max(0, (deadline - MonotonicClock.now + 999_999) / 1_000_000))
    }
}

/// What is to be done when the tasks of a loop have nothing to do.
package protocol BeforePoll: AnyObject {
    /// Must neither wait nor run user code.
    func beforePoll()
}
