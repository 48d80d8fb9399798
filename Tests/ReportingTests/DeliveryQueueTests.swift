import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

/// What is sent next, and whose wait is over, moment by moment.
@Suite struct DeliveryQueueTests {
    private let now = WallClock.Instant(millisecondsSinceEpoch: 1_700_000_000_000)
    private var later: WallClock.Instant { now.advanced(by: .seconds(2)) }

    private func parcel(_ id: String, _ ledger: Ledger, file: String? = nil) -> QueuedRequest {
        ledger.enter(.pending)
        return QueuedRequest(id: id, kind: .event, content: .bytes([0x7B]), file: file, owners: [(ledger, 1)])
    }

    private func sent(_ job: DeliveryQueue.Job) -> String? {
        if case .send(let parcel, _) = job { parcel.id } else { nil }
    }

    private func openBreaker(_ queue: inout DeliveryQueue) {
        queue.breaker.failed(after: .milliseconds(1), at: now)
    }

    @Test("a client that waits goes before whoever empties the spool, and is let go before the spool is empty")
    func clientsFirst() {
        var queue = DeliveryQueue()
        let (drainer, client) = (Ledger(), Ledger())
        queue.parked = (1...3).map { parcel("old \($0)", drainer, file: "\($0)") }
        queue.add(drainer, drains: true, until: later) {}
        queue.fresh = [parcel("new", client)]
        queue.add(client, drains: false, until: later) {}
        #expect(sent(queue.next(at: now).0) == "new")
        let (job, over) = queue.next(at: now)
        #expect(over.map(\.drains) == [false])
        #expect(sent(job) == "old 1")
    }

    @Test("while the server holds errors back, what is in the spool stays there")
    func heldBack() {
        var queue = DeliveryQueue()
        queue.parked = [parcel("old", Ledger(), file: "1")]
        queue.add(nil, drains: true, until: later) {}
        let (job, over) = queue.next(at: now, holdsBackEvents: true)
        #expect(sent(job) == nil && over.count == 1 && queue.parked.count == 1)
        queue.add(nil, drains: true, until: later) {}
        #expect(sent(queue.next(at: now).0) == "old")
    }

    @Test("with the server away logs stay in their buffer; where there is nothing else, a batch of them is the probe")
    func logsProbe() {
        var queue = DeliveryQueue()
        let ledger = Ledger()
        openBreaker(&queue)
        for _ in 1...150 { _ = queue.logs.add(.init([0x7B, 0x7D], ledger: ledger), at: now) }
        queue.add(nil, drains: true, until: later) {}
        guard case .send(let batch, isProbe: true) = queue.next(at: now).0 else {
            Issue.record("no probe")
            return
        }
        #expect(batch.kind == .logs && batch.count == 100)
        #expect(queue.logs.count == 50 && queue.fresh.isEmpty)
    }

    @Test("one batch of logs at a time leaves the buffer: its limit holds, however long the server takes")
    func oneBatch() {
        var queue = DeliveryQueue()
        let (ledger, other) = (Ledger(), Ledger())
        for _ in 1...1000 { _ = queue.logs.add(.init([0x7B, 0x7D], ledger: ledger), at: now) }
        queue.fresh = [parcel("event", other)]
        queue.add(other, drains: false, until: later) {}
        #expect(sent(queue.next(at: now).0) == "event")
        #expect(queue.logs.count == 900)
        #expect(queue.fresh.map(\.count) == [100])
    }

    @Test("whose logs are behind those of others has them sent too, batch by batch")
    func behindOthers() {
        var queue = DeliveryQueue()
        let (others, own) = (Ledger(), Ledger())
        for number in 0..<250 {
            _ = queue.logs.add(.init([0x7B, 0x7D], ledger: number == 150 ? own : others), at: now)
        }
        queue.add(own, drains: false, until: later) {}
        #expect(sent(queue.next(at: now).0) == "logs-1")
        #expect(sent(queue.next(at: now).0) == "logs-2")
        let (_, over) = queue.next(at: now)
        #expect(over.count == 1)
    }

    @Test("logs that never left are what the next probe is made of, once for each who waits")
    func unsentLogs() {
        var queue = DeliveryQueue()
        let ledger = Ledger()
        openBreaker(&queue)
        let unsent = QueuedRequest(id: "logs-1", kind: .logs, content: .bytes([0x7B]), owners: [(ledger, 2)])
        queue.fresh = [unsent]
        _ = queue.logs.add(.init([0x7B, 0x7D], ledger: ledger), at: now)
        queue.add(nil, drains: true, until: later) {}
        guard case .send(let probe, isProbe: true) = queue.next(at: now).0 else {
            Issue.record("no probe")
            return
        }
        #expect(probe.id == "logs-1")
        queue.putBack(probe)
        queue.failed(probe.id)
        let (job, over) = queue.next(at: now)
        #expect(sent(job) == nil && over.count == 1)
        #expect(queue.logs.count == 1 && queue.fresh.count == 1)
    }

    @Test("while the breaker is open only those who may probe are served, and an event is what they probe with")
    func probe() {
        var queue = DeliveryQueue()
        let ledger = Ledger()
        openBreaker(&queue)
        queue.fresh = [parcel("new", ledger)]
        queue.add(ledger, drains: true, until: later) {}
        guard case .send(let parcel, isProbe: true) = queue.next(at: now).0 else {
            Issue.record("no probe")
            return
        }
        #expect(parcel.id == "new")
    }

    @Test("the app's callbacks see an event though nobody waits for it, so that it can be on disk")
    func callbacks() {
        var queue = DeliveryQueue()
        let callbacks = UserCallbacks(processors: [], beforeSend: { $0 })
        var waiting = parcel("new", Ledger())
        waiting.content = .event(ReportEvent(level: .error), callbacks)
        queue.fresh = [waiting]
        guard case .prepare(let prepared) = queue.next(at: now).0 else {
            Issue.record("not prepared")
            return
        }
        #expect(prepared.id == "new" && queue.fresh.isEmpty)
    }

    @Test("a time that is further than there is, is the last there is")
    func farAway() {
        #expect(now.advanced(by: .seconds(Int64.max)) == WallClock.Instant(millisecondsSinceEpoch: .max))
        #expect(now.advanced(by: .seconds(Int64.min)) == WallClock.Instant(millisecondsSinceEpoch: .min))
    }
}
