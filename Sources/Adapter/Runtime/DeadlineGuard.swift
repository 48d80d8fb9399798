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
/// It cancels the handler's task, answers 504 (or ends the stream with trailers) when the handler does not, and ends the
/// process when the handler still holds the worker at the deadline.
final class DeadlineGuard: Sendable {
    let loop: EventLoop
    private let address: HostPort
    private let slots: [GuardSlot]
    private let responder: ErrorResponder
    private let mode: Settings.InvokeMode
    private let reporter: any SettlingReporter
    private let wakeUp: WakeUp
    /// Never signalled.
    private let pause: WakeUp
    /// When the guard will look again by itself, in epoch milliseconds: whoever arms for earlier must wake it.
    private let nextLook = Atomic(Int64.max)
    private let exit: @Sendable () -> Void
    private let isStarted = Atomic(false)

    init(
        workers: Int, address: HostPort, mode: Settings.InvokeMode, responder: @escaping ErrorResponder,
        reporter: any SettlingReporter, exit: @escaping @Sendable () -> Void = { _exit(1) }
    ) throws(SystemError) {
        loop = try EventLoop()
        wakeUp = try WakeUp()
        pause = try WakeUp()
        slots = (0..<workers).map { _ in GuardSlot() }
        self.address = address
        self.mode = mode
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

    func arm(_ slot: GuardSlot, _ trip: GuardedInvocation, at now: WallClock.Instant) {
        slot.arm(trip)
        let look = nextLook.load(ordering: .sequentiallyConsistent)
        // A look that should have been (a stepped clock, a long freeze) is not to be relied on either.
        if trip.schedule.cancel.millisecondsSinceEpoch < look || look < now.millisecondsSinceEpoch {
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
                for slot in slots { while let (stage, trip) = slot.takeDue(at: now) { act(stage, trip, slot) } }
            }
            let next = slots.compactMap(\.nextDue).min()
            if let next { nextLook.store(next.millisecondsSinceEpoch, ordering: .sequentiallyConsistent) }
            // Asleep with nothing in flight, every arming must wake us: `nextLook` stays at its maximum.
            let timeout = next.map { max($0.remaining, waitsForDebugger ? .milliseconds(500) : .zero) }
            // Not cancellable: the guard lives as long as the process.
            let woken = try? await loop.wait(
                until: .readable, on: wakeUp.descriptor, timeout: timeout, cancellable: false)
            if woken == true { wakeUp.clear() }
        }
    }

    /// Never waits: one invocation's trouble must not keep the others from their deadlines.
    private func act(_ stage: GuardSchedule.Stage, _ trip: GuardedInvocation, _ slot: GuardSlot) {
        switch stage {
        case .cancel:
            trip.scope.state.isTimedOut = true
            let responder = responder
            // Cancellation handlers and the app's error response are its own code, which may block: not on this thread.
            Task.detached {
                InvocationScope.$current.withValue(trip.scope) {
                    trip.known.cancel?()
                    let timeoutResponse = Self.timeoutResponse(trip, responder)
                    trip.tell { $0.timeoutResponse = timeoutResponse }
                }
            }
        case .answer:
            Task(executorPreference: loop) {
                await self.answer(trip)
                slot.acted()
            }
        case .cut:
            guard trip.token.take(.seize) else { return slot.acted() }
            trip.known.stream?.cut()
            Task(executorPreference: loop) {
                await self.record(
                    trip, "did not end in time and its stream was cut in the middle", until: trip.schedule.exit)
                slot.acted()
            }
        case .exit:
            Task(executorPreference: loop) {
                await self.end(trip, slot)
                slot.acted()
            }
        }
    }

    /// Ends the process, unless the worker is free by now, or is sending its own response.
    private func end(_ trip: GuardedInvocation, _ slot: GuardSlot) async {
        guard slot.isHeld(by: trip) else { return }
        // A worker that is sending its own response is left to the platform: it holds nothing back.
        let isOurs = trip.known.isEndedByGuard || trip.known.stream?.failure != nil
        if isOurs || trip.token.take(.abandon) {
            await record(trip, "still holds its worker at the deadline\(endsProcess)", until: trip.schedule.last)
            if slots.count == 1 { slot.ifStillHeld(by: trip) { exit() } }
        }
        // On managed instances neighbours are in flight, and a time-out kills nobody: only when no worker is left.
        if slots.count > 1, slots.allSatisfy(\.isStuck) { exit() }
    }

    // What is counted, for whoever compares records with Lambda's metric. With several workers a time-out ends no process.
    private var endsProcess: String { slots.count == 1 ? "; the process ends, which Lambda counts as an error" : "" }
    private var mayEndProcess: String {
        slots.count == 1
            ? "; should it hold its worker until the deadline, the process ends, which Lambda counts as an error" : ""
    }

    private static func timeoutResponse(_ trip: GuardedInvocation, _ responder: ErrorResponder) -> Response {
        let request = trip.known.request ?? Request(.get, "/")
        let error = HTTPError(.gatewayTimeout, detail: "the handler did not end in time")
        var response = Response(respondingTo: error, to: request, with: responder)
        // Nobody is left to run a stream here, and the app's own shape may have a status that ends no exchange.
        if response.body.isStream || !(200...999).contains(response.status.code) {
            response = Response(respondingTo: error, to: request, with: problemResponse)
        }
        response.dropForbiddenBody(for: request)
        return response
    }

    private func answer(_ trip: GuardedInvocation) async {
        do {
            let phase = trip.token.taken(.claim)
            if phase == .open {
                trip.tell { $0.isEndedByGuard = true }
                await record(
                    trip,
                    "did not end in time and was answered with 504\(mayEndProcess)",
                    until: trip.schedule.cut)
                await flush(trip)
                try await send(trip.known.timeoutResponse ?? Self.timeoutResponse(trip, problemResponse), trip)
            } else if phase != nil, try await isHandedOver(trip), let stream = trip.known.stream,
                let connection = stream.shared
            {
                trip.tell { $0.isEndedByGuard = true }
                await record(trip, "did not end in time and its stream was cut", until: trip.schedule.cut)
                await flush(trip)
                let document = ErrorDocument(
                    type: ErrorType(.runtime, fallback: "HandlerTimeout"), errorType: "TimeoutError",
                    message: "the handler did not end in time")
                try await end(connection.socket, after: stream.takeHeld(), with: document)
            }
        } catch {
            // The time-out has its record; that its response did not get through is another failure.
            await record(
                Failure(.replyRefused, "the time-out's answer was not taken", error: error), trip,
                until: trip.schedule.exit)
        }
    }

    private func send(_ response: Response, _ trip: GuardedInvocation) async throws {
        let client = RuntimeClient(loop, address: address)
        guard mode == .responseStream else { return try await client.respond(trip.id, Envelope.encode(response)) }
        let method = trip.known.request?.method ?? .get
        let reply = StreamReply(trip.id, client, ReplyToken(), StreamForm(response, to: method, .bare))
        try await reply.write(response.body.bytes)
        try await reply.finish()
    }

    /// Waits for the chunk in hand to be whole; false when the stream broke meanwhile, or was cut.
    private func isHandedOver(_ trip: GuardedInvocation) async throws -> Bool {
        while trip.token.current == .claimed {
            // The wake-up is somebody else's: this only lets a moment pass, on the loop.
            try await loop.wait(until: .readable, on: pause.descriptor, timeout: .milliseconds(2), cancellable: false)
        }
        return trip.token.current == .handed
    }

    /// Writes the trailers in the worker's place and waits for the service to have read them: the worker closes afterwards.
    private func end(_ socket: Socket, after held: [UInt8], with document: ErrorDocument) async throws {
        try await loop.send(held + HTTPWriter.lastChunk(document.trailers), on: socket)
        var ignored: [UInt8] = []
        _ = try await loop.receive(appendingTo: &ignored, from: socket, cancellable: false)
    }

    /// What is captured leaves before the response does; a hanging server costs the response nothing but the time until the next stage.
    private func flush(_ trip: GuardedInvocation) async {
        var scope = trip.scope
        // The stages before this one are over; the time until the next one is the limit.
        scope.platform = nil
        await InvocationScope.$current.withValue(scope) {
            await reporter.flush(within: WallClock.Instant.now.duration(to: trip.schedule.cut))
        }
    }

    private func record(_ trip: GuardedInvocation, _ what: String, until limit: WallClock.Instant) async {
        guard trip.scope.state.takeTimeoutRecord() else { return }
        let request = trip.known.request
        let place = request.map { "\($0.method.rawValue) \($0.rawPath)" } ?? "the invocation"
        let failure = Failure(
            .timeout, "\(place) \(what)", error: HandlerTimeout(), status: 504, method: request?.method.rawValue,
            path: request?.rawPath)
        await record(failure, trip, until: limit)
    }

    /// Records on a thread of its own, and goes on when that takes longer than until `limit`: the app's log handler, a disk, and
    /// reading a request for its report must not keep the guard from answering.
    private func record(_ failure: Failure, _ trip: GuardedInvocation, until limit: WallClock.Instant) async {
        let work: @Sendable () -> Void = { [reporter, scope = trip.scope] in
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

/// A handler did not end before the deadline's margin, nor when it was cancelled.
struct HandlerTimeout: Error, CustomStringConvertible {
    var description: String { "the handler did not end before its deadline" }
}
