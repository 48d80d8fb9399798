import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

/// The reader of ``EnvelopeView`` is tested with the vectors of the specification, the writer with that reader.
@Suite struct ReportEnvelopeTests {
    // MARK: The reader

    private static let event = "{\"event_id\":\"0123456789abcdef0123456789abcdef\",\"x\":1}"
    private static let head = "{\"event_id\":\"0123456789abcdef0123456789abcdef\"}"

    @Test(
        "cases 22-26, 28, 29: what a strict reader accepts",
        arguments: [
            ("{}", []), ("{}\n", []), ("{\"event_id\":\"0\"}\n", []),
            ("{}\n{\"type\":\"attachment\",\"length\":0}\n\n{\"type\":\"attachment\",\"length\":0}\n", ["", ""]),
            ("{}\n{\"type\":\"attachment\",\"length\":0}\n\n{\"type\":\"attachment\",\"length\":0}", ["", ""]),
            ("{}\n{\"type\":\"attachment\",\"length\":0}\n\n", [""]), ("{}\n{\"type\":\"attachment\",\"length\":0}\n", [""]),
            ("{}\n{\"type\":\"event\"}\n{\"x\":1}\n", ["{\"x\":1}"]), ("{}\n{\"type\":\"event\"}\n{\"x\":1}", ["{\"x\":1}"]),
            (
                "{}\n{\"type\":\"attachment\",\"length\":10}\n\u{FEFF}Hello\r\n\n{\"type\":\"event\",\"length\":7}\n{\"x\":1}\n",
                ["\u{FEFF}Hello\r\n", "{\"x\":1}"]
            ),
            ("\(head)\n{\"type\":\"event\",\"length\":53}\n\(event)\n", [event]),
            ("\(head)\n{\"type\":\"event\",\"length\":54}\n\(event)\n", ["\(event)\n"]),
            ("{}\n{\"type\":\"attachment\",\"length\":3}\na\nb\n{\"type\":\"attachment\",\"length\":1}\nz", ["a\nb", "z"]),
            ("{}\n{\"type\":\"attachment\"}\nab\r\n", ["ab\r"]), ("{}\r\n{\"type\":\"attachment\"}\nab\n", ["ab"]),
            ("{}\n{\"type\":\"attachment\"}\n\n{\"type\":\"attachment\",\"length\":1}\nz\n", ["", "z"]),
            ("{}\n{\"type\":\"never_heard_of\",\"length\":1,\"more\":[1]}\n?\n", ["?"]),
        ])
    func accepted(_ text: String, _ payloads: [String]) throws {
        #expect(try EnvelopeView(Array(text.utf8)).items.map(\.text) == payloads)
    }

    @Test(
        "case 27: what a strict reader rejects",
        arguments: [
            ("\(head)\n{\"type\":\"event\",\"length\":52}\n\(event)\n", EnvelopeView.Problem.unterminated),
            ("\(head)\n{\"type\":\"event\",\"length\":55}\n\(event)\n", .short),
            ("{}\n{\"type\":\"attachment\",\"length\":9}\nabc\n", .short),
            ("{}\n{\"type\":\"attachment\"}", .noPayload), ("{}\n{\"length\":1}\nz\n", .noType),
            ("{}\n{\"type\":\"\"}\nz\n", .noType),
            ("", .header(line: "")), ("\n", .header(line: "")), ("[]\n", .header(line: "[]")),
            ("{}\n\n{\"type\":\"attachment\",\"length\":1}\nz\n", .header(line: "")),
            ("{}\n{\"type\":\"attachment\",\"length\":1}\nz\n\n", .header(line: "")),
            ("{\"sent_at\":\"1\",\"sent_at\":\"1\"}\n", .repeatedKey(line: "{\"sent_at\":\"1\",\"sent_at\":\"1\"}")),
        ])
    func rejected(_ text: String, _ problem: EnvelopeView.Problem) {
        #expect(throws: problem) { try EnvelopeView(Array(text.utf8)) }
    }

    // MARK: The writer

    @Test("cases 22, 29: an envelope without items is one line of headers")
    func empty() throws {
        let bytes = SentryEnvelope().bytes
        #expect(bytes.filter { $0 == 10 }.count == 1)
        #expect(bytes.last == 10)
        #expect(try EnvelopeView(bytes).items.isEmpty)
    }

    @Test(
        "cases 23-28: lengths count bytes; payloads with line feeds, a BOM, CRLF, emoji, NULs or nothing in them arrive whole")
    func payloads() throws {
        let payloads: [[UInt8]] = [
            [], [], Array("\u{FEFF}Hello\r\n".utf8), Array("a\nb\n\nc\n".utf8), Array("😀é𝄞".utf8), [0, 10, 0xFF, 13], [10],
            [13],
            Array("{\"type\":\"event\",\"length\":1}\nx\n".utf8),
        ]
        for last in payloads {
            var envelope = SentryEnvelope()
            envelope.items = (payloads + [last]).map { .init(type: "attachment", payload: $0) }
            let view = try EnvelopeView(envelope.bytes)
            #expect(view.items.map(\.payload) == payloads + [last])
            #expect(view.items.map { $0.header["length"]?.number } == (payloads + [last]).map(\.count))
            #expect(envelope.bytes.last == 10)
        }
    }

    @Test("case 27: the length of an event full of emoji is that of its bytes")
    func emoji() async throws {
        let test = TestClient()
        let text = String(repeating: "😀é\u{2028}", count: 500)
        let event = try await test.delivered(test.message(text))
        #expect(event["logentry"]?["formatted"]?.text == text)
        let item = try #require(try await test.flush().first?["event"])
        #expect(item.header["length"]?.number == item.payload.count)
        #expect(item.payload.count > 4500)
    }

    @Test("case 30: all headers survive, whatever characters are in them")
    func headers() throws {
        let odd = "é😀\"\\\n\u{0}"
        var envelope = SentryEnvelope()
        envelope.eventID = "0123456789abcdef0123456789abcdef"
        envelope.dsn = "https://abc:xyz@sentry.io/1"
        envelope.trace = [("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"), ("public_key", "abc"), ("release", odd)]
        envelope.items = [.init(type: "log", payload: [1, 10], contentType: "a/b", count: 2)]
        let moment = WallClock.Instant(millisecondsSinceEpoch: 1_767_323_045_678)
        let view = try EnvelopeView(SentryEnvelope.stamp(envelope.bytes, sentAt: moment))
        #expect(view.header.keys == ["event_id", "sent_at", "sdk", "dsn", "trace"])
        #expect(view.header["event_id"]?.text == envelope.eventID)
        #expect(view.header["sent_at"]?.text == "2026-01-02T03:04:05.678Z")
        #expect(view.header["dsn"]?.text == envelope.dsn)
        #expect(view.header["sdk"]?.dictionary == ["name": SDK.current.name, "version": SDK.current.version])
        #expect(view.header["trace"]?.dictionary == Dictionary(uniqueKeysWithValues: envelope.trace))
        let item = try #require(view.items.first)
        #expect(item.header.keys == ["type", "length", "content_type", "item_count"])
        #expect(item.header["content_type"]?.text == "a/b")
        #expect(item.header["item_count"]?.number == 2)
        #expect(item.payload == [1, 10])
    }

    @Test("case 30: stamped again after a stay in the spool, an envelope has one moment of sending, the last one")
    func restamped() throws {
        let bytes = SentryEnvelope().bytes
        for milliseconds: Int64 in [0, 1_767_323_045_678] {
            let view = try EnvelopeView(
                SentryEnvelope.stamp(bytes, sentAt: WallClock.Instant(millisecondsSinceEpoch: milliseconds)))
            #expect(view.header["sent_at"]?.text == Timestamp.text(WallClock.Instant(millisecondsSinceEpoch: milliseconds)))
        }
    }

    @Test("case 31: an event's envelope has its id, the moment of sending, the SDK and the trace of the event")
    func eventHeaders() async throws {
        let test = TestClient(["SENTRY_RELEASE": "shop@1"])
        let before = WallClock.Instant.now
        let id = test.capture(test.message("x"))
        let view = try #require(try await test.flush().first)
        #expect(view.header.keys == ["event_id", "sent_at", "sdk", "trace"])
        #expect(view.header["event_id"]?.text == id)
        #expect(view["event"]?.json?["event_id"]?.text == id)
        let format = ISO8601DateFormatter()
        format.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        let text = try #require(view.header["sent_at"]?.text)
        let sent = try #require(format.date(from: text))
        #expect(text.hasSuffix("Z"))
        #expect(Int64(sent.timeIntervalSince1970 * 1000 + 0.5) >= before.millisecondsSinceEpoch)
        let trace = try #require(view["event"]?.json?["contexts"]?["trace"]?["trace_id"]?.text)
        #expect(
            view.header["trace"]?.dictionary == [
                "trace_id": trace, "public_key": "public", "release": "shop@1", "environment": "production",
            ])
    }

    @Test("case 31: a caller's trace without baggage is an empty context, and the trace header is left out")
    func frozen() async throws {
        let test = TestClient()
        test.box.began {
            RequestSummary(
                method: "GET", url: "/", query: [],
                headers: [("Sentry-Trace", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7")], body: [], remoteAddress: nil)
        }
        test.capture(test.message("x"))
        let view = try #require(try await test.flush().first)
        #expect(view.header.keys == ["event_id", "sent_at", "sdk"])
        #expect(view["event"]?.json?["contexts"]?["trace"]?["trace_id"]?.text == "4bf92f3577b34da6a3ce929d0e0e4736")
    }

    @Test("case 33: an event of values that JSON does not have is sent all the same")
    func unserialisable() async throws {
        let test = TestClient()
        var event = test.message("\u{0}\u{1F}\u{7F}\u{FFFF}")
        event.contexts["odd"] = [
            "nan": .double(.nan), "": .double(-.infinity), "\n\"": .array([.null, .object(["\u{0}": .double(.infinity)])]),
        ]
        let arrived = try await test.delivered(event)
        #expect(arrived["logentry"]?["formatted"]?.text == "\u{0}\u{1F}\u{7F}\u{FFFF}")
        #expect(arrived["contexts"]?["odd"]?.keys == ["nan", "", "\n\""])
    }

    @Test("case 34: a body of 32 KiB at most is sent as it is, a longer one with gzip; both arrive whole")
    func compression() async throws {
        let small = TestClient()
        #expect(try await small.delivered(small.message("x"))["logentry"]?["formatted"]?.text == "x")
        let plain = try #require(small.ingest.requests.first?.message)
        #expect(plain["content-encoding"] == nil)
        #expect(plain.body.count <= 32 << 10)

        let large = TestClient()
        var event = large.message("x")
        event.breadcrumbs = (0..<100).map { Breadcrumb("\($0) " + String(repeating: "é", count: 1000)) }
        let arrived = try await large.delivered(event)
        #expect(arrived["breadcrumbs"]?["values"]?.count == 100)
        let request = try #require(large.ingest.requests.first)
        let packed = request.message
        #expect(packed["content-encoding"] == "gzip")
        #expect(packed["content-length"] == String(packed.body.count))
        #expect(try #require(try request.envelope()["event"]).payload.count > 200_000)
        #expect(packed.body.count < 32 << 10)
    }

    @Test("cases 28, 35: an event and attachments share an envelope, each with its length")
    func attachments() throws {
        var envelope = SentryEnvelope()
        envelope.eventID = "0123456789abcdef0123456789abcdef"
        envelope.items = [
            .init(type: "event", payload: Array(Self.event.utf8), contentType: "application/json"),
            .init(type: "attachment", payload: Array("\u{FEFF}a\r\n".utf8)), .init(type: "attachment", payload: []),
        ]
        let view = try EnvelopeView(envelope.bytes)
        #expect(view.types == ["event", "attachment", "attachment"])
        #expect(view.items.map { $0.header["length"]?.number } == [53, 6, 0])
        #expect(view.items.map(\.payload) == envelope.items.map(\.payload))
    }

    @Test("case 36: a client report has a moment and what was discarded, summed; taken once, and not of itself")
    func clientReport() {
        var losses = Losses()
        losses.add(.networkError, .losses)
        losses.add(.networkError, .event, 0)
        #expect(losses.isEmpty)
        losses.add(.beforeSend, .event)
        losses.add(.rateLimitBackoff, .logs, 3)
        losses.add(.beforeSend, .event, 2)
        let bytes = losses.take().clientReport(at: WallClock.Instant(millisecondsSinceEpoch: 1_767_323_045_500))
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == #"{"timestamp":1767323045.5,"discarded_events":[{"reason":"before_send","category":"error","quantity":3},"#
                + #"{"reason":"ratelimit_backoff","category":"log_item","quantity":3}]}"#)
        #expect(losses.isEmpty)
    }

    @Test("case 36: what was dropped travels as an item of the next envelope, behind the event")
    func clientReportItem() async throws {
        let test = TestClient { $0.ignoreErrors = ["ignored"] }
        test.capture(test.message("this is ignored"))
        test.capture(test.message("this is not"))
        let view = try #require(try await test.flush().first)
        #expect(view.types == ["event", "client_report"])
        let report = try #require(view["client_report"]?.json)
        #expect(report.keys == ["timestamp", "discarded_events"])
        #expect(report["discarded_events"]?.count == 1)
        #expect(try test.ingest.losses() == ["event_processor error": 1])
    }

    @Test("case 36: with sendClientReports off nobody is told")
    func noClientReports() async throws {
        let test = TestClient {
            $0.ignoreErrors = ["ignored"]
            $0.sendClientReports = false
        }
        test.capture(test.message("this is ignored"))
        test.capture(test.message("this is not"))
        #expect(try await test.flush().map(\.types) == [["event"]])
        #expect(test.box.ledger.now.dropped == [.eventProcessor: 1])
    }
}
