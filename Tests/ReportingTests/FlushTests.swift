import Foundation
import SluiceTestSupport
import Synchronization
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

/// Section 8.8 of the conformance cases, as far as it is about the client: flush, logs, close, and the app's own callbacks.
@Suite(.timeLimit(.minutes(1))) struct FlushTests {
    // MARK: Flush

    @Test("case 116: a flush with nothing pending opens no connection and makes no folder")
    func nothing() async {
        let bench = ReportBench()
        let client = bench.client()
        await client.flush(bench.box)
        await client.settle(bench.box)
        await client.delivery?.flush(nil, drains: true, within: .seconds(20))
        #expect(bench.ingest.connections == 0)
        #expect(!FileManager.default.fileExists(atPath: bench.spoolRoot))
        #expect(bench.records.lines.isEmpty)
    }

    @Test(
        "case 117: a flush ends while the server still thinks; what it did not get leaves with the next one, under the same id")
    func slow() async throws {
        let door = DispatchSemaphore(value: 0)
        let bench = ReportBench { attempt in
            if attempt == 0 { door.wait() }
            return .answer(200)
        }
        let client = bench.client()
        let id = client.capture("a", in: bench.box)
        await client.flush(bench.box, within: .milliseconds(50))
        // The server has not answered: the door is still shut.
        #expect(bench.ledger == ReportLedger(spooled: 1))
        door.signal()
        await client.settle(bench.box) { bench.ledger.spooled == 0 }
        #expect(bench.ledger == ReportLedger(delivered: 1))
        #expect(Set(try bench.ingest.events().map { $0["event_id"]?.text }) == [id])
    }

    @Test("a flush ends with its budget though the delivery thread hangs: here in a log handler of the app")
    func blockedThread() async throws {
        let (hangs, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let wasLate = Collected<Bool>()
        let records = LogRecords { text in
            guard text.contains("refused") else { return }
            hangs.signal()
            // A flush that waits for this thread finds that out, and the test with it.
            if mayGoOn.wait(timeout: .now() + 20) == .timedOut { wasLate.add(true) }
        }
        let bench = ReportBench(records: records) { .answer($0 == 0 ? 500 : 200) }
        let client = bench.client()
        client.capture("a", in: bench.box)
        await client.flush(bench.box, within: .milliseconds(300))
        // It hangs since before the flush was over, and hangs still.
        #expect(hangs.wait(timeout: .now()) == .success)
        client.capture("b", in: bench.box)
        await client.flush(bench.box, within: .milliseconds(20))
        #expect(bench.ledger.captured == 2)
        #expect(bench.ingest.attempts == 1)
        #expect(wasLate.values.isEmpty)
        mayGoOn.signal()
        await client.settle(bench.box) { bench.ledger.delivered == 1 }
        #expect(bench.ledger == ReportLedger(delivered: 1, refused: [500: 1]))
    }

    @Test("a flush without time sends nothing and loses nothing")
    func noTime() async {
        let bench = ReportBench()
        let client = bench.client()
        client.capture("a", in: bench.box)
        await client.flush(bench.box, within: .zero)
        #expect(bench.ledger == ReportLedger(spooled: 1))
        #expect(bench.ingest.attempts == 0)
        await client.settle(bench.box)
        #expect(bench.ledger == ReportLedger(delivered: 1))
    }

    @Test("case 118: one report that is refused does not keep the others from leaving in the same flush")
    func oneRefused() async throws {
        let bench = ReportBench { .answer($0 == 1 ? 500 : 200) }
        let client = bench.client()
        for text in ["a", "b", "c", "d"] { client.capture(text, in: bench.box) }
        await client.flush(bench.box)
        #expect(bench.ledger == ReportLedger(delivered: 3, refused: [500: 1]))
        #expect(try bench.ingest.events().map { $0["logentry"]?["formatted"]?.text } == ["a", "b", "c", "d"])
    }

    @Test("case 118: one report whose connection dies each time does not keep the others from leaving after the reply")
    func oneLost() async throws {
        let bench = ReportBench { $0 < 4 ? .resetAfterReading : .answer(200) }
        let client = bench.client()
        let ids = ["a", "b", "c"].map { client.capture($0, in: bench.box) }
        await client.flush(bench.box)
        #expect(bench.ledger == ReportLedger(spooled: 3))
        await client.settle(bench.box) { bench.ledger.spooled == 0 }
        #expect(bench.ledger == ReportLedger(delivered: 3))
        let sent = try bench.ingest.events().compactMap { $0["event_id"]?.text }
        #expect(sent.prefix(4).allSatisfy { $0 == ids[0] })
        #expect(sent.dropFirst(4).sorted() == ids.sorted())
        #expect(bench.spooled.isEmpty)
    }

    @Test("case 119: what is buffered leaves in the flush: logs, events and the report of losses")
    func buffers() async throws {
        let bench = ReportBench()
        let client = bench.client { $0.ignoreErrors = ["ignored"] }
        client.capture("ignored", in: bench.box)
        for text in ["a", "b"] { client.log(text, in: bench.box) }
        client.capture("event", in: bench.box)
        #expect(bench.ledger == ReportLedger(pending: 3, dropped: [.eventProcessor: 1]))
        await client.flush(bench.box)
        #expect(bench.ledger == ReportLedger(delivered: 3, dropped: [.eventProcessor: 1]))
        let items = try bench.ingest.envelopes().flatMap(\.items)
        #expect(items.map(\.type).sorted() == ["client_report", "event", "log"])
        let log = try #require(items.first { $0.type == "log" })
        #expect(log.header["item_count"]?.number == 2)
        #expect(log.header["content_type"]?.text == "application/vnd.sentry.items.log+json")
        #expect(log.json?["items"]?.elements?.map { $0["body"]?.text } == ["a", "b"])
        #expect(try bench.ingest.losses() == ["event_processor error": 1])
    }

    @Test("case 131: flushes at once all return, and each thing is sent once")
    func together() async throws {
        let bench = ReportBench()
        let client = bench.client()
        let boxes = (0..<16).map { _ in ReportingScope() }
        await withTaskGroup(of: Void.self) { group in
            for (number, box) in boxes.enumerated() {
                group.addTask {
                    client.capture("\(number)", in: box)
                    client.log("\(number)", in: box)
                    async let one: Void = client.flush(box)
                    async let other: Void = client.settle(box)
                    _ = await (one, other)
                    #expect(box.ledger.now == ReportLedger(delivered: 2))
                }
            }
        }
        let events = try bench.ingest.events()
        #expect(events.count == 16)
        #expect(Set(events.compactMap { $0["event_id"]?.text }).count == 16)
        let logs = try bench.ingest.envelopes().flatMap(\.items).filter { $0.type == "log" }
        #expect(logs.compactMap { $0.header["item_count"]?.number }.reduce(0, +) == 16)
        #expect(bench.ingest.connections == 1)
    }

    @Test("case 134: stopping twice is harmless; what is captured afterwards is on disk, and a flush returns without it")
    func stopped() async throws {
        let bench = ReportBench()
        let client = bench.client()
        client.delivery?.stop()
        client.delivery?.stop()
        let id = client.capture("late", in: bench.box)
        #expect(bench.spooled.count == 1)
        #expect(bench.spooled.first?.contains(id) == true)
        await client.flush(bench.box)
        await client.settle(bench.box)
        #expect(bench.ledger == ReportLedger(spooled: 1))
        #expect(bench.spooled.count == 1)
        #expect(bench.ingest.attempts == 0)
    }

    @Test("with no descriptor left nothing is sent and nobody waits: reports are on disk, and one ERROR says so")
    func noDescriptor() async throws {
        let bench = ReportBench()
        let client = bench.client()
        let delivery = try client.idleDelivery(wake: nil)
        delivery.start()
        for text in ["a", "b"] {
            var event = ReportEvent(level: .error)
            event.message = text
            delivery.submit(event, owner: bench.box.ledger)
            await delivery.flush(bench.box.ledger, drains: true, within: .seconds(20))
        }
        #expect(bench.ledger == ReportLedger(spooled: 2))
        #expect(bench.spooled.count == 2)
        #expect(bench.records.lines.map { $0.hasPrefix("error: reports cannot be sent") } == [true])
        #expect(bench.ingest.attempts == 0)
    }

    @Test("the flush of one request waits for its own reports only; the settling after a reply takes everybody's")
    func whose() async throws {
        let bench = ReportBench()
        let client = bench.client()
        let other = ReportingScope()
        client.capture("other", in: other)
        client.capture("own", in: bench.box)
        await client.flush(bench.box)
        #expect(bench.ledger == ReportLedger(delivered: 1))
        #expect(other.ledger.now == ReportLedger(pending: 1))
        await client.settle(bench.box)
        #expect(other.ledger.now == ReportLedger(delivered: 1))
        #expect(try bench.ingest.events().map { $0["logentry"]?["formatted"]?.text } == ["own", "other"])
    }

    // MARK: Logs

    private func entry(_ text: String = "x") -> LogBuffer.Entry {
        LogBuffer.Entry(Array(#"{"body":"\#(text)"}"#.utf8), ledger: ReportingScope().ledger)
    }

    private func count(_ parcel: QueuedRequest?) throws -> Int? {
        guard case .logs(let entries) = try #require(parcel).content else { return nil }
        return entries.count
    }

    @Test(
        "case 120: 100 logs are one item, 101 are two; a single one is due five seconds after it came, or when the clock went back"
    )
    func logBuffer() throws {
        let now = WallClock.Instant(millisecondsSinceEpoch: 1_700_000_000_000)
        var buffer = LogBuffer()
        #expect(buffer.due == nil && !buffer.isDue(at: now))
        _ = buffer.add(entry(), at: now)
        _ = buffer.add(entry(), at: now.advanced(by: .seconds(4)))
        #expect(!buffer.isDue(at: now.advanced(by: .milliseconds(4999))))
        #expect(buffer.isDue(at: now.advanced(by: .seconds(5))))
        #expect(buffer.isDue(at: now.advanced(by: .seconds(-1))))
        #expect(buffer.due == now.advanced(by: .seconds(5)))
        for _ in 2..<100 {
            #expect(!buffer.isDue(at: now))
            let isTaken = buffer.add(entry(), at: now)
            #expect(isTaken)
        }
        #expect(buffer.isDue(at: now))
        _ = buffer.add(entry(), at: now)
        let items = [buffer.take(), buffer.take()]
        #expect(try items.map(count) == [100, 1])
        #expect(buffer.isEmpty)
    }

    @Test("case 120: the queue sends logs by their age when nobody flushes, and not before")
    func byAge() {
        let now = WallClock.Instant(millisecondsSinceEpoch: 1_700_000_000_000)
        var queue = DeliveryQueue()
        _ = queue.logs.add(entry(), at: now)
        guard case .idle(let until) = queue.next(at: now.advanced(by: .milliseconds(4999))).0 else {
            Issue.record("sent too early")
            return
        }
        #expect(until == now.advanced(by: .seconds(5)))
        guard case .send(let parcel, isProbe: false) = queue.next(at: now.advanced(by: .seconds(5))).0 else {
            Issue.record("not sent")
            return
        }
        #expect(parcel.kind == .logs)
        guard case .idle(nil) = queue.next(at: now.advanced(by: .seconds(5))).0 else {
            Issue.record("something is left")
            return
        }
    }

    @Test("case 120: a hundred logs leave by themselves, in order")
    func hundred() async throws {
        let bench = ReportBench()
        let client = bench.client()
        for number in 0..<100 { client.log("\(number)", in: bench.box) }
        let request = try #require(await bench.ingest.requests(atLeast: 1).first)
        let item = try #require(try request.envelope()["log"])
        #expect(item.json?["items"]?.elements?.map { $0["body"]?.text } == (0..<100).map { "\($0)" })
        await client.flush(bench.box)
        #expect(bench.ledger == ReportLedger(delivered: 100))
        #expect(bench.ingest.attempts == 1)
    }

    @Test("case 121: of 1001 logs that cannot leave the newest is dropped and counted; the others arrive in order")
    func overflow() async throws {
        let bench = ReportBench()
        let client = bench.client()
        // Not started: nothing leaves meanwhile.
        let idle = try client.idleDelivery()
        for number in 0...1000 {
            let json = Array(#"{"body":"\#(number)"}"#.utf8)
            idle.submit(LogBuffer.Entry(json, ledger: bench.box.ledger))
        }
        #expect(bench.ledger == ReportLedger(pending: 1000, dropped: [.bufferOverflow: 1]))
        idle.start()
        await idle.flush(bench.box.ledger, drains: false, within: .seconds(20))
        idle.stop()
        #expect(bench.ledger == ReportLedger(delivered: 1000, dropped: [.bufferOverflow: 1]))
        let items = try bench.ingest.envelopes().flatMap(\.items)
        let logs = items.filter { $0.type == "log" }
        #expect(logs.map { $0.header["item_count"]?.number } == Array(repeating: 100, count: 10))
        let bodies = logs.flatMap { $0.json?["items"]?.elements ?? [] }.compactMap { $0["body"]?.text }
        #expect(bodies == (0..<1000).map { "\($0)" })
        #expect(
            try bench.ingest.losses() == [
                "buffer_overflow log_item": 1, "buffer_overflow log_byte": #"{"body":"1000"}"#.utf8.count,
            ])
    }

    @Test("logs wake the thread with the first and with the hundredth, and not at all while the server is away")
    func wakes() throws {
        let bench = ReportBench()
        let client = bench.client()
        for (isAway, count) in [(false, 2), (true, 0)] {
            // Not started: nobody empties the counter of its descriptor.
            let idle = try client.idleDelivery()
            if isAway { idle.state.withLock { $0.breaker.failed(after: .seconds(1), at: .now) } }
            for _ in 0..<150 { idle.submit(entry()) }
            var counter: UInt64 = 0
            let size = read(try #require(idle.wake).descriptor, &counter, 8)
            #expect(size == (count == 0 ? -1 : 8) && counter == count)
        }
    }

    // MARK: The app's own callbacks

    @Test("a beforeSend that throws or says nil drops its event, is told, and harms no other")
    func beforeSend() async throws {
        let bench = ReportBench()
        let client = bench.client { options in
            options.beforeSend = { event in
                if event.message == "throw" { throw Boom() }
                return event.message == "nil" ? nil : event
            }
        }
        for text in ["throw", "nil", "good"] { client.capture(text, in: bench.box) }
        await client.settle(bench.box)
        #expect(bench.ledger == ReportLedger(delivered: 1, dropped: [.beforeSend: 2]))
        #expect(try bench.ingest.events().map { $0["logentry"]?["formatted"]?.text } == ["good"])
        #expect(try bench.ingest.losses() == ["before_send error": 2])
        #expect(bench.records.lines.contains { $0.hasPrefix("warning: a report was dropped: beforeSend threw Boom") })
        #expect(bench.spooled.isEmpty)
    }

    @Test("a beforeSend that hangs costs its own event and no other")
    func hangingBeforeSend() async throws {
        let door = DispatchSemaphore(value: 0)
        defer { door.signal() }
        let bench = ReportBench()
        let client = bench.client { options in
            options.beforeSend = { event in
                if event.message == "hang" { door.wait() }
                return event
            }
        }
        for text in ["hang", "good"] { client.capture(text, in: bench.box) }
        await client.flush(bench.box)
        #expect(bench.ledger == ReportLedger(delivered: 1, dropped: [.beforeSend: 1]))
        #expect(try bench.ingest.events().map { $0["logentry"]?["formatted"]?.text } == ["good"])
        #expect(try bench.ingest.losses() == ["before_send error": 1])
    }

    @Test("a flush that comes while a callback runs is seen at once: its budget may end before the callback does")
    func flushDuringCallback() throws {
        let door = DispatchSemaphore(value: 0)
        let wake = try WakeUp()
        var looks = 0
        let verdict = CallbackThread.run(
            UserCallbacks(
                processors: [],
                beforeSend: { event in
                    door.wait()
                    return event
                }), on: ReportEvent(level: .error), wake: wake, limit: .seconds(5)
        ) {
            looks += 1
            // The first look finds nobody, and says so; then somebody comes. Only the second one lets the callback end.
            switch looks {
            case 1: wake.signal()
            case 2:
                wake.clear()
                door.signal()
            default: break
            }
            return nil
        }
        guard case .event = verdict else {
            Issue.record("nobody looked again")
            return
        }
        #expect(looks >= 2)
    }

    @Test("each thing captured is in one line of the ledger, and the lines add up")
    func ledger() async throws {
        let bench = ReportBench { attempt in
            switch attempt {
            case 0: .answer(200)
            case 1: .answer(500)
            default: .answer(429)
            }
        }
        let client = bench.client { options in
            options.ignoreErrors = ["ignored"]
            options.beforeSend = { $0.message == "unwanted" ? nil : $0 }
        }
        let texts = ["good", "ignored", "unwanted", "bad", "too many", "held back"]
        for text in texts { client.capture(text, in: bench.box) }
        client.log("held back", in: bench.box)
        // Callbacks may have decided about some already.
        #expect(bench.ledger.captured == texts.count + 1)
        await client.flush(bench.box)
        let ledger = bench.ledger
        #expect(
            ledger
                == ReportLedger(
                    delivered: 1, refused: [500: 1, 429: 1],
                    dropped: [.eventProcessor: 1, .beforeSend: 1, .rateLimitBackoff: 2]))
        #expect(ledger.captured == texts.count + 1)
        #expect(
            ledger.description
                == "7 captured: 1 delivered, 1 refused (429), 1 refused (500), 1 dropped (before_send), "
                + "1 dropped (event_processor), 2 dropped (ratelimit_backoff)")
        #expect(!ledger.isDelivered && !bench.box.ledger.hasPending)
    }
}
