import Dispatch
import Logging
import SluiceTestSupport
import Synchronization
import Testing

@testable import SluiceCore
@testable import SluiceReporting

/// Reporters of an app's own, and what their flush may cost.
@Suite(.timeLimit(.minutes(1))) struct ReportersTests {
    private struct Blocking: ErrorReporter {
        let door: DispatchSemaphore
        func capture(_ failure: Failure) {}
        func flush(within limit: Duration) async { door.wait() }
    }

    @Test("reporters that block every thread of the shared pool in their flush cost their limit, and no more")
    func blocking() async throws {
        let door = DispatchSemaphore(value: 0)
        let count = 128
        let reporters = Reporters(
            Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, (0..<count).map { _ in Blocking(door: door) })
        let (order, over) = (Collected<String>(), DispatchSemaphore(value: 0))
        @Sendable func letGo(_ why: String) {
            order.add(why)
            for _ in 0..<count { door.signal() }
        }
        // A flush that waits for the pool would never end: nothing is left of it, for the test's own time limit either.
        try OwnedThread.start("patience") {
            if over.wait(timeout: .now() + 20) == .timedOut { letGo("too late") }
        }
        await Task.detached(executorPreference: try OwnThread()) {
            await reporters.flush(within: .milliseconds(50))
            letGo("in time")
            over.signal()
        }.value
        #expect(order.values == ["in time"])
    }

    /// One thread of the test's own.
    private final class OwnThread: TaskExecutor {
        private let jobs = Mutex<[UnownedJob]>([])
        private let wakeUp: WakeUp

        init() throws {
            wakeUp = try WakeUp()
            try OwnedThread.start("own") { self.run() }
        }

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            jobs.withLock { $0.append(job) }
            wakeUp.signal()
        }

        private func run() {
            while true {
                let taken = jobs.withLock { jobs in
                    defer { jobs = [] }
                    return jobs
                }
                for job in taken { job.runSynchronously(on: asUnownedTaskExecutor()) }
                wakeUp.sleep()
            }
        }
    }

    private final class Hearing: ErrorReporter {
        let heard = Collected<String>()
        let lowestStatus: Int
        init(_ lowestStatus: Int = 500) { self.lowestStatus = lowestStatus }
        func capture(_ failure: Failure) { heard.add("\(failure.outcome) \(failure.level) \(failure.message)") }
        func flush(within limit: Duration) async {}
    }

    @Test("each reporter hears of what it wants to hear of, whatever the others want")
    func statuses() {
        let (all, errors) = (Hearing(400), Hearing())
        let reporters = Reporters(Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, [all, errors])
        #expect(reporters.lowestStatus == 400)
        reporters.capture(Failure(.handlerError, "a", error: nil, status: 422, level: .warning))
        reporters.capture(Failure(.handlerError, "b", error: nil, status: 500))
        #expect(all.heard.values == ["handler_error warning a", "handler_error error b"])
        #expect(errors.heard.values == ["handler_error error b"])
    }

    @Test("what the app's own code captures reaches every reporter, also one of its own, with its level, and once")
    func captured() async {
        struct Broken: Error {}
        let own = Hearing()
        let reporters = Reporters(Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, [own])
        let state = InvocationScope.State()
        let scope = InvocationScope(requestID: "r", state: state, follower: ReportingScope(reporters: reporters))
        InvocationScope.$current.withValue(scope) {
            let error: any Error = Broken()
            #expect(Reports.capture(error)?.utf8.count == 32)
            #expect(Reports.capture(error) == nil)
            Reports.capture("cold", level: .warning)
        }
        #expect(own.heard.values == ["captured error Broken()", "captured warning cold"])
    }
}

@Suite struct AlarmsTests {
    @Test("alarms ring in the order of their times, and not when they were cancelled")
    func order() async {
        let alarms = Alarms()
        let (rung, done) = (Collected<Int>(), Gate())
        let now = WallClock.Instant.now
        let cancelled = alarms.set(at: now.advanced(by: .milliseconds(20))) { rung.add(0) }
        _ = alarms.set(at: now.advanced(by: .milliseconds(60))) {
            rung.add(3)
            done.open()
        }
        _ = alarms.set(at: now.advanced(by: .milliseconds(40))) { rung.add(2) }
        _ = alarms.set(at: now) { rung.add(1) }
        if let cancelled { alarms.cancel(cancelled) }
        await done.wait()
        #expect(rung.values == [1, 2, 3])
    }
}

/// What a review of the deliveries found: each was a hang, a loss or a leak.
@Suite(.serialized, .timeLimit(.minutes(1))) struct HubTests {
    private struct Plain: ErrorReporter {
        func capture(_ failure: Failure) {}
        func flush(within limit: Duration) async {}
    }

    @Test("an invocation of an app without reporters is let go, whatever was said in it")
    func noLeak() async {
        weak var state: InvocationScope.State?
        weak var box: ReportingScope?
        do {
            let scope = InvocationScope(requestID: "r")
            state = scope.state
            InvocationScope.$current.withValue(scope) {
                Reports.setTag("a", "b")
                box = Reports.currentScope
                #expect(box != nil)
            }
        }
        #expect(state == nil)
        #expect(box == nil)
    }

    @Test("losses that nobody can be told of end a flush at once, and are not tried again")
    func untoldLosses() {
        let now = WallClock.Instant(millisecondsSinceEpoch: 1_700_000_000_000)
        var queue = DeliveryQueue()
        queue.losses.add(.beforeSend, .event)
        queue.add(nil, drains: true, until: now.advanced(by: .seconds(2))) {}
        guard case .send(let request, _) = queue.next(at: now).0, request.kind == .losses else {
            Issue.record("not offered")
            return
        }
        // As the thread does, whether it can tell them or not.
        _ = queue.losses.take()
        let (job, over) = queue.next(at: now)
        guard case .idle = job else {
            Issue.record("offered again")
            return
        }
        #expect(over.count == 1)
    }

    @Test("a flush does not wait for a delivery that has nothing of its ledger, and does for what is in the thread's hand")
    func concerns() {
        let now = WallClock.Instant(millisecondsSinceEpoch: 1_700_000_000_000)
        let (own, other) = (Ledger(), Ledger())
        var queue = DeliveryQueue()
        queue.fresh = [QueuedRequest(id: "a", kind: .event, content: .bytes([0x7B]), owners: [(own, 1)])]
        #expect(queue.concerns(own) && !queue.concerns(other))
        queue.add(own, drains: false, until: now.advanced(by: .seconds(2))) {}
        guard case .send = queue.next(at: now).0 else {
            Issue.record("not sent")
            return
        }
        #expect(queue.fresh.isEmpty && queue.concerns(own))
        _ = queue.next(at: now)
        #expect(!queue.concerns(own))
    }

    @Test("two servers have two folders: by port, by key, and each time the same")
    func folders() {
        func name(_ url: String, _ key: String) -> String {
            Spool(root: "/spool", destination: ReportDestination(url, headers: [("x-key", key)]).spoolName).folder
        }
        let folders = [
            name("http://localhost:4318/v1/logs", "a"), name("http://localhost:9000/v1/logs", "a"),
            name("http://localhost:4318/v1/logs", "b"),
        ]
        #expect(Set(folders).count == 3)
        #expect(folders[0] == name("http://localhost:4318/v1/logs", "a"))
        #expect(folders.allSatisfy { !$0.contains("4318") })
    }

    @Test("a clock that was set back does not hold reports any longer than the server asked for")
    func heldBack() throws {
        let delivery = Delivery(
            to: ReportDestination("http://127.0.0.1:9/"), as: OTLPFormat(), spoolRoot: "/nowhere",
            Diagnostics("test", Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, isDebug: false))
        delivery.heldUntil.withLock { $0 = (.now.advanced(by: .seconds(50)), .seconds(60)) }
        #expect(delivery.isHeld)
        delivery.heldUntil.withLock { $0 = (.now.advanced(by: .seconds(3600)), .seconds(60)) }
        #expect(!delivery.isHeld)
    }
}
