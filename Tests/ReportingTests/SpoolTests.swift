import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

/// What is on disk, and what a server that is away costs.
@Suite(.timeLimit(.minutes(1))) struct SpoolTests {
    @Test("a report outlives its client: the next one delivers it under the same id, and the file goes")
    func survives() async throws {
        let bench = ReportBench { $0 < 4 ? .resetAfterReading : .answer(200) }
        var id = ""
        do {
            let client = bench.client()
            id = client.capture("a", in: bench.box)
            await client.flush(bench.box)
            #expect(bench.ledger == ReportLedger(spooled: 1))
        }
        #expect(bench.spooled.count == 1)
        let next = bench.client()
        let box = ReportingScope()
        await next.settle(box) { bench.spooled.isEmpty }
        let events = try bench.ingest.events()
        #expect(events.count == 5)
        #expect(Set(events.map { $0["event_id"]?.text }) == [id])
        #expect(Set(events.map { $0["logentry"]?["formatted"]?.text }) == ["a"])
    }

    @Test("an event is on disk, whole and for its owner's eyes only, when its capture returns; it goes when it is delivered")
    func atOnce() async throws {
        let bench = ReportBench()
        let client = bench.client()
        let id = client.capture("a", in: bench.box)
        let name = try #require(bench.spooled.first)
        #expect(bench.spooled.count == 1)
        let path = try #require(bench.spool).folder + "/" + name
        let envelope = try EnvelopeView([UInt8](Data(contentsOf: URL(fileURLWithPath: path))))
        #expect(envelope.header["event_id"]?.text == id)
        #expect(envelope["event"]?.json?["event_id"]?.text == id)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        await client.flush(bench.box)
        #expect(bench.spooled.isEmpty)
    }

    @Test("reports of another project or key stay where they are")
    func destinations() async throws {
        let bench = ReportBench()
        let other = Spool(root: bench.spoolRoot, destination: "http://other@127.0.0.1:1/7")
        let now = WallClock.Instant.now
        let name = try other.write(Array("{}\n".utf8), id: "0123456789abcdef0123456789abcdef", at: now)
        let client = bench.client()
        client.capture("a", in: bench.box)
        await client.settle(bench.box)
        #expect(bench.ingest.attempts == 1)
        #expect(try other.list().map(\.name) == [name])
    }

    @Test("a file that is too old is removed and counted, one that a kill left half-written is removed, others are left alone")
    func leftovers() async throws {
        let bench = ReportBench()
        let spool = try #require(bench.spool)
        let old = WallClock.Instant.now.advanced(by: .seconds(-3 * 86_400 - 60))
        _ = try spool.write(Array("{}\n".utf8), id: "00000000000000000000000000000001", at: old)
        for name in ["1-2.envelope.tmp", "notes.txt"] {
            #expect(FileManager.default.createFile(atPath: spool.folder + "/" + name, contents: Data("x".utf8)))
        }
        let client = bench.client()
        #expect(try FileManager.default.contentsOfDirectory(atPath: spool.folder) == ["notes.txt"])
        client.capture("a", in: bench.box)
        await client.flush(bench.box)
        #expect(try bench.ingest.losses() == ["cache_overflow error": 1])
    }

    @Test("a spool folder that takes nothing is one warning, and reports are delivered all the same")
    func readOnly() async throws {
        let folder = TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let file = folder.path + "/file"
        #expect(FileManager.default.createFile(atPath: file, contents: nil))
        // A folder under a file cannot be made, not by root either.
        let bench = ReportBench(spoolRoot: file + "/spool")
        let client = bench.client()
        for text in ["a", "b", "c"] { client.capture(text, in: bench.box) }
        await client.flush(bench.box)
        #expect(bench.ledger == ReportLedger(delivered: 3))
        #expect(bench.records.lines.count == 1)
        #expect(bench.records.lines.first?.hasPrefix("warning: reports cannot be kept in \(file)/spool/") == true)
    }

    @Test("what is in the spool and is no file of ours holds nothing up: a pipe, a link, a folder")
    func noFiles() async throws {
        let bench = ReportBench()
        let spool = try #require(bench.spool)
        let now = WallClock.Instant.now.millisecondsSinceEpoch
        _ = try spool.write(Array("{}\n".utf8), id: "00000000000000000000000000000001", at: .now)
        let elsewhere = spool.folder + "/elsewhere"
        #expect(FileManager.default.createFile(atPath: elsewhere, contents: Data("{}\n".utf8)))
        #expect(mkfifo("\(spool.folder)/\(now)-pipe.envelope", 0o600) == 0)
        #expect(symlink(elsewhere, "\(spool.folder)/\(now)-link.envelope") == 0)
        #expect(mkdir("\(spool.folder)/\(now)-folder.envelope", 0o700) == 0)
        if geteuid() == 0 {
            let foreign = "\(now)-foreign.envelope"
            #expect(FileManager.default.createFile(atPath: spool.folder + "/" + foreign, contents: Data("{}\n".utf8)))
            #expect(chown(spool.folder + "/" + foreign, 1, 1) == 0)
            #expect(try spool.read(foreign) == nil)
        }
        #expect(try spool.list().map(\.name).count == 1)
        for name in ["\(now)-pipe.envelope", "\(now)-link.envelope", "\(now)-folder.envelope"] {
            #expect(try spool.read(name) == nil)
        }
        let client = bench.client()
        client.capture("a", in: bench.box)
        await client.flush(bench.box)
        await client.settle(bench.box) { (try? spool.list().isEmpty) == true }
        #expect(bench.ledger == ReportLedger(delivered: 1))
        #expect(bench.ingest.attempts == 2)
    }

    @Test("a pipe where a file is to be written holds nothing up either")
    func pipeInTheWay() throws {
        let bench = ReportBench()
        let spool = try #require(bench.spool)
        let name = try spool.write([1], id: "a", at: .now)
        #expect(mkfifo("\(spool.folder)/\(name).tmp", 0o600) == 0)
        #expect(throws: SpoolError.self) { try spool.replace(name, [2]) }
        #expect(try spool.read(name) == [1])
    }

    @Test(
        "a spool folder that others may enter, or that is somebody else's, or a link, is not used, with a warning",
        // Only root can give a folder away.
        arguments: geteuid() == 0 ? [0, 1, 2] : [0, 2])
    func foreignFolder(_ kind: Int) async throws {
        let bench = ReportBench()
        let spool = try #require(bench.spool)
        let planted = try spool.write(Array("{}\n".utf8), id: "00000000000000000000000000000001", at: .now)
        switch kind {
        case 0: #expect(chmod(spool.folder, 0o770) == 0)
        case 1: #expect(chown(spool.folder, 1, 1) == 0)
        default:
            #expect(rename(spool.folder, spool.folder + ".real") == 0)
            #expect(symlink(spool.folder + ".real", spool.folder) == 0)
        }
        let client = bench.client()
        client.capture("a", in: bench.box)
        await client.flush(bench.box)
        await client.settle(bench.box)
        #expect(bench.ledger == ReportLedger(delivered: 1))
        #expect(bench.ingest.attempts == 1)
        let warnings = bench.records.lines.filter { $0.hasPrefix("warning: reports cannot be kept in ") }
        #expect(warnings.count == 1)
        let real = kind == 2 ? spool.folder + ".real" : spool.folder
        #expect(try FileManager.default.contentsOfDirectory(atPath: real) == [planted])
    }

    @Test("without a disk a report that does not get through waits in memory")
    func inMemory() async throws {
        let folder = TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let file = folder.path + "/file"
        #expect(FileManager.default.createFile(atPath: file, contents: nil))
        let bench = ReportBench(spoolRoot: file + "/spool") { $0 < 4 ? .resetAfterReading : .answer(200) }
        let client = bench.client()
        let id = client.capture("a", in: bench.box)
        await client.flush(bench.box)
        #expect(bench.ledger == ReportLedger(pending: 1))
        await client.settle(bench.box) { bench.ledger.pending == 0 }
        #expect(bench.ledger == ReportLedger(delivered: 1))
        #expect(try bench.ingest.events().last?["event_id"]?.text == id)
    }

    @Test("case 106: of 1001 events at once the newest is dropped and counted; the others arrive in order")
    func queueFull() async throws {
        let bench = ReportBench()
        let client = bench.client()
        for number in 0...1000 { client.capture("\(number)", in: bench.box) }
        #expect(bench.ledger == ReportLedger(pending: 1000, dropped: [.queueOverflow: 1]))
        #expect(bench.spooled.count == 1000)
        await client.flush(bench.box, within: .seconds(300))
        #expect(bench.ledger == ReportLedger(delivered: 1000, dropped: [.queueOverflow: 1]))
        #expect(try bench.ingest.events().map { $0["logentry"]?["formatted"]?.text } == (0..<1000).map { "\($0)" })
        #expect(try bench.ingest.losses() == ["queue_overflow error": 1])
        #expect(bench.spooled.isEmpty)
        client.capture("next", in: bench.box)
        await client.settle(bench.box)
        #expect(bench.ledger == ReportLedger(delivered: 1001, dropped: [.queueOverflow: 1]))
    }

    // MARK: The breaker, moment by moment

    @Test(
        "the breaker opens at the first failure, lets one probe through at once, then waits ten times what one cost, and doubles"
    )
    func breaker() {
        let now = WallClock.Instant(millisecondsSinceEpoch: 1_700_000_000_000)
        var breaker = CircuitBreaker()
        #expect(!breaker.isOpen)
        breaker.failed(after: .seconds(2), at: now)
        #expect(breaker.isOpen && breaker.mayProbe(at: now))
        for (index, factor) in [10, 20, 40, 80, 160, 320, 640, 640].enumerated() {
            breaker.failed(after: .milliseconds(20), at: now)
            #expect(breaker.failures == index + 2)
            let until = now.advanced(by: .milliseconds(20 * factor))
            #expect(!breaker.mayProbe(at: until.advanced(by: .milliseconds(-1))))
            #expect(breaker.mayProbe(at: until))
        }
        breaker.succeeded()
        #expect(breaker == CircuitBreaker())
    }

    @Test("a probe waits a minute at most, five milliseconds at least, and not for a clock that was set back")
    func breakerBounds() {
        let now = WallClock.Instant(millisecondsSinceEpoch: 1_700_000_000_000)
        var breaker = CircuitBreaker()
        for _ in 0..<40 { breaker.failed(after: .seconds(3600), at: now) }
        #expect(breaker.failures == 30)
        #expect(!breaker.mayProbe(at: now.advanced(by: .milliseconds(59_999))))
        #expect(breaker.mayProbe(at: now.advanced(by: .seconds(60))))
        #expect(breaker.mayProbe(at: now.advanced(by: .seconds(-1))))
        breaker.succeeded()
        for _ in 0..<2 { breaker.failed(after: .zero, at: now) }
        #expect(!breaker.mayProbe(at: now.advanced(by: .milliseconds(4))))
        #expect(breaker.mayProbe(at: now.advanced(by: .milliseconds(5))))
    }

    @Test(
        "an open breaker costs a flush before a reply nothing; the one after it may probe, with an event, and drains the rest")
    func openBreaker() {
        let now = WallClock.Instant(millisecondsSinceEpoch: 1_700_000_000_000)
        let ledger = ReportingScope().ledger
        func parcel(_ id: String, _ kind: QueuedRequest.Kind) -> QueuedRequest {
            QueuedRequest(id: id, kind: kind, content: .bytes([]), owners: [(ledger, 1)])
        }
        var queue = DeliveryQueue()
        queue.breaker.failed(after: .milliseconds(10), at: now)
        queue.fresh = [parcel("log", .logs), parcel("new", .event)]
        queue.parked = [parcel("old", .event)]
        queue.add(ledger, drains: false, until: now.advanced(by: .seconds(2))) {}
        var (job, over) = queue.next(at: now)
        guard case .idle = job else {
            Issue.record("sent though the breaker is open")
            return
        }
        #expect(over.count == 1)

        queue.add(ledger, drains: true, until: now.advanced(by: .seconds(2))) {}
        (job, over) = queue.next(at: now)
        guard case .send(let probe, isProbe: true) = job else {
            Issue.record("no probe")
            return
        }
        #expect(probe.id == "new")
        #expect(over.isEmpty)
        queue.breaker.succeeded()
        var ids: [String] = []
        while case .send(let parcel, isProbe: false) = queue.next(at: now).0 { ids.append(parcel.id) }
        #expect(ids == ["log", "old"])
    }

    @Test("what failed for somebody who waits is not tried for them again; it is for the next")
    func triedOnce() {
        let now = WallClock.Instant(millisecondsSinceEpoch: 1_700_000_000_000)
        let ledger = ReportingScope().ledger
        var queue = DeliveryQueue()
        queue.parked = [QueuedRequest(id: "a", kind: .event, content: .file, owners: [(ledger, 1)])]
        queue.add(nil, drains: true, until: now.advanced(by: .seconds(2))) {}
        guard case .send(let parcel, _) = queue.next(at: now).0 else {
            Issue.record("not sent")
            return
        }
        queue.parked.append(parcel)
        queue.failed(parcel.id)
        let (job, over) = queue.next(at: now)
        guard case .idle = job else {
            Issue.record("tried again")
            return
        }
        #expect(over.count == 1)
        queue.add(nil, drains: true, until: now.advanced(by: .seconds(2))) {}
        guard case .send = queue.next(at: now).0 else {
            Issue.record("not tried for the next")
            return
        }
    }
}
