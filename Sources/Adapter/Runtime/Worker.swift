internal import CSluiceRuntime
internal import SluiceMiddleware
internal import SluiceReporting
internal import SluiceStreaming
internal import SluiceCore

/// What all workers of a process share: values only.
struct WorkerContext: Sendable {
    let chain: Chain
    let life: Life
    let settings: Settings
    let address: HostPort
    let reporter: any SettlingReporter
    let guardian: DeadlineGuard
    /// Those of a test; nil where failures go to the process's own.
    let testReporters: Reporters?
    /// Hears what the platform says of invocations; nil where nobody asked for that.
    let watcher: PlatformWatcher?
    /// Tells how invocations ended; nil where nobody asked for that.
    let outcomes: OutcomeLog?
    private let firstInvocation = Once()

    /// Whether the end of the sandbox is to be announced: services stop then, and what is pending leaves.
    /// Those of a test are not the process's, and end with the test.
    var hasSomethingToEnd: Bool {
        life.services != nil || testReporters == nil && (reporter as? Reporters)?.isEmpty == false
    }

    /// True for the first invocation of the process.
    func takeColdStart() -> Bool { firstInvocation.take() }
}

/// Asks for invocations and answers them, one after the other. Its loop's thread runs the handlers too.
struct Worker: Sendable {
    let number: Int
    let loop: EventLoop
    let context: WorkerContext
    /// Called once, when the first invocation has been asked for and before it is served.
    let whenWaiting: @Sendable () -> Void

    private final class Later: BeforePoll {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        func beforePoll() { body() }
    }

    /// Runs until the task is cancelled (returns) or the Runtime API ends it (throws).
    ///
    /// - Throws: ``RuntimeAPIError``. Its record has been written.
    func run() async throws {
        let client = RuntimeClient(
            loop, address: context.address, keepsStreams: context.settings.keepsStreamConnection)
        loop.before(nextPoll: Later(whenWaiting))
        // Managed instances are not frozen; and of several workers each would have a gap of its own.
        let mayFreeze = !context.settings.isManaged && context.settings.workers == 1
        let clocks = mayFreeze && context.life.wantsThaws ? context.life.clocks : nil
        do {
            while !Task.isCancelled {
                do {
                    let before = clocks?.look()
                    let invocation = try await client.next()
                    let gap = before.flatMap { before in clocks.map { before.gap(until: $0.look()) } }
                    try await serve(invocation, after: gap, client)
                } catch let error as InvocationError {
                    try await refuse(error, client)
                }
            }
        } catch is CancellationError where Task.isCancelled {
            return
        } catch {
            context.reporter.record(
                .runtime(error))
            await context.reporter.settle(within: context.chain.flush.limit)
            throw error
        }
    }

    private func serve(_ invocation: Invocation, after gap: Duration?, _ client: RuntimeClient) async throws {
        let start = context.outcomes == nil ? 0 : MonotonicClock.now
        let isColdStart = context.takeColdStart()
        let reply = Reply(to: invocation.id, context.settings, client)
        let slot = context.guardian.slot(number)
        let now = WallClock.Instant.now
        let schedule = GuardSchedule(arrival: now, deadline: invocation.deadline)
        let state = InvocationScope.State()
        // Reporters of a test are not the process's.
        let follower = Reports.follower(for: context.testReporters)
        if let follower, invocation.clientContext != nil {
            follower.carrier = invocation.traceCarrier(Reports.traceHeaderNames)
        }
        let scope = InvocationScope(
            requestID: invocation.id, deadline: invocation.deadline, traceID: invocation.traceID,
            tenantID: invocation.tenantID, state: state, follower: follower,
            platform: LambdaScope(
                functionARN: invocation.functionARN, arrival: now, isColdStart: isColdStart,
                schedule: schedule))
        let guarded = schedule.map {
            GuardedInvocation(scope: scope, schedule: $0, reply: reply)
        }
        if context.settings.workers == 1 { TraceVariable.set(invocation.traceID ?? "") }
        let handler = InvocationHandler(
            invocation: invocation, chain: context.chain, reporter: context.reporter, reply: reply,
            rules: context.settings.eventRules, guarded: guarded, thaw: gap.map { (context.life, $0) })
        // A task of its own: the guard cancels it, not the worker. It captures these few: a copy of the context costs.
        let task = Task(executorPreference: loop) {
            scope.claim()
            try await InvocationScope.$current.withValue(scope) { try await handler.run() }
            if scope.state.endsWithoutLater() { return }
            scope.state.isAfterReply = true
            await InvocationScope.$current.withValue(scope) { await handler.chain.runAfterReply(handler.reporter) }
        }
        if let guarded {
            guarded.tell { $0.cancel = { task.cancel() } }
            context.guardian.arm(slot, guarded, at: now)
        }
        var failure: (any Error)?
        do { try await task.value } catch { failure = error }
        if slot.disarm() { await slot.waitForGuard() }
        // The guard is done with it too.
        reply.letGo()
        let duration = context.outcomes == nil ? 0 : MonotonicClock.now - start
        // Whatever is still pending leaves before `next` is asked for: what comes after may be a freeze.
        if context.reporter.mustSettle(scope) { await settle(scope) }
        // A freeze would hold it back, a kill would lose it.
        sluice_end_printed_line()
        context.watcher?.note(invocation.id, reply.end)
        context.outcomes?.write(InvocationOutcome(scope, reply.end, isColdStart: isColdStart, duration: duration))
        if let failure { throw failure }
    }

    private func settle(_ scope: InvocationScope) async {
        await InvocationScope.$current.withValue(scope) { await context.reporter.settle(within: context.chain.flush.limit) }
    }

    /// An invocation whose headers cannot be used: the sandbox lives on.
    private func refuse(_ error: InvocationError, _ client: RuntimeClient) async throws {
        let start = context.outcomes == nil ? 0 : MonotonicClock.now
        let scope = InvocationScope(requestID: error.id ?? "unknown")
        InvocationScope.$current.withValue(scope) {
            context.reporter.record(.badInvocation(error))
        }
        if context.reporter.mustSettle(scope) { await settle(scope) }
        // Without an id there is nothing to answer, and the service would hand out the same event again, for ever.
        guard let id = error.id else { throw RuntimeAPIError.noID }
        var end = ReplyEnd(.error)
        do {
            try await client.fail(id, ErrorDocument(badInvocation: error))
        } catch let refused as ReplyRefused {
            end.kind = .refused
            InvocationScope.$current.withValue(scope) {
                context.reporter.record(.errorRefused(refused))
            }
            if context.reporter.mustSettle(scope) { await settle(scope) }
        }
        context.watcher?.note(id, end)
        context.outcomes?.write(
            InvocationOutcome(scope, end, isColdStart: false, duration: MonotonicClock.now - start))
    }
}
