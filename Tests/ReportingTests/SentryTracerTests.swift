import SluiceTestSupport
import Testing
import Tracing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

/// Sections 4.2 to 4.4 of the facts: which traces are sent, what a transaction says, and what goes out of it.
@Suite struct SentryTracerTests {
    private static let trace = "12312012123120121231201212312012"
    private static let span = "1121201211212012"

    private let bench = ReportBench()

    private func client(rate: Double?, _ change: (inout ReportOptions) -> Void = { _ in }) -> SentryClient {
        bench.client {
            $0.tracesSampleRate = rate
            change(&$0)
        }
    }

    /// Runs in an invocation that came with these headers.
    private func inRequest<R>(_ headers: [String: String] = [:], _ body: () throws -> R) rethrows -> R {
        bench.box.carrier = headers
        return try InvocationScope.$current.withValue(InvocationScope(requestID: "one", follower: bench.box)) { try body() }
    }

    private func transactions() throws -> [JSONView] {
        try bench.ingest.envelopes().flatMap(\.items).filter { $0.type == "transaction" }.compactMap(\.json)
    }

    private struct Headers: Injector {
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
    }

    @Test("a span without a parent is a transaction, its children are in it, and the server has it after the flush")
    func tree() async throws {
        let client = client(rate: 1) { $0.release = "shop@1" }
        let tracer = SentryTracer(client)
        inRequest {
            tracer.withSpan("GET", ofKind: .server) { root in
                root.attributes["http.request.method"] = "GET"
                tracer.withSpan("find", context: root.context, ofKind: .client) { child in
                    child.attributes["db.system"] = "sqlite"
                    tracer.withSpan("parse", context: child.context) { _ in }
                }
                root.operationName = "GET /orders/{id}"
                root.attributes["http.response.status_code"] = 404
            }
        }
        #expect(bench.ledger.description == "1 captured: 1 pending")
        await client.flush(bench.box)
        #expect(bench.ledger.description == "1 captured: 1 delivered")
        let envelope = try #require(try bench.ingest.envelopes().first)
        #expect(envelope.types == ["transaction"])
        let sent = try #require(envelope["transaction"]?.json)
        #expect(envelope.header["event_id"]?.text == sent["event_id"]?.text)
        #expect(envelope.header["trace"]?["sampled"]?.text == "true")
        #expect(envelope.header["trace"]?["sample_rate"]?.text == "1.0")
        #expect(envelope.header["trace"]?["public_key"]?.text == "public")
        #expect(sent["type"]?.text == "transaction")
        #expect(sent["transaction"]?.text == "GET /orders/{id}")
        #expect(sent["release"]?.text == "shop@1")
        #expect(sent.keys.isDisjoint(with: ["level", "exception", "logentry", "breadcrumbs"]))
        let root = try #require(sent["contexts"]?["trace"])
        #expect(root["op"]?.text == "http.server")
        #expect(root["status"]?.text == "not_found")
        #expect(root["origin"]?.text == "auto.http.sluice")
        #expect(root["data"]?["http.request.method"]?.text == "GET")
        #expect(root["parent_span_id"] == nil)
        let spans = try #require(sent["spans"]?.elements)
        #expect(spans.map { $0["description"]?.text } == ["parse", "find"])
        #expect(spans.map { $0["op"]?.text } == ["function", "db"])
        #expect(spans.map { $0["trace_id"]?.text } == [root["trace_id"]?.text, root["trace_id"]?.text])
        #expect(spans[1]["parent_span_id"]?.text == root["span_id"]?.text)
        #expect(spans[0]["parent_span_id"]?.text == spans[1]["span_id"]?.text)
        for part in spans + [sent] {
            let (start, end) = (part["start_timestamp"]?.value as? Double, part["timestamp"]?.value as? Double)
            #expect(try #require(start) <= #require(end))
        }
    }

    @Test("a transaction is the request's trace: an error of it names the same span")
    func sameTrace() async throws {
        let client = client(rate: 1)
        let tracer = SentryTracer(client)
        inRequest(["sentry-trace": "\(Self.trace)-\(Self.span)-1"]) {
            tracer.withSpan("GET", ofKind: .server) { _ in _ = client.capture("no", in: bench.box) }
        }
        await client.flush(bench.box)
        let error = try #require(try bench.ingest.events().first?["contexts"]?["trace"])
        let root = try #require(try transactions().first?["contexts"]?["trace"])
        #expect(error["trace_id"]?.text == Self.trace)
        #expect(root["trace_id"]?.text == Self.trace)
        #expect(root["parent_span_id"]?.text == Self.span)
        #expect(error["span_id"]?.text == root["span_id"]?.text)
    }

    @Test(
        "the matrix of section 4.2: the caller's decision, else the rate; and what goes out says which",
        arguments: [("", false, ""), ("-", false, ""), ("-1", true, "-1"), ("-0", false, "-0")], [Double?.none, 0, 1])
    func decision(_ caller: (flag: String, isSent: Bool, out: String), rate: Double?) async throws {
        let client = client(rate: rate)
        let tracer = SentryTracer(client)
        // "-" stands for a caller that has not decided, "" for none.
        let isUndecided = caller.flag.count < 2
        let headers =
            caller.flag.isEmpty
            ? [:] : ["sentry-trace": "\(Self.trace)-\(Self.span)" + (isUndecided ? "" : caller.flag)]
        var out: [String: String] = [:]
        inRequest(headers) {
            tracer.withSpan("GET", ofKind: .server) { span in
                tracer.inject(span.context, into: &out, using: Headers())
                #expect(span.isRecording == (rate != nil && (isUndecided ? rate == 1 : caller.isSent)))
            }
        }
        await client.flush(bench.box)
        let expected = isUndecided ? rate == 1 : caller.isSent && rate != nil
        #expect(try transactions().count == (expected ? 1 : 0))
        guard let rate else {
            // Nobody makes spans then: `Reports.traceHeaders` has what goes out.
            #expect(out.isEmpty)
            return
        }
        let header = try #require(out["sentry-trace"])
        #expect(header.hasSuffix(isUndecided ? "-\(Int(rate))" : caller.out))
        #expect(header.hasPrefix(caller.flag.isEmpty ? "" : Self.trace))
        #expect(out["baggage"] != nil || !caller.flag.isEmpty)
    }

    @Test("a share of the traces is sent, and all of a trace or nothing of it")
    func share() async throws {
        let client = client(rate: 0.5)
        let tracer = SentryTracer(client)
        for number in [0.499999, 0.5] {
            let box = ReportingScope()
            box.carrier = [
                "sentry-trace": "\(Self.trace)-\(Self.span)", "baggage": "sentry-sample_rand=\(number)",
            ]
            InvocationScope.$current.withValue(InvocationScope(requestID: "one", follower: box)) {
                tracer.withSpan("GET", ofKind: .server) { root in
                    #expect(root.isRecording == (number < 0.5))
                    tracer.withSpan("child", context: root.context) { child in
                        #expect(child.isRecording == root.isRecording)
                    }
                }
            }
            await client.flush(box)
        }
        #expect(try transactions().count == 1)
    }

    @Test("a span ends once, what comes after its end is nothing, and one that outlives its root is left out")
    func ends() async throws {
        let client = client(rate: 1)
        let tracer = SentryTracer(client)
        inRequest {
            let root = tracer.startSpan("GET", ofKind: .server)
            let (early, late) = (
                tracer.startSpan("early", context: root.context), tracer.startSpan("late", context: root.context)
            )
            early.end()
            early.operationName = "renamed"
            early.end()
            root.end()
            root.end()
            late.end()
        }
        await client.flush(bench.box)
        #expect(bench.ledger.description == "1 captured: 1 delivered")
        #expect(try transactions().map { $0["spans"]?.elements?.map { $0["description"]?.text } } == [["early"]])
    }

    @Test(
        "an error and a status: the HTTP status decides where there is one",
        arguments: [
            (200, false, "ok"), (302, false, "ok"), (400, false, "invalid_argument"), (401, false, "unauthenticated"),
            (403, false, "permission_denied"), (404, true, "not_found"), (409, false, "already_exists"),
            (413, false, "failed_precondition"), (429, false, "resource_exhausted"), (499, false, "cancelled"),
            (500, true, "internal_error"), (501, true, "unimplemented"), (503, true, "unavailable"),
            (504, true, "deadline_exceeded"), (200, true, "internal_error"), (0, true, "internal_error"), (0, false, "ok"),
        ])
    func status(_ code: Int, isError: Bool, word: String) async throws {
        let client = client(rate: 1)
        let tracer = SentryTracer(client)
        inRequest {
            let span = tracer.startSpan("GET", ofKind: .server)
            if code > 0 { span.attributes["http.response.status_code"] = code }
            if isError { span.recordError(Boom()) }
            span.end()
        }
        await client.flush(bench.box)
        #expect(try transactions().first?["contexts"]?["trace"]?["status"]?.text == word)
    }

    @Test("a transaction of no time at all does not end before it begins")
    func short() async throws {
        let client = client(rate: 1)
        let tracer = SentryTracer(client)
        let moment = DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 1_700_000_000_123_456_789)
        inRequest { tracer.startSpan("GET", context: .topLevel, ofKind: .server, at: moment).end(at: moment) }
        await client.flush(bench.box)
        let sent = try #require(try transactions().first)
        #expect(sent["start_timestamp"]?.value as? Double == sent["timestamp"]?.value as? Double)
    }

    @Test("outside of requests each root is a trace of its own, and decided for itself")
    func outside() async throws {
        let client = client(rate: 1)
        let tracer = SentryTracer(client)
        for _ in 0..<2 { tracer.withSpan("job", context: .topLevel, ofKind: .server) { _ in } }
        await client.settle(.process)
        let roots = try transactions().compactMap { $0["contexts"]?["trace"] }
        #expect(Set(roots.map { $0["trace_id"]?.text }).count == 2)
        #expect(Set(roots.map { $0["span_id"]?.text }).count == 2)
        #expect(roots.allSatisfy { $0["parent_span_id"] == nil })
    }

    @Test("the route is the name of the request's own span alone; a second one is another span")
    func names() async throws {
        let client = client(rate: 1)
        let tracer = SentryTracer(client)
        inRequest {
            bench.box.matched("GET /orders/{id}")
            tracer.withSpan("GET", context: .topLevel, ofKind: .server) { _ in }
            tracer.withSpan("second", context: .topLevel, ofKind: .server) { _ in }
            tracer.withSpan("job", context: .topLevel) { _ in }
        }
        await client.flush(bench.box)
        let sent = try transactions()
        #expect(sent.map { $0["transaction"]?.text } == ["GET /orders/{id}", "second", "job"])
        #expect(sent.map { $0["transaction_info"]?["source"]?.text } == ["route", "custom", "custom"])
        let roots = sent.compactMap { $0["contexts"]?["trace"] }
        #expect(Set(roots.map { $0["span_id"]?.text }).count == 3)
        #expect(Set(roots.map { $0["trace_id"]?.text }).count == 1)
        #expect(roots.dropFirst().allSatisfy { $0["parent_span_id"]?.text == roots[0]["span_id"]?.text })
    }

    @Test("who the client is stays, unless the app sends personal data; URLs leave without credentials and query")
    func personal() async throws {
        for sendsPII in [false, true] {
            let bench = ReportBench()
            let client = bench.client {
                $0.tracesSampleRate = 1
                $0.sendDefaultPII = sendsPII
            }
            let tracer = SentryTracer(client)
            InvocationScope.$current.withValue(InvocationScope(requestID: "one", follower: bench.box)) {
                tracer.withSpan("GET", context: .topLevel, ofKind: .server) { root in
                    root.attributes["client.address"] = "203.0.113.9"
                    root.attributes["http.request.header.x-forwarded-for"] = "203.0.113.10"
                    root.attributes["url.full"] = "https://u:p@x.example/a?token=abc"
                    root.attributes["url.query"] = "token=abc"
                }
            }
            await client.flush(bench.box)
            let data = try bench.ingest.envelopes().first?["transaction"]?.json?["contexts"]?["trace"]?["data"]
            #expect(data?["client.address"]?.text == (sendsPII ? "203.0.113.9" : nil))
            #expect(data?["http.request.header.x-forwarded-for"]?.text == (sendsPII ? "203.0.113.10" : "[Filtered]"))
            #expect(data?["url.full"]?.text == "https://[Filtered]:[Filtered]@x.example/a")
            #expect(data?["url.query"] == nil)
        }
    }

    @Test("a root's own attributes cannot make it too large, nor can their names")
    func largeRoot() async throws {
        let client = client(rate: 1)
        let tracer = SentryTracer(client)
        inRequest {
            tracer.withSpan("GET", context: .topLevel, ofKind: .server) { root in
                for number in 0..<99 { root.attributes["a\(number)"] = String(repeating: "😀", count: 8192) }
                root.attributes[String(repeating: "n", count: 100_000)] = 1
            }
        }
        await client.flush(bench.box)
        let payload = try #require(try bench.ingest.envelopes().first?["transaction"]?.payload)
        #expect(payload.count < 1 << 20)
    }

    @Test("while the server is away spans are dropped, but for those that find out whether it still is")
    func away() {
        var queue = DeliveryQueue()
        let now = WallClock.Instant(millisecondsSinceEpoch: 1_000_000)
        #expect(queue.hasRoom(forSpans: 4 << 20, at: now))
        #expect(!queue.hasRoom(forSpans: (4 << 20) + 1, at: now))
        queue.fresh.append(
            QueuedRequest(id: "a", kind: .spans, content: .bytes([UInt8](repeating: 0, count: 1 << 20)), owners: []))
        #expect(queue.hasRoom(forSpans: 3 << 20, at: now))
        #expect(!queue.hasRoom(forSpans: (3 << 20) + 1, at: now))
        queue.fresh = []
        queue.breaker.failed(after: .seconds(1), at: now)
        #expect(queue.hasRoom(forSpans: 1, at: now))
        queue.breaker.failed(after: .seconds(1), at: now)
        #expect(!queue.hasRoom(forSpans: 1, at: now))
        #expect(queue.hasRoom(forSpans: 1, at: now.advanced(by: .seconds(11))))
    }

    @Test("what names a secret does not leave")
    func secrets() async throws {
        let client = client(rate: 1)
        let tracer = SentryTracer(client)
        inRequest {
            tracer.withSpan("GET", ofKind: .server) { root in
                root.attributes["http.request.header.authorization"] = "Bearer open-sesame"
                tracer.withSpan("call", context: root.context) { $0.attributes["password"] = "hunter2" }
            }
        }
        await client.flush(bench.box)
        let text = try bench.ingest.envelopes().map { $0["transaction"]?.text ?? "" }.joined()
        #expect(!text.isEmpty)
        #expect(!text.contains("open-sesame") && !text.contains("hunter2"))
    }

    @Test("a thousand children are sent, and no more than a megabyte")
    func limits() async throws {
        let client = client(rate: 1)
        let tracer = SentryTracer(client)
        inRequest {
            tracer.withSpan("many", ofKind: .server) { root in
                for _ in 0..<1100 { tracer.withSpan("child", context: root.context) { _ in } }
            }
        }
        await client.flush(bench.box)
        #expect(try transactions().first?["spans"]?.count == 1000)
        let large = ReportBench()
        let other = large.client { $0.tracesSampleRate = 1 }
        let second = SentryTracer(other)
        InvocationScope.$current.withValue(InvocationScope(requestID: "two", follower: large.box)) {
            second.withSpan("large", ofKind: .server) { root in
                for _ in 0..<800 {
                    second.withSpan("child", context: root.context) { span in
                        span.attributes["text"] = String(repeating: "x", count: 2000)
                    }
                }
            }
        }
        await other.flush(large.box)
        let payload = try #require(try large.ingest.envelopes().first?["transaction"]?.payload)
        #expect(payload.count < 1 << 20)
        #expect(large.ledger.description == "1 captured: 1 delivered")
    }

    @Test("a transaction that does not get through is dropped, and the server is told: of one transaction and of its spans")
    func losses() async throws {
        let bench = ReportBench(verdict: { $0 == 0 ? .closeAfterReading : .answer(200) })
        let client = bench.client { $0.tracesSampleRate = 1 }
        let tracer = SentryTracer(client)
        InvocationScope.$current.withValue(InvocationScope(requestID: "one", follower: bench.box)) {
            tracer.withSpan("GET", ofKind: .server) { root in tracer.withSpan("child", context: root.context) { _ in } }
        }
        await client.flush(bench.box)
        #expect(bench.ledger.description == "1 captured: 1 dropped (network_error)")
        client.capture("later", in: bench.box)
        await client.flush(bench.box)
        let report = try #require(try bench.ingest.envelopes().compactMap { $0["client_report"]?.json }.first)
        let entries = report["discarded_events"]?.elements?.map {
            "\($0["reason"]?.text ?? "") \($0["category"]?.text ?? "") \($0["quantity"]?.number ?? 0)"
        }
        #expect(entries == ["network_error span 2", "network_error transaction 1"])
    }

    @Test("a server that wants no transactions gets errors all the same, and these first")
    func limited() async throws {
        let bench = ReportBench(verdict: { _ in
            .answer(200, headers: ["X-Sentry-Rate-Limits": "86400:transaction;span:organization"])
        })
        let client = bench.client { $0.tracesSampleRate = 1 }
        let tracer = SentryTracer(client)
        for _ in 0..<2 {
            InvocationScope.$current.withValue(InvocationScope(requestID: "one", follower: bench.box)) {
                tracer.withSpan("GET", ofKind: .server) { _ in }
                client.capture("no", in: bench.box)
            }
            await client.flush(bench.box)
        }
        // The first answer came to the first error.
        #expect(try transactions(of: bench).isEmpty)
        #expect(try bench.ingest.events().count == 2)
        #expect(bench.ledger.dropped == [.rateLimitBackoff: 2])
        #expect(bench.ledger.delivered == 2)
    }

    private func transactions(of bench: ReportBench) throws -> [EnvelopeView.Item] {
        try bench.ingest.envelopes().flatMap(\.items).filter { $0.type == "transaction" }
    }

    @Test(
        "what the environment says, and what it says wrong",
        arguments: [
            ("", Double?.none, false), ("0.25", 0.25, false), ("1", 1, false), ("2", 0, true), ("-1", 0, true),
            ("much", nil, true),
        ])
    func settings(_ text: String, rate: Double?, isWarned: Bool) {
        let settings = SentrySettings(ReportOptions(), ["SENTRY_TRACES_SAMPLE_RATE": text])
        #expect(settings.tracesSampleRate == rate)
        #expect(settings.warnings.isEmpty != isWarned)
    }
}
