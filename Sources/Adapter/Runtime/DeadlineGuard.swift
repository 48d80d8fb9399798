internal import SluiceMiddleware
internal import SluiceReporting
internal import SluiceStreaming
internal import Synchronization
internal import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Watches the wall clock for every invocation in flight, on a thread that user code cannot block.
///
/// It cancels the handler's task, answers 504 (or ends the stream with trailers, or fails the invocation of what is not HTTP) when the
/// handler does not, and ends the process when the handler still holds the worker at the deadline.
final class DeadlineGuard: Sendable {
    let loop: EventLoop
    private let slots: [GuardSlot]
    private let responder: ErrorResponder
    private let reporter: any SettlingReporter
    private let wakeUp: WakeUp
    /// When the guard will look again by itself, in epoch milliseconds: whoever arms for earlier must wake it.
    private let nextLook = Atomic(Int64.max)
    private let exit: @Sendable () -> Void
    private let isStarted = Atomic(false)

    init(
        workers: Int, responder: @escaping ErrorResponder, reporter: any SettlingReporter,
        exit: @escaping @Sendable () -> Void = { _exit(1) }
    ) throws(SystemError) {
        loop = try EventLoop()
        wakeUp = try WakeUp()
        slots = (0..<workers).map { _ in GuardSlot() }
        self.responder = responder
        self.reporter = reporter
        self.exit = exit
    }

    /// Starts the guard's thread; once is enough, and more does nothing.
    func start() throws(SystemError) {
        guard !isStarted.exchange(true, ordering: .acquiringAndReleasing) else { return }
        do throws(SystemError) {
            try loop.start("sluice-guard")
        } catch {
            isStarted.store(false, ordering: .releasing)
            throw error
        }
        Task(executorPreference: loop) { await self.watch() }
    }

    /// Ends the guard's thread, when no invocation is left to watch.
    func stop() { loop.stop() }

    /// The place of a worker, by its number.
    func slot(_ worker: Int) -> GuardSlot { slots[worker] }

    func arm(_ slot: GuardSlot, _ invocation: GuardedInvocation, at now: WallClock.Instant) {
        slot.arm(invocation)
        let look = nextLook.load(ordering: .sequentiallyConsistent)
        // A look that should have been (a stepped clock, a long freeze) is not to be relied on either.
        if invocation.schedule.cancel.millisecondsSinceEpoch < look || look < now.millisecondsSinceEpoch {
            wakeUp.signal()
        }
    }

    private func watch() async {
        while true {
            // From here on whoever arms wakes us, until we know when to look again.
            nextLook.store(.max, ordering: .sequentiallyConsistent)
            let now = WallClock.Instant.now
            let isDue = slots.contains { $0.nextDue.map { $0 <= now } ?? false }
            // Nobody at a breakpoint wants to be timed out.
            let waitsForDebugger = isDue && Debugger.isAttached(to: "self")
            if !waitsForDebugger {
                for slot in slots { while let (stage, invocation) = slot.takeDue(at: now) { act(stage, invocation, slot) } }
            }
            let next = slots.compactMap(\.nextDue).min()
            if let next { nextLook.store(next.millisecondsSinceEpoch, ordering: .sequentiallyConsistent) }
            // Asleep with nothing in flight, every arming must wake us: `nextLook` stays at its maximum.
            let timeout = next.map { max($0.remaining, waitsForDebugger ? .milliseconds(500) : .zero) }
            // Not cancellable: the guard lives as long as its loop, which is the process as a rule.
            do {
                if try await loop.wait(until: .readable, on: wakeUp.descriptor, timeout: timeout, cancellable: false) {
                    wakeUp.clear()
                }
            } catch {
                return
            }
        }
    }

    /// Never waits: one invocation's trouble must not keep the others from their deadlines.
    private func act(_ stage: GuardSchedule.Stage, _ invocation: GuardedInvocation, _ slot: GuardSlot) {
        switch stage {
        case .cancel:
            invocation.scope.state.isTimedOut = true
            let responder = responder
            // Cancellation handlers and the app's error response are its own code, which may block: not on this thread.
            Task.detached {
                InvocationScope.$current.withValue(invocation.scope) {
                    let known = invocation.known
                    known.cancel?()
                    // Nobody waits for a response, or has it already.
                    if known.isEvent || invocation.scope.state.isAfterReply { return }
                    let timeoutResponse = Self.timeoutResponse(invocation, responder)
                    invocation.tell { $0.timeoutResponse = timeoutResponse }
                }
            }
        case .respond:
            Task(executorPreference: loop) {
                await self.respond(to: invocation)
                slot.acted()
            }
        case .cut:
            guard invocation.reply.cut() else { return slot.acted() }
            Task(executorPreference: loop) {
                await self.record(
                    invocation, "did not end in time and its stream was cut in the middle", invocation.reply.sentStatus,
                    until: invocation.schedule.exit)
                slot.acted()
            }
        case .exit:
            Task(executorPreference: loop) {
                await self.end(invocation, slot)
                slot.acted()
            }
        }
    }

    /// Ends the process, unless the worker is free by now, or is sending its own response.
    private func end(_ invocation: GuardedInvocation, _ slot: GuardSlot) async {
        guard slot.isHeld(by: invocation) else { return }
        // A worker that is sending its own response is left to the platform: it holds nothing back.
        let isAfterReply = invocation.scope.state.isAfterReply
        if isAfterReply || invocation.reply.abandon() {
            let what = isAfterReply ? "was answered, and its work after the reply still" : "still"
            await record(
                invocation, "\(what) holds its worker at the deadline\(endsProcess)",
                isAfterReply ? invocation.reply.end.status : invocation.reply.sentStatus, until: invocation.schedule.last)
            if slots.count == 1 { slot.ifStillHeld(by: invocation) { exit() } }
        }
        // On managed instances neighbours are in flight, and a time-out kills nobody: only when no worker is left.
        if slots.count > 1, slots.allSatisfy(\.isStuck) { exit() }
    }

    /// The sandbox ends with these in hand: their tasks are cancelled, and each has a record.
    func tellOfTheEnd() async {
        for invocation in slots.compactMap(\.inHand) {
            Task.detached { invocation.known.cancel?() }
            let failure = Failure.sandboxEnds(invocation.known.request, invocation.reply.end.status)
            await record(failure, invocation, until: WallClock.Instant.actual.advanced(by: .milliseconds(20)))
        }
    }

    // What is counted, for whoever compares records with Lambda's metric. With several workers a time-out ends no process.
    private var endsProcess: String { slots.count == 1 ? "; the process ends, which Lambda counts as an error" : "" }
    private var mayEndProcess: String {
        slots.count == 1
            ? "; should it hold its worker until the deadline, the process ends, which Lambda counts as an error" : ""
    }

    private static func timeoutResponse(_ invocation: GuardedInvocation, _ responder: ErrorResponder) -> Response {
        var request = invocation.known.request ?? Request(.get, "/")
        // That of the records, also where the event has not been read.
        request.id = invocation.scope.requestID
        let error = HTTPError(.gatewayTimeout, detail: "the handler did not end in time")
        var response = Response(respondingTo: error, to: request, with: responder)
        // Nobody is left to run a stream here, and the app's own shape may have a status that ends no exchange.
        if response.body.isStream || !(200...999).contains(response.status.code) {
            response = Response(respondingTo: error, to: request, with: problemResponse)
        }
        response.dropForbiddenBody(for: request)
        return response
    }

    private func respond(to invocation: GuardedInvocation) async {
        do {
            // Chosen once, and said before it is taken: access line, record and client tell one status.
            let known = invocation.known
            let response = known.timeoutResponse ?? Self.timeoutResponse(invocation, problemResponse)
            invocation.reply.announce(response)
            switch try await invocation.reply.takeOver(on: loop) {
            case .untouched where invocation.known.isEvent:
                await record(
                    invocation, "did not end in time and has failed\(mayEndProcess)", nil, until: invocation.schedule.cut)
                await flush(invocation)
                try await invocation.reply.give(.timeout, on: loop)
            case .untouched:
                let status = response.status.code
                await record(
                    invocation, "did not end in time and was answered with \(status)\(mayEndProcess)", status,
                    until: invocation.schedule.cut)
                await flush(invocation)
                try await invocation.reply.give(response, to: known.request?.method ?? .get, on: loop)
            case .begun:
                await record(
                    invocation, "did not end in time and its stream was cut", invocation.reply.sentStatus,
                    until: invocation.schedule.cut)
                await flush(invocation)
                try await invocation.reply.end(with: .timeout, on: loop)
            case nil: break
            }
        } catch {
            // The time-out has its record; that its response did not get through is another failure.
            await record(.timeoutRefused(error), invocation, until: invocation.schedule.exit)
        }
    }

    /// What is captured leaves before the response does; a hanging server costs the response nothing but the time until the next stage.
    private func flush(_ invocation: GuardedInvocation) async {
        // The stages before this one are over; the time until the next one is the limit.
        await InvocationScope.$current.withValue(invocation.scope.withoutPlatform) {
            await reporter.flush(within: WallClock.Instant.now.duration(to: invocation.schedule.cut))
        }
    }

    /// - Parameter status: What the client got; nil where it got no response of ours.
    private func record(
        _ invocation: GuardedInvocation, _ what: String, _ status: Int?, until limit: WallClock.Instant
    ) async {
        guard invocation.scope.state.takeTimeoutRecord() else { return }
        await record(.timeout(what, invocation.known.request, status), invocation, until: limit)
    }

    /// Records on a thread of its own, and goes on when that takes longer than until `limit`: the app's log handler, a disk, and
    /// reading a request for its report must not keep the guard from answering.
    private func record(_ failure: Failure, _ invocation: GuardedInvocation, until limit: WallClock.Instant) async {
        let work: @Sendable () -> Void = { [reporter, scope = invocation.scope] in
            InvocationScope.$current.withValue(scope) { reporter.record(failure) }
        }
        let done: WakeUp
        do throws(SystemError) {
            let started = try WakeUp()
            try OwnedThread.start("sluice-timeout") {
                work()
                started.signal()
            }
            done = started
        } catch {
            return work()
        }
        // Not cancellable, as the guard is not.
        _ = try? await loop.wait(
            until: .readable, on: done.descriptor, timeout: max(limit.remaining, .milliseconds(1)), cancellable: false)
        withExtendedLifetime(done) {}
    }
}
