import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

/// Section 8.7 of the conformance cases: what becomes of reports when the server answers so, or does not.
@Suite(.timeLimit(.minutes(1))) struct DeliveryTests {
    // MARK: Answers

    @Test("case 101: after a 429 the next report is not sent but counted; the 429 itself the server has counted")
    func tooMany() async throws {
        let bench = ReportBench { _ in .answer(429, headers: ["Retry-After": "100"]) }
        let client = bench.client()
        client.capture("refused", in: bench.box)
        await client.flush(bench.box)
        #expect(bench.ledger.refused == [429: 1])
        client.capture("held back", in: bench.box)
        await client.settle(bench.box)
        #expect(bench.ledger.dropped == [.rateLimitBackoff: 1])
        #expect(try bench.ingest.envelopes().map(\.types) == [["event"], ["client_report"]])
        #expect(try bench.ingest.losses() == ["ratelimit_backoff error": 1])
        #expect(bench.spooled.isEmpty)
    }

    @Test("case 102: a limit for transactions, as some servers have on every answer, holds no event back")
    func transactionsOnly() async throws {
        let bench = ReportBench { _ in .answer(200, headers: ["X-Sentry-Rate-Limits": "86400:transaction;span:organization"]) }
        let client = bench.client()
        for text in ["a", "b"] {
            client.capture(text, in: bench.box)
            client.log(text, in: bench.box)
            await client.flush(bench.box)
        }
        #expect(bench.ledger == ReportLedger(delivered: 4))
    }

    @Test("case 103: limits on a 200 count")
    func limitsOnSuccess() async throws {
        let bench = ReportBench { _ in .answer(200, headers: ["x-sentry-rate-limits": "60:error:organization"]) }
        let client = bench.client()
        for text in ["a", "b"] {
            client.capture(text, in: bench.box)
            await client.flush(bench.box)
        }
        client.log("c", in: bench.box)
        await client.flush(bench.box)
        #expect(bench.ledger == ReportLedger(delivered: 2, dropped: [.rateLimitBackoff: 1]))
        #expect(try bench.ingest.envelopes().map(\.types) == [["event"], ["log", "client_report"]])
    }

    @Test("case 108: logs that are limited are dropped and counted by number and bytes; events go")
    func logsLimited() async throws {
        let bench = ReportBench { _ in .answer(200, headers: ["X-Sentry-Rate-Limits": "60:log_item"]) }
        let client = bench.client()
        client.capture("a", in: bench.box)
        await client.flush(bench.box)
        for text in ["b", "c"] { client.log(text, in: bench.box) }
        client.capture("d", in: bench.box)
        await client.settle(bench.box)
        #expect(bench.ledger == ReportLedger(delivered: 2, dropped: [.rateLimitBackoff: 2]))
        let losses = try bench.ingest.losses()
        #expect(losses["ratelimit_backoff log_item"] == 2)
        #expect(losses["ratelimit_backoff log_byte"].map { $0 > 100 } == true)
        #expect(losses.count == 2)
    }

    @Test("case 104: a 413 is not repeated, limits nothing and is counted; a report of losses in it is not")
    func tooLarge() async throws {
        let bench = ReportBench { .answer($0 < 2 ? 413 : 200) }
        let client = bench.client()
        for text in ["a", "b", "c"] {
            client.capture(text, in: bench.box)
            await client.flush(bench.box)
        }
        #expect(bench.ledger == ReportLedger(delivered: 1, refused: [413: 2]))
        let envelopes = try bench.ingest.envelopes()
        #expect(envelopes.map(\.types) == [["event"], ["event", "client_report"], ["event", "client_report"]])
        for envelope in envelopes.dropFirst() {
            let list = envelope["client_report"]?.json?["discarded_events"]
            #expect(list?.count == 1)
            #expect(list?[0]?["reason"]?.text == "send_error")
            #expect(list?[0]?["category"]?.text == "error")
            #expect(list?[0]?["quantity"]?.number == 1)
        }
        #expect(bench.spooled.isEmpty)
    }

    @Test("a redirect is not followed: it is refused like any other answer")
    func redirect() async throws {
        let elsewhere = MockIngest()
        let bench = ReportBench { _ in .answer(307, headers: ["Location": "http://127.0.0.1:\(elsewhere.port)/"]) }
        let client = bench.client()
        client.capture("x", in: bench.box)
        await client.flush(bench.box)
        elsewhere.stop()
        #expect(bench.ledger == ReportLedger(refused: [307: 1]))
        #expect(bench.ingest.attempts == 1)
        #expect(elsewhere.attempts == 0)
    }

    @Test(
        "case 107: what the server refuses is not repeated, is told once, and the next one goes",
        arguments: [500, 503, 400, 401, 403, 404])
    func refused(_ status: Int) async throws {
        let bench = ReportBench { .answer($0 < 2 ? status : 200) }
        let client = bench.client()
        for text in ["a", "b", "c"] {
            client.capture(text, in: bench.box)
            await client.flush(bench.box)
        }
        #expect(bench.ledger == ReportLedger(delivered: 1, refused: [status: 2]))
        #expect(bench.ingest.attempts == 3)
        #expect(try bench.ingest.losses() == ["send_error error": 2])
        #expect(bench.records.lines.count == 1)
        #expect(bench.records.lines.first?.hasPrefix("error: the error tracker refused a report with \(status)") == true)
        #expect(bench.spooled.isEmpty)
    }

    // MARK: No responses

    @Test("case 105: logs without an answer are network errors, by number and bytes; an event waits in the spool")
    func networkError() async throws {
        let bench = ReportBench { $0 == 0 ? .resetAfterReading : .answer(200) }
        let client = bench.client()
        for text in ["a", "b", "c"] { client.log(text, in: bench.box) }
        await client.flush(bench.box)
        #expect(bench.ledger == ReportLedger(dropped: [.networkError: 3]))
        client.capture("d", in: bench.box)
        await client.settle(bench.box)
        #expect(bench.ledger == ReportLedger(delivered: 1, dropped: [.networkError: 3]))
        #expect(try bench.ingest.envelopes().map(\.types) == [["log"], ["event", "client_report"]])
        // Of the entries themselves, without the list around them.
        let around = #"{"items":[,,]}"#.utf8.count
        let bytes = try #require(try bench.ingest.envelopes().first?.items.first?.payload.count) - around
        #expect(try bench.ingest.losses() == ["network_error log_item": 3, "network_error log_byte": bytes])
    }

    @Test("case 105: a report of losses that does not get through is not reported in its turn")
    func lostClientReport() async throws {
        let bench = ReportBench { $0 < 6 ? $0 == 0 ? .answer(413) : .resetAfterReading : .answer(200) }
        let client = bench.client()
        client.capture("refused", in: bench.box)
        await client.flush(bench.box)
        client.capture("reset", in: bench.box)
        await client.flush(bench.box)
        #expect(bench.ledger == ReportLedger(spooled: 1, refused: [413: 1]))
        await client.settle(bench.box) { bench.ledger.spooled == 0 }
        let types = try bench.ingest.envelopes().map(\.types)
        #expect(types.dropFirst().first == ["event", "client_report"])
        #expect(types.last == ["event"])
        #expect(bench.ledger == ReportLedger(delivered: 1, refused: [413: 1]))
    }

    @Test("case 111: a kept connection that the server has closed is replaced: the report arrives once")
    func idleClose() async throws {
        let bench = ReportBench { .answer(200, closes: $0 == 0) }
        let client = bench.client()
        var sent: [String] = []
        for text in ["a", "b"] {
            sent.append(client.capture(text, in: bench.box))
            await client.flush(bench.box)
        }
        #expect(bench.ledger == ReportLedger(delivered: 2))
        #expect(try bench.ingest.events().map { $0["event_id"]?.text } == sent)
        #expect(bench.ingest.requests.map(\.connection) == [0, 1])
    }

    @Test(
        "case 112: a kept connection that dies with the request is replaced, and the report repeated under its id",
        arguments: [true, false])
    func deadAfterReading(_ resets: Bool) async throws {
        let bench = ReportBench { $0 == 1 ? (resets ? .resetAfterReading : .closeAfterReading) : .answer(200) }
        let client = bench.client()
        client.capture("a", in: bench.box)
        await client.flush(bench.box)
        let id = client.capture("b", in: bench.box)
        await client.flush(bench.box)
        #expect(bench.ledger == ReportLedger(delivered: 2))
        let events = try bench.ingest.events()
        #expect(events.count == 3)
        #expect(events.dropFirst().map { $0["event_id"]?.text } == [id, id])
        #expect(try bench.ingest.envelopes().dropFirst().map { $0.header["event_id"]?.text } == [id, id])
    }

    @Test(
        "logs are never sent twice once the server may have them, on a fresh connection or a kept one",
        arguments: [false, true])
    func logsOnce(_ isKept: Bool) async throws {
        let bench = ReportBench { $0 == (isKept ? 1 : 0) ? .resetAfterReading : .answer(200) }
        let client = bench.client()
        if isKept {
            client.capture("a", in: bench.box)
            await client.flush(bench.box)
        }
        client.log("b", in: bench.box)
        await client.flush(bench.box)
        await client.settle(bench.box)
        #expect(bench.ledger.dropped == [.networkError: 1])
        #expect(try bench.ingest.envelopes().filter { $0.types.first == "log" }.count == 1)
    }

    @Test(
        "case 113: a server that resets every connection costs a bounded number of attempts; the event waits in the spool",
        arguments: [true, false])
    func alwaysReset(_ reads: Bool) async throws {
        let bench = ReportBench { _ in reads ? .resetAfterReading : .resetBeforeReading }
        let client = bench.client()
        let id = client.capture("a", in: bench.box)
        await client.flush(bench.box)
        #expect(bench.ledger == ReportLedger(spooled: 1))
        #expect((1...4).contains(bench.ingest.attempts))
        #expect(bench.spooled.count == 1)
        #expect(bench.spooled.first?.contains(id) == true)
        #expect(bench.records.lines.count == 1)
        #expect(bench.records.lines.first?.hasPrefix("warning: reports do not get through") == true)
        // The breaker is open: what comes next costs the client nothing.
        let attempts = bench.ingest.attempts
        client.capture("b", in: bench.box)
        await client.flush(bench.box)
        #expect(bench.ledger == ReportLedger(spooled: 2))
        #expect(bench.ingest.attempts == attempts)
    }

    @Test("case 114: a server that never answers costs a flush its limit; events wait in the spool, logs are network errors")
    func hang() async throws {
        let bench = ReportBench { $0 == 1 || $0 == 2 ? .hang : .answer(200) }
        let client = bench.client()
        // The first request of a process loads libcurl: that is not the server's time.
        client.capture("first", in: bench.box)
        await client.flush(bench.box)
        #expect(bench.ledger == ReportLedger(delivered: 1))
        client.log("a", in: bench.box)
        await client.flush(bench.box, within: .milliseconds(500))
        #expect(bench.ledger == ReportLedger(delivered: 1, dropped: [.networkError: 1]))
        client.capture("b", in: bench.box)
        await client.settle(bench.box, within: .milliseconds(500))
        #expect(bench.ledger == ReportLedger(delivered: 1, spooled: 1, dropped: [.networkError: 1]))
        #expect(bench.spooled.count == 1)
        await client.settle(bench.box) { bench.ledger.spooled == 0 }
        #expect(bench.ledger == ReportLedger(delivered: 2, dropped: [.networkError: 1]))
        #expect(bench.spooled.isEmpty)
    }

    @Test("logs that never left the process are not lost: they wait, and go when the server is back")
    func unsentLogs() async throws {
        let bench = ReportBench()
        bench.ingest.stop()
        let client = bench.client()
        for text in ["a", "b"] { client.log(text, in: bench.box) }
        await client.flush(bench.box)
        #expect(bench.ledger == ReportLedger(pending: 2))
        #expect(bench.records.lines.count == 1)
        let ingest = MockIngest(port: bench.ingest.port)
        defer { ingest.stop() }
        await client.settle(bench.box) { !bench.box.ledger.hasPending }
        #expect(bench.ledger == ReportLedger(delivered: 2))
        let items = try ingest.envelopes().flatMap(\.items)
        #expect(items.map { $0.header["item_count"]?.number } == [2])
    }

    @Test("logs whose flush ends before the connection is made are not lost either")
    func abortedBeforeSent() async throws {
        // A listener that accepts nothing and has no room: a connection to it is never made.
        let (listener, port) = RawSocket.listen(backlog: 0)
        let fillers = (0..<4).map { _ in RawSocket.beginConnecting(port: port) }
        let bench = ReportBench()
        let client = bench.client { $0.dsn = "http://public@127.0.0.1:\(port)/42" }
        client.log("a", in: bench.box)
        await client.flush(bench.box, within: .milliseconds(50))
        #expect(bench.ledger == ReportLedger(pending: 1))
        withExtendedLifetime((listener, fillers)) {}
    }

    @Test("case 115: reports share one connection, whatever the answers' bodies")
    func oneConnection() async throws {
        let body = String(repeating: "x", count: 100_000)
        let bench = ReportBench { .answer($0 % 2 == 0 ? 200 : 400, body: $0 % 3 == 0 ? body : "{}") }
        let client = bench.client()
        for number in 0..<6 {
            client.capture("\(number)", in: bench.box)
            await client.flush(bench.box)
        }
        #expect(bench.ledger == ReportLedger(delivered: 3, refused: [400: 3]))
        #expect(bench.ingest.connections == 1)
    }
}

extension ReportLedger {
    init(pending: Int = 0, delivered: Int = 0, spooled: Int = 0, refused: [Int: Int] = [:], dropped: [DropReason: Int] = [:]) {
        self.init()
        self.pending = pending
        self.delivered = delivered
        self.spooled = spooled
        self.refused = refused
        self.dropped = dropped
    }
}
