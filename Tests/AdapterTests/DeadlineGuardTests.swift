import Dispatch
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import Sluice
@testable import SluiceReporting
@testable import SluiceStreaming

/// The guard's acts, with an exit that only takes notes.
@Suite(.timeLimit(.minutes(1))) struct DeadlineGuardTests {
    /// Notes each record's outcome and the request that it belongs to.
    private final class Notes: SettlingReporter {
        let lines = Collected<String>()
        let messages = Collected<String>()
        func capture(_ failure: Failure) {
            messages.add(failure.message)
            lines.add("\(failure.outcome.rawValue) \(InvocationScope.current?.requestID ?? "nobody")")
        }
        func flush(within limit: Duration) async {}
    }

    private func invocation(
        _ id: String, at api: MockRuntimeAPI, milliseconds: Int64 = 200
    ) throws -> GuardedInvocation {
        let now = WallClock.Instant.now
        let deadline = WallClock.Instant(millisecondsSinceEpoch: now.millisecondsSinceEpoch + milliseconds)
        let schedule = try #require(GuardSchedule(arrival: now, deadline: deadline))
        let address = try #require(HostPort("127.0.0.1:\(api.port)"))
        let reply = Reply(to: id, try Settings([:]), RuntimeClient(try EventLoop(), address: address))
        return GuardedInvocation(scope: InvocationScope(requestID: id), schedule: schedule, reply: reply)
    }

    @Test(
        "a worker that is sending its own answer is left alone; one whose handler holds it ends the process; records have their ids"
    )
    func exits() async throws {
        let api = MockRuntimeAPI([]) { _ in .status(413) }
        let exits = Collected<Int>()
        let ended = Gate()
        let notes = Notes()
        let guardian = try DeadlineGuard(
            workers: 1, responder: problemResponse(to:for:), reporter: notes
        ) {
            exits.add(1)
            ended.open()
        }
        try guardian.start()
        let slot = guardian.slot(0)

        let sending = try invocation("sending", at: api)
        #expect(sending.reply.token.take(.whole))
        guardian.arm(slot, sending, at: .now)
        // Until the last stage has been taken, and its act is over.
        while slot.nextDue != nil || slot.isActing { await Task.yield() }
        #expect(exits.values.isEmpty)
        if slot.disarm() { await slot.waitForGuard() }

        guardian.arm(slot, try invocation("held", at: api), at: .now)
        await ended.wait()
        if slot.disarm() { await slot.waitForGuard() }
        #expect(exits.values.count == 1)
        #expect(notes.lines.values == ["timeout held", "reply_refused held"])
        #expect(notes.messages.values.first?.hasSuffix("the process ends, which Lambda counts as an error") == true)
        guardian.stop()
        api.stop()
    }

    /// Holds each record back until it is let go.
    private final class Holding: SettlingReporter {
        let mayGoOn = DispatchSemaphore(value: 0)
        let lines = Collected<String>()
        func capture(_ failure: Failure) {
            mayGoOn.wait()
            lines.add(failure.outcome.rawValue)
        }
        func flush(within limit: Duration) async {}
    }

    @Test(
        "a record that hangs (a log handler, a disk, a large body) keeps the guard neither from answering nor from ending the process"
    )
    func hangingRecord() async throws {
        let api = MockRuntimeAPI([]) { _ in .status(202) }
        let ended = Gate()
        let reporter = Holding()
        let guardian = try DeadlineGuard(
            workers: 1, responder: problemResponse(to:for:), reporter: reporter, exit: { ended.open() })
        try guardian.start()
        guardian.arm(guardian.slot(0), try invocation("held", at: api, milliseconds: 2000), at: .now)
        await ended.wait()
        #expect(reporter.lines.values.isEmpty)
        #expect(api.posts.map(\.target) == ["/2018-06-01/runtime/invocation/held/response"])
        reporter.mayGoOn.signal()
        if guardian.slot(0).disarm() { await guardian.slot(0).waitForGuard() }
        guardian.stop()
        api.stop()
    }

    @Test("a worker that hangs while it accounts for its response ends the process, and the record says what is counted")
    func hangingWhileSettled() async throws {
        let api = MockRuntimeAPI([]) { _ in .status(202) }
        let ended = Gate()
        let notes = Notes()
        let guardian = try DeadlineGuard(
            workers: 1, responder: problemResponse(to:for:), reporter: notes, exit: { ended.open() })
        try guardian.start()
        let settled = try invocation("settled", at: api)
        #expect(settled.reply.token.take(.settle))
        guardian.arm(guardian.slot(0), settled, at: .now)
        await ended.wait()
        if guardian.slot(0).disarm() { await guardian.slot(0).waitForGuard() }
        #expect(api.posts.isEmpty)
        #expect(notes.lines.values == ["timeout settled"])
        #expect(
            notes.messages.values.first?.hasSuffix(
                "still holds its worker at the deadline; the process ends, which Lambda counts as an error") == true)
        guardian.stop()
        api.stop()
    }

    @Test("handlers of a cancellation and the app's error answer run in the name of the invocation that they are about")
    func scope() async throws {
        let api = MockRuntimeAPI([]) { _ in .status(202) }
        let seen = Collected<String>()
        let answered = Gate()
        let guardian = try DeadlineGuard(
            workers: 1,
            responder: { error, request in
                seen.add("answer of \(InvocationScope.current?.requestID ?? "nobody")")
                answered.open()
                return problemResponse(to: error, for: request)
            }, reporter: Notes(), exit: {})
        try guardian.start()
        let late = try invocation("late", at: api)
        late.tell { $0.cancel = { seen.add("cancellation of \(InvocationScope.current?.requestID ?? "nobody")") } }
        guardian.arm(guardian.slot(0), late, at: .now)
        await answered.wait()
        if guardian.slot(0).disarm() { await guardian.slot(0).waitForGuard() }
        #expect(seen.values.prefix(2) == ["cancellation of late", "answer of late"])
        guardian.stop()
        api.stop()
    }
}
