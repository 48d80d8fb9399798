import Foundation
import SluiceTestSupport
import Testing

/// The built examples as real processes under the local Lambda, freeze on.
@Suite(.serialized) struct UnderLocalLambdaTests {
    @Test("the README's program answers in both modes", arguments: ["buffered", "response_stream"])
    func hello(_ mode: String) throws {
        let local = try #require(try LocalProgram("Hello", mode: mode))
        let answer = try #require(local.get("/hello/World"))
        #expect(answer.status == 200)
        #expect(answer.text == "Hello, World!")
        #expect(answer["content-type"] == "text/plain; charset=utf-8")
        #expect(answer["transfer-encoding"] == (mode == "buffered" ? nil : "chunked"))
        #expect(local.get("/hello/a%2Fb%20c")?.text == "Hello, a/b c!")
        #expect(local.get("/nope")?.status == 404)
        #expect(try #require(local.report("/hello/World")).contains(mode == "buffered" ? "buffered  13 B" : "streamed  13 B"))
        let head = try #require(
            local.send("HEAD /hello/x HTTP/1.1\r\nHost: local\r\nConnection: close\r\n\r\n", hasBody: false))
        #expect(head.status == 200)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let route: String
        let buffered: Int
        let streamed: Int
        var streamedBody: String?
        /// The failure record's outcome, per mode; nil for none.
        let outcomes: (buffered: String?, streamed: String?)
        /// What the Runtime API saw besides a response, under streaming.
        var trailer: String?
        /// Whether the process ends after its response.
        var endsProcess = false
        var testDescription: String { route }

        init(
            _ route: String, _ buffered: Int, _ streamed: Int, _ outcome: String?, streamedOutcome: String? = nil,
            body: String? = nil, trailer: String? = nil, endsProcess: Bool = false
        ) {
            (self.route, self.buffered, self.streamed, self.streamedBody) = (route, buffered, streamed, body)
            (self.trailer, self.endsProcess) = (trailer, endsProcess)
            outcomes = (outcome, streamedOutcome == "none" ? nil : streamedOutcome ?? outcome)
        }
    }

    static let rows = [
        Row("/fine", 200, 200, nil, body: "fine"), Row("/throw", 500, 500, "handler_error"), Row("/missing", 404, 404, nil),
        Row("/returned", 502, 502, "server_error_response", body: "upstream is down"),
        Row("/stream/first", 500, 500, "handler_error"),
        Row(
            "/stream/third", 500, 200, "handler_error", streamedOutcome: "stream_cut", body: "one two three ",
            trailer: "Function.OutOfStock"),
        Row("/slow", 504, 504, "timeout"),
        Row("/stream/slow", 504, 200, "timeout", body: "begun ", trailer: "Function.CancellationError"),
        Row("/never", 504, 504, "timeout", endsProcess: true), Row("/block", 504, 504, "timeout", endsProcess: true),
        Row("/large", 500, 200, "reply_unusable", streamedOutcome: "none"),
    ]

    @Test(
        "each trip ends by the table: client, Runtime API, one record; and the next one works", arguments: rows,
        ["buffered", "response_stream"])
    func row(_ row: Row, mode: String) throws {
        let local = try #require(try LocalProgram("Failures", mode: mode, ["SLUICE_LOCAL_TIMEOUT": "3"]))
        let child = try #require(local.child)
        let isBuffered = mode == "buffered"

        let answer = try #require(local.get(row.route))
        #expect(answer.status == (isBuffered ? row.buffered : row.streamed))
        #expect(answer.isCut == false && answer.problem == nil)  // a clean end, always
        if !isBuffered, let body = row.streamedBody { #expect(answer.text == body) }
        #expect(!answer.text.contains("OutOfStock"))
        #expect(!answer.text.contains("shelf 7"))
        if answer.status >= 500, answer.status != 502 {
            let id = try #require(answer["x-amzn-requestid"])
            #expect(JSONView(answer.body)?["requestId"]?.text == id)
            // Every response is dressed by the app's middleware, but those that the guard gives for a handler that never returns.
            #expect(answer["x-request-id"] == (row.endsProcess ? nil : id))
        }

        if row.endsProcess { #expect(local.program.errorLine(containing: "the app exited with status 1") != nil) }
        #expect(local.get("/fine?after")?.text == "fine")
        #expect((Program.entry(child) == nil) == row.endsProcess)

        // Once the next invocation's line is there, all of this one's are.
        _ = local.report("/fine?after")
        let report = try #require(local.report(row.route))
        #expect(report.contains(isBuffered ? "  buffered  " : "  streamed  "))
        #expect(
            report.contains("the stream ended with an error, which a client cannot see: \(row.trailer ?? "")")
                == (!isBuffered && row.trailer != nil))

        // Once the record of a failure that comes later is there, all earlier ones are.
        let marker = try #require(local.get("/throw?marker")?["x-amzn-requestid"])
        #expect(local.program.errorLine(containing: marker) != nil)
        let outcome = isBuffered ? row.outcomes.buffered : row.outcomes.streamed
        let records = local.records().filter { $0["requestId"]?.text != marker }
        #expect(records.compactMap { $0["metadata"]?["outcome"]?.text } == (outcome.map { [$0] } ?? []))
        if let record = records.first {
            #expect(record["requestId"]?.text == answer["x-amzn-requestid"])
            #expect(record["metadata"]?["path"]?.text == row.route)
            #expect(record["metadata"]?["method"]?.text == "GET")
        }
        if row.route == "/large", isBuffered {
            #expect(records.first?["errorMessage"]?.text?.contains("9333466 bytes") == true)
        }
    }

    @Test(
        "a process that ends under an invocation: 502, said loudly; the next invocation starts it again",
        arguments: ["buffered", "response_stream"])
    func exits(_ mode: String) throws {
        let local = try #require(try LocalProgram("Failures", mode: mode))
        #expect(local.get("/exit")?.status == 502)
        #expect(local.program.line(containing: "exited with status 3: Lambda counts an error") != nil)
        #expect(local.get("/fine")?.text == "fine")
    }

    @Test("start-up that fails: 502 for the client, the reason on the console, and again with the next request")
    func startUp() throws {
        let local = try #require(try LocalProgram("Failures", mode: "buffered", ["SLUICE_EMPTY_STREAM": "perhaps"]))
        #expect(local.program.errorLine(containing: "start-up failed: Runtime.SettingsError") != nil)
        for _ in 0..<2 { #expect(local.get("/fine")?.status == 502) }
        #expect(local.records().allSatisfy { $0["metadata"]?["outcome"]?.text == "start_up" })
    }

    @Test("the app is frozen between invocations, and thawed for the next")
    func freeze() throws {
        let local = try #require(try LocalProgram("Hello"))
        let child = try #require(local.child)
        for _ in 0..<5 {
            try #require(Program.observe { Program.entry(child)?.state == "T" ? true : nil } == true)
            #expect(local.get("/hello/x")?.status == 200)
        }
        try #require(Program.observe { Program.entry(child)?.state == "T" ? true : nil } == true)
        let awake = try #require(try LocalProgram("Hello", ["SLUICE_LOCAL_FREEZE": "off"]))
        #expect(awake.get("/hello/x")?.status == 200)
        #expect(try Program.entry(#require(awake.child))?.state != "T")
    }

    enum Moment: Sendable, CaseIterable { case frozen, streaming, blocked }

    @Test(
        "no process is left behind, however the parent ends", arguments: [SIGINT, SIGTERM, SIGKILL, SIGHUP], Moment.allCases)
    func nothingLeft(_ signal: Int32, moment: Moment) async throws {
        let local = try #require(try LocalProgram("Failures", mode: "response_stream"))
        let child = try #require(local.child)
        let socket = try #require(RawSocket.connect(port: local.port))
        switch moment {
        case .frozen:
            #expect(local.get("/fine")?.status == 200)
            #expect(Program.observe { Program.entry(child)?.state == "T" ? true : nil } == true)
        case .streaming:
            socket.write("GET /stream/slow HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(!socket.read().isEmpty)
        case .blocked:
            let before = try #require(Program.entry(child)).ticks
            socket.write("GET /block HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(Program.observe { (Program.entry(child)?.ticks ?? 0) > before + 5 ? true : nil } == true)
        }
        local.program.signal(signal)
        #expect(await local.program.end() == (signal == SIGKILL ? -signal : 128 + signal))
        #expect(Program.observe { Program.entry(child).map { $0.state == "Z" } ?? true ? true : nil } == true)
    }

    @Test("a taken port is a clear message and an exit")
    func takenPort() async throws {
        let (_, port) = RawSocket.listen()
        let (listener, taken) = RawSocket.listen()
        let program = try Program("Hello", ["PORT": "\(taken)"])
        #expect(await program.end() == 1)
        #expect(
            program.errorLine(
                containing: "port \(taken) is taken by another program: stop it, or choose another port with PORT=8081") != nil)
        _ = (port, listener)
    }

    @Test(
        "a bad value of the local Lambda's own variables is a clear message",
        arguments: [
            ("PORT", "x"), ("SLUICE_LOCAL_URL_MODE", "both"), ("SLUICE_LOCAL_TIMEOUT", "0"), ("SLUICE_LOCAL_FREEZE", "maybe"),
            ("SLUICE_LOCAL_FRONT", "nginx"), ("SLUICE_LOCAL_SANDBOXES", "0"), ("SLUICE_LOCAL_SANDBOXES", "-1"),
            ("SLUICE_LOCAL_SANDBOXES", "5000"), ("SLUICE_LOCAL_SANDBOXES", "x"),
        ])
    func badVariables(_ name: String, value: String) async throws {
        let program = try Program("Hello", [name: value])
        #expect(await program.end() == 1)
        #expect(program.errorLine(containing: "local: \(name): expected") != nil)
    }

    @Test("a stream is a stream: event n+1 is produced only after the client has read event n")
    func streamIsAStream() throws {
        let local = try #require(try LocalProgram("Streams", mode: "response_stream", ["AWS_LAMBDA_MAX_CONCURRENCY": "2"]))
        let listener = try #require(RawSocket.connect(port: local.port))
        listener.write("GET /room HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        var seen = ""
        func readUntil(_ text: String) -> Bool {
            while !seen.contains(text) {
                let part = listener.read()
                if part.isEmpty { return false }
                seen += String(decoding: part, as: UTF8.self)
            }
            return true
        }
        #expect(readUntil("data: welcome\n\n"))
        for word in 1...5 {
            let body = "word-\(word)"
            #expect(!seen.contains(body))
            let said = local.send(
                "POST /room HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
            #expect(said?.text == "1")
            #expect(readUntil("data: \(body)\n\n"))
        }
        _ = local.send("POST /room HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbye")
        #expect(readUntil("0\r\n\r\n"))
    }

    @Test("a handler that writes and writes is ended with trailers at its deadline, whether its reader is quick or stalls")
    func endlessWriter() throws {
        let local = try #require(try LocalProgram("Failures", mode: "response_stream", ["SLUICE_LOCAL_TIMEOUT": "3"]))
        let child = try #require(local.child)
        let quick = try #require(RawSocket.connect(port: local.port))
        quick.write("GET /stream/endless?slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        var end: [UInt8] = []
        while true {
            let part = quick.read(4_000_000)
            if part.isEmpty { break }
            end = (end + part).suffix(7)
        }
        #expect(end == Array("\r\n0\r\n\r\n".utf8))
        #expect(local.program.line(containing: "which a client cannot see: Function.CancellationError") != nil)
        #expect(local.get("/fine")?.text == "fine")
        #expect(Program.entry(child) != nil)
        // One that reads nothing: its writer is stuck in a chunk, and is cut to wake up.
        let stalled = try #require(RawSocket.connect(port: local.port))
        stalled.write("GET /stream/endless HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(local.program.errorLine(containing: "its stream was cut in the middle") != nil)
        stalled.shutdown()
        #expect(local.get("/fine")?.text == "fine")
        #expect(local.records().compactMap { $0["metadata"]?["outcome"]?.text } == ["timeout", "timeout"])
    }

    @Test("clients of every kind: an upgrade that nobody grants, HTTP/1.0, many connections")
    func clients() throws {
        let local = try #require(try LocalProgram("Hello", mode: "response_stream"))
        let socket = try #require(RawSocket.connect(port: local.port))
        let reader = WireReader(socket)
        for _ in 0..<3 {
            socket.write("GET /hello/x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
            #expect(reader.next()?.text == "Hello, x!")
        }
        let old = try #require(RawSocket.connect(port: local.port))
        old.write("GET /hello/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        let text = String(decoding: old.readToEnd(), as: UTF8.self)
        #expect(text.hasSuffix("\r\n\r\nHello, x!") && !text.lowercased().contains("chunked"))
        // Nothing is held after a response.
        let folder = "/proc/\(local.program.pid)/fd"
        let open = { (try? FileManager.default.contentsOfDirectory(atPath: folder))?.count ?? .max }
        let before = open()
        for _ in 0..<40 { #expect(local.get("/hello/x")?.status == 200) }
        #expect(Program.observe { open() < before + 10 ? true : nil } == true)
    }

    @Test("a process that dies at any moment is replaced with the next request")
    func dies() throws {
        let local = try #require(try LocalProgram("Hello", ["SLUICE_LOCAL_FREEZE": "off"]))
        for _ in 0..<20 {
            if let child = local.program.children.first { kill(child, SIGKILL) }
            let status = local.get("/hello/x")?.status
            #expect(status == 200 || status == 502)
        }
        #expect(Program.observe { local.get("/hello/x")?.status == 200 ? true : nil } == true)
    }

    @Test("a mode mismatch looks as it would on AWS, and is explained")
    func mismatch() throws {
        let streamed = try #require(try LocalProgram("Hello", mode: "response_stream", ["SLUICE_LOCAL_URL_MODE": "buffered"]))
        let raw = try #require(streamed.get("/hello/x"))
        #expect(splitPrelude(raw.body)?.body == Array("Hello, x!".utf8))
        #expect(streamed.program.line(containing: "mode mismatch: the Function URL is buffered, the app streamed") != nil)
        let buffered = try #require(try LocalProgram("Hello", mode: "buffered", ["SLUICE_LOCAL_URL_MODE": "response_stream"]))
        #expect(JSONView(try #require(buffered.get("/hello/x")).body)?["body"]?.text == "Hello, x!")
        #expect(buffered.program.line(containing: "mode mismatch: the Function URL streams, the app answered buffered") != nil)
    }

    @Test("an unknown invoke mode is buffered, with one WARN that names the variable")
    func unknownMode() throws {
        let local = try #require(try LocalProgram("Hello", mode: "strem"))
        #expect(local.get("/hello/x")?.text == "Hello, x!")
        #expect(local.program.errorLine(containing: "AWS_LWA_INVOKE_MODE") != nil)
        #expect(
            local.records("WARN").compactMap { $0["message"]?.text } == [
                "AWS_LWA_INVOKE_MODE: 'strem' is neither buffered nor response_stream; using buffered"
            ])
    }

    @Test("Orders: sign-in, JSON, a custom error answer", arguments: ["buffered", "response_stream"])
    func orders(_ mode: String) throws {
        let local = try #require(try LocalProgram("Orders", mode: mode))
        func call(_ method: String, _ target: String, token: String? = "alice-token", _ body: String = "") -> WireMessage? {
            let authorization = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
            return local.send(
                "\(method) \(target) HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\(authorization)Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
            )
        }
        let refused = try #require(call("GET", "/orders", token: nil))
        #expect(
            refused.status == 401 && refused["www-authenticate"] == "Bearer" && refused.text.hasPrefix("Sorry: sign in first"))
        #expect(refused["x-request-id"] != nil)
        let created = try #require(call("POST", "/orders", "{\"item\":\"tea\",\"quantity\":2}"))
        #expect(created.status == 201 && JSONView(created.body)?["owner"]?.text == "alice")
        #expect(call("POST", "/orders", "{\"item\":\"tea\"}")?.text.contains("'quantity' is missing") == true)
        #expect(JSONView(try #require(call("GET", "/orders")).body)?.count == 1)
        #expect(JSONView(try #require(call("GET", "/orders", token: "bob-token")).body)?.count == 0)
        #expect(call("GET", "/orders/1")?.status == 200)
        #expect(call("GET", "/orders/x")?.status == 400)
        #expect(call("DELETE", "/orders/1")?.status == 204)
        #expect(call("DELETE", "/orders/1")?.status == 404)
        #expect(call("PATCH", "/orders/1")?["allow"] == "DELETE, GET, HEAD, OPTIONS")
        // The access lines have Lambda's format, though the list was built before `run()`.
        #expect(local.program.errorLine(containing: "PATCH /orders/1 405") != nil)
        let lines = local.records("INFO").filter { $0["logger"]?.text == "access" }
        #expect(lines.count == 10)
        #expect(lines.allSatisfy { $0["requestId"]?.text != nil })
    }

    @Test("bodies of every kind come back through door, event, app and reply")
    func echoes() throws {
        let local = try #require(try LocalProgram("Streams", mode: "response_stream"))
        let csv = try #require(local.get("/export?rows=1000"))
        #expect(csv.text.split(separator: "\n").count == 1001)
        #expect(csv.text.hasSuffix("999,998001\n"))
        let large = try #require(
            local.send(
                "POST /room HTTP/1.1\r\nHost: x\r\nContent-Length: 7000000\r\nConnection: close\r\n\r\n"
                    + String(repeating: "x", count: 7_000_000)))
        #expect(large.status == 413)
        #expect(local.send("NONSENSE\r\n\r\n")?.status == 400)
        #expect(local.get("/export?rows=1")?.status == 200)
    }
}
