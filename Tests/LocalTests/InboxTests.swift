import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceLocal
@testable import SluiceStreaming

@Suite struct EnvelopeReaderTests {
    private static let event = #"{"event_id":"0123456789abcdef0123456789abcdef","x":1}"#
    private static let header = #"{"event_id":"0123456789abcdef0123456789abcdef"}"#

    /// Envelopes and the payloads in them; nil for what is malformed. The first ones are the protocol's own examples of framing.
    private static let vectors: [(bytes: String, payloads: [String]?)] = [
        ("{}", []), ("{}\n", []),
        ("\(header)\n{\"type\":\"event\",\"length\":53}\n\(event)\n", [event]),
        ("\(header)\n{\"type\":\"event\",\"length\":52}\n\(event)\n", nil),
        ("\(header)\n{\"type\":\"event\",\"length\":54}\n\(event)\n", [event + "\n"]),
        ("\(header)\n{\"type\":\"event\",\"length\":55}\n\(event)\n", nil),
        ("{}\n{\"type\":\"event\"}\n{\"x\":1}", ["{\"x\":1}"]),
        ("{}\n{\"type\":\"attachment\",\"length\":0}\n\n", [""]), ("{}\n{\"type\":\"attachment\",\"length\":0}\n", [""]),
        ("{}\n{\"type\":\"attachment\",\"length\":3}\na\nb\n{\"type\":\"attachment\",\"length\":1}\nz", ["a\nb", "z"]),
        ("{}\n{\"type\":\"attachment\"}\nab\r\n", ["ab\r"]), ("{}\r\n{\"type\":\"attachment\"}\nab\n", ["ab"]),
        ("{}\n{\"type\":\"attachment\"}\n\n{\"type\":\"attachment\",\"length\":1}\nz\n", ["", "z"]),
        ("{}\n{\"type\":\"attachment\"}", nil),
        ("{}\n{\"type\":\"a\",\"length\":1}\nz\n\n{\"type\":\"a\",\"length\":1}\nz\n", nil),
        ("{}\n{\"type\":\"attachment\",\"length\":9}\nabc\n", nil),
        // Bytes are counted, not characters; headers are objects; hostile lengths.
        ("{}\n{\"type\":\"a\",\"length\":4}\n😀\n", ["😀"]), ("{}\n{\"type\":\"a\",\"length\":1}\n😀\n", nil),
        ("", nil), ("\n", nil), ("[]", nil), ("{}\n{\"length\":0}\n\n", nil),
        ("{}\n{\"type\":\"a\",\"length\":-1}\n\n", nil), ("{}\n{\"type\":\"a\",\"length\":9223372036854775807}\nx\n", nil),
        ("{\"unknown\":{}}\n{\"type\":\"new\",\"length\":1,\"more\":[1]}\nz\n", ["z"]),
    ]

    @Test("each vector is read as a strict reader has it", arguments: vectors.indices)
    func vector(_ index: Int) throws {
        let (bytes, payloads) = Self.vectors[index]
        guard let payloads else {
            #expect(throws: EnvelopeError.self) { try EnvelopeReader.read(Array(bytes.utf8)) }
            return
        }
        let items = try EnvelopeReader.read(Array(bytes.utf8)).items
        #expect(items.map { String(decoding: $0.payload, as: UTF8.self) } == payloads)
    }

    @Test("a payload may be any bytes when its length says so; the header's id comes along")
    func binary() throws {
        let bytes = Array("\(Self.header)\n{\"type\":\"attachment\",\"length\":4}\n".utf8) + [0, 0x0A, 0xFF, 0x0D]
        let envelope = try EnvelopeReader.read(bytes)
        #expect(envelope.items == [EnvelopeItem(type: "attachment", payload: [0, 0x0A, 0xFF, 0x0D])])
        #expect(envelope.eventID == "0123456789abcdef0123456789abcdef")
    }
}

@Suite struct ReportedEventTests {
    private func line(_ json: String) throws -> String {
        ReportLine.event(try JSONDecoder().decode(ReportedEvent.self, from: Data(json.utf8)))
    }

    @Test("the last exception, its last frame, the level and the tags that are not ours")
    func exception() throws {
        let json = """
            {"level":"fatal","tags":{"plan":"gold","handled":"no"},"contexts":{"aws.lambda":{"aws_request_id":"the-id"}},
            "exception":{"values":[{"type":"PostgresError","value":"refused"},{"type":"UserLookupError","value":"user 42",
            "stacktrace":{"frames":[{"function":"main"},{"function":"lookup(id:)","filename":"Users.swift","lineno":12}]}}]}}
            """
        #expect(try line(json) == "report  UserLookupError: user 42  fatal  lookup(id:) Users.swift:12  plan=gold")
        #expect(try JSONDecoder().decode(ReportedEvent.self, from: Data(json.utf8)).requestID == "the-id")
    }

    @Test(
        "other forms that Sentry takes, and odd fields, are a report all the same",
        arguments: [
            (#"{"message":"hello","level":"info"}"#, "report  hello  info"),
            (#"{"logentry":{"message":"a %s","formatted":"a b"}}"#, "report  a b  error"),
            (#"{"exception":[null,{"type":"T"}],"tags":[["b","1"],["a",true],["x"]]}"#, "report  T  error  b=1  a=true"),
            (#"{"exception":7,"tags":"x","level":[],"contexts":[],"message":"m"}"#, "report  m  error"),
            (
                #"{"exception":{"values":[{"value":"v","stacktrace":{"frames":[{"instruction_addr":"0x1"}]}}]}}"#,
                "report  v  error  0x1"
            ),
            (#"{}"#, "report  (an event without exception and message)  error"),
            (#"{"message":"two\nlines \u001b[2J"}"#, "report  two\\nlines \\u{1b}[2J  error"),
        ])
    func forms(_ json: String, shown: String) throws { #expect(try line(json) == shown) }

    @Test("logs are counted, a client report is spelt out, what is no JSON is refused")
    func items() throws {
        func item(_ type: String, _ json: String) throws -> ReportedItem {
            try ReportedItem(EnvelopeItem(type: type, payload: Array(json.utf8)))
        }
        #expect(try item("log", #"{"version":2,"items":[{"body":"a"},{"body":"b"}]}"#) == .logs(count: 2))
        let report = #"{"timestamp":1.5,"discarded_events":[{"reason":"network_error","category":"error","quantity":1}]}"#
        guard case .clientReport(let losses) = try item("client_report", report) else {
            Issue.record("no client report")
            return
        }
        #expect(ReportLine.clientReport(losses) == "client report  network_error error 1")
        let trace =
            #"{"transaction":"GET /a","start_timestamp":1.5,"timestamp":1.525,"spans":[{},{}],"contexts":{"trace":{"status":"ok"}}}"#
        guard case .transaction(let one) = try item("transaction", trace),
            case .transaction(let bare) = try item("transaction", "{}")
        else {
            Issue.record("no transaction")
            return
        }
        #expect(ReportLine.transaction(one) == "trace  GET /a  ok  25.0 ms  3 spans")
        #expect(ReportLine.transaction(bare) == "trace  (a transaction without a name)  unknown  1 spans")
        #expect(try item("session", "no JSON") == .other(type: "session", bytes: 7))
        for type in ["event", "transaction", "log", "client_report"] {
            #expect(throws: IngestRefusal.self) { try item(type, "no JSON") }
            #expect(throws: IngestRefusal.self) { try item(type, "[]") }
        }
    }
}

@Suite struct ReportTimingTests {
    @Test("before, after, outside")
    func words() {
        let end = ContinuousClock.now
        func shown(_ offset: Duration) -> String { "\(ReportTiming(received: end + offset, responseEnded: end))" }
        #expect(shown(.microseconds(-3150)) == "3.1 ms before the response ended")
        #expect(shown(.zero) == "0.0 ms before the response ended")
        #expect(shown(.milliseconds(2)) == "2.0 ms AFTER the response ended")
        #expect("\(ReportTiming.outside)" == "outside of an invocation")
        #expect("\(ReportTiming.oneOf(3))" == "in one of 3 invocations")
    }

    @Test("the ends of the last answers are known, older ones are forgotten")
    func recent() {
        var answers = RecentResponses()
        for number in 0..<300 { answers.add("\(number)", endedAt: .now) }
        #expect(answers["299"] != nil && answers["44"] != nil && answers["43"] == nil)
    }
}

/// An inbox on a real loop and port, with a sleeping program for the app.
private final class InboxHarness: Sendable {
    let loop: EventLoop
    let sandbox: Sandbox
    let broker: Broker
    let port: UInt16
    private let console: WireLines
    private let problems: WireLines
    private let runtime: Socket
    private let runtimePeer: RawSocket

    init(_ environment: [String: String] = [:]) throws {
        loop = try EventLoop()
        try loop.start("inbox-test")
        (console, problems) = (try WireLines(), try WireLines())
        let sink = Console(output: console.descriptor, problems: problems.descriptor)
        sandbox = Sandbox(loop, program: "/bin/sleep", arguments: ["sleep", "60"], environment: [:])
        broker = Broker(loop, try LocalSettings(environment), sandbox, sink)
        let (listener, apiPort) = RawSocket.listen()
        runtime = try Socket(connectingTo: "127.0.0.1", port: apiPort)
        runtimePeer = try #require(listener.accept())
        let ingest = try Socket.listen(onLoopbackPort: 0)
        port = ingest.localPort
        let inbox = ReportInbox(desk: ReportDesk(broker: broker, console: sink), sandbox: sandbox, console: sink)
        Task(executorPreference: loop) { [loop] in
            await Listener(loop: loop, socket: ingest, console: sink).run { await inbox.serve($0) }
        }
    }

    /// A deadline that passed later would be told to descriptors that are another test's by then.
    deinit { loop.stop() }

    func onLoop<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await Task(executorPreference: loop) { try await body() }.value
    }

    /// An invocation that the app has taken and not answered.
    func begin(_ id: String) async throws -> LocalInvocation {
        try await onLoop { [self] in
            var head = HTTPMessageHead()
            head.method = "GET"
            let reply = FrontEndReply(ServerConnection(loop, runtime), head, requestID: id, FunctionURL())
            let invocation = LocalInvocation(id: id, event: [], label: "GET /\(id)", reply: reply)
            Task(executorPreference: loop) { [broker] in await broker.invoke(invocation) }
            await Task.yield()
            broker.startIfNeeded()
            _ = await broker.next(runtime)
            return invocation
        }
    }

    /// As `next` by the app: with nothing to do, it is frozen.
    func freeze() async throws {
        Task(executorPreference: loop) { [broker, runtime] in _ = await broker.next(runtime) }
        while try await !onLoop({ [sandbox] in sandbox.isFrozen }) { await Task.yield() }
    }

    func line() -> String? { console.next() }
    func problem() -> String? { problems.next() }

    func end() async throws {
        try await onLoop { [sandbox] in
            sandbox.onEnd = { _ in }; sandbox.kill()
        }
    }

    static func post(_ body: String, lines: String = "X-Sentry-Auth: Sentry sentry_key=local\r\n") -> String {
        "POST /api/1/envelope/ HTTP/1.1\r\nHost: x\r\n\(lines)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    static func event(_ message: String, of requestID: String? = nil) -> String {
        let contexts = requestID.map { #","contexts":{"aws.lambda":{"aws_request_id":"\#($0)"}}"# } ?? ""
        let event = #"{"message":"\#(message)"\#(contexts)}"#
        let header = #"{"event_id":"0123456789abcdef0123456789abcdef"}"#
        return "\(header)\n{\"type\":\"event\",\"length\":\(event.utf8.count)}\n\(event)\n"
    }
}

@Suite(.serialized) struct ReportInboxTests {
    @Test("answers as Sentry does, and keeps the connection")
    func answers() async throws {
        let harness = try InboxHarness()
        let socket = try #require(RawSocket.connect(port: harness.port))
        let reader = WireReader(socket)
        socket.write(InboxHarness.post(InboxHarness.event("one")))
        let taken = try #require(reader.next())
        #expect(taken.status == 200 && taken.text == #"{"id":"0123456789abcdef0123456789abcdef"}"#)
        #expect(harness.line() == "report  one  error  outside of an invocation")
        socket.write(InboxHarness.post("{}\n{\"type\":\"event\"}\n"))
        let malformed = try #require(reader.next())
        #expect(malformed.status == 400 && JSONView(malformed.body)?["detail"]?.text?.contains("'event'") == true)
        socket.write(InboxHarness.post("{}", lines: ""))
        #expect(reader.next()?.status == 403)
        let chunked = "POST /api/1/envelope/?sentry_key=k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        socket.write(chunked + "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")
        #expect(reader.next()?.text == "{}")
        let gzip = "X-Sentry-Auth: Sentry sentry_key=local\r\nContent-Encoding: gzip\r\n"
        socket.write(InboxHarness.post("\u{1F}\u{8B}", lines: gzip))
        #expect(reader.next()?.status == 200)
        #expect(harness.line() == "compressed report  gzip  3 B  outside of an invocation")
    }

    @Test("a report belongs to the invocation that its id names, or to the one that runs")
    func invocations() async throws {
        let harness = try InboxHarness()
        let socket = try #require(RawSocket.connect(port: harness.port))
        let reader = WireReader(socket)
        let invocation = try await harness.begin("a")
        socket.write(InboxHarness.post(InboxHarness.event("first", of: "a")))
        _ = reader.next()
        socket.write(InboxHarness.post(InboxHarness.event("second")))
        _ = reader.next()
        let losses = #"{"discarded_events":[{"reason":"sample_rate","category":"error","quantity":2}]}"#
        let items = "{}\n{\"type\":\"log\"}\n{\"items\":[{}]}\n{\"type\":\"client_report\"}\n\(losses)\n"
        socket.write(InboxHarness.post(items))
        _ = reader.next()
        #expect(harness.line() == "logs 1")
        #expect(harness.line() == "client report  sample_rate error 2")
        try await harness.onLoop { harness.broker.answered(invocation) }
        socket.write(InboxHarness.post(InboxHarness.event("third")))
        _ = reader.next()
        #expect(try #require(harness.line()).wholeMatch(of: /report  third  error  \d+\.\d ms AFTER the response ended/) != nil)
        try await harness.onLoop {
            await invocation.reply.send(WireResponse(status: 500, lines: [], body: [UInt8](repeating: 0x78, count: 15)))
            harness.broker.complete(invocation)
        }
        let line = try #require(harness.line())
        #expect(line.hasPrefix("500  ") && line.hasSuffix("  GET /a  -  15 B  reports 3"))
        #expect(
            try #require(harness.line()).wholeMatch(of: /\s{5}report  first  error  \d+\.\d ms before the response ended/)
                != nil)
        #expect(try #require(harness.line()).contains("second"))
        socket.write(InboxHarness.post(InboxHarness.event("late", of: "a")))
        _ = reader.next()
        #expect(try #require(harness.line()).wholeMatch(of: /report  late  error  \d+\.\d ms AFTER the response ended/) != nil)
        try await harness.end()
    }

    @Test("without an id, a report in several invocations belongs to none; an unknown id is outside")
    func several() async throws {
        let harness = try InboxHarness(["AWS_LAMBDA_MAX_CONCURRENCY": "2"])
        let socket = try #require(RawSocket.connect(port: harness.port))
        let reader = WireReader(socket)
        _ = try await harness.begin("c")
        let second = try await harness.begin("d")
        socket.write(InboxHarness.post(InboxHarness.event("whose")))
        _ = reader.next()
        #expect(harness.line() == "report  whose  error  in one of 2 invocations")
        socket.write(InboxHarness.post(InboxHarness.event("whose", of: "unknown")))
        _ = reader.next()
        #expect(harness.line() == "report  whose  error  outside of an invocation")
        socket.write(InboxHarness.post(InboxHarness.event("mine", of: "d")))
        _ = reader.next()
        #expect(try await harness.onLoop { second.reportCount } == 1)
        try await harness.end()
    }

    @Test("while the app is frozen, bytes reset their connection, and idle ones stay")
    func frozen() async throws {
        let harness = try InboxHarness()
        let (idle, busy) = (
            try #require(RawSocket.connect(port: harness.port)), try #require(RawSocket.connect(port: harness.port))
        )
        let half = try #require(RawSocket.connect(port: harness.port))
        let invocation = try await harness.begin("b")
        for socket in [idle, busy] {
            socket.write(InboxHarness.post("{}"))
            #expect(WireReader(socket).next()?.status == 200)
        }
        half.write("POST /api/1/envelope/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        #expect(WireReader(half).next(hasBody: false)?.status == 100)
        half.write("{")
        try await harness.onLoop { harness.broker.complete(invocation) }
        #expect(harness.line()?.contains("reports") == false)
        try await harness.freeze()
        for (socket, bytes) in [(busy, "POST"), (half, "}")] {
            socket.write(bytes)
            #expect(socket.read().isEmpty && errno == ECONNRESET)
            #expect(try #require(harness.problem()).hasPrefix("local: REPORT LOST"))
        }
        let new = try #require(RawSocket.connect(port: harness.port))
        new.write(InboxHarness.post("{}"))
        #expect(new.read().isEmpty && errno == ECONNRESET)
        try await harness.onLoop { harness.sandbox.thaw() }
        idle.write(InboxHarness.post("{}"))
        #expect(WireReader(idle).next()?.status == 200)
        try await harness.end()
    }
}
