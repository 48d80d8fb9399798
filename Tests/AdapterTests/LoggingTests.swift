import Foundation
import Logging
import SluiceTestSupport
import Synchronization
import Testing

@testable import SluiceCore
@testable import Sluice
@testable import SluiceReporting

/// Section 8.5 of the conformance cases.
@Suite struct LoggingTests {
    private let moment = WallClock.Instant(millisecondsSinceEpoch: 1_695_643_200_000)

    private func logger(_ lines: LogLines, json: Bool, level: Logger.Level = .trace) -> Logger {
        let moment = moment
        return Logger(label: "test") {
            LambdaLogHandler(label: $0, json: json, level: level, feedsReports: false, sink: lines.sink, now: { moment })
        }
    }

    @Test("cases 105, 106: a JSON record's fields, with and without a tenant")
    func json() throws {
        for tenant in [nil, "tenant-1"] {
            let lines = LogLines()
            let scope = InvocationScope(requestID: "the-id", tenantID: tenant)
            InvocationScope.$current.withValue(scope) {
                logger(lines, json: true).info("hello \"you\"\n", metadata: ["a": "b", "n": ["x": .array(["1", "2"])]])
            }
            let json = try #require(JSONView(Array(lines.text.utf8)))
            #expect(json["timestamp"]?.text == "2023-09-25T12:00:00.000Z")
            #expect(json["level"]?.text == "INFO")
            #expect(json["message"]?.text == "hello \"you\"\n")
            #expect(json["requestId"]?.text == "the-id")
            #expect(json["tenantId"]?.text == tenant)
            #expect(json["metadata"]?["n"]?["x"]?.texts == ["1", "2"])
            #expect(json.keys.contains("tenantId") == (tenant != nil))
            #expect(lines.text.filter { $0 == "\n" }.count == 1 && lines.text.hasSuffix("\n"))
        }
    }

    @Test("case 107: an error is errorType, errorMessage and a stackTrace array")
    func error() throws {
        let lines = LogLines()
        Failure(.handlerError, "GET / failed with 500", error: Boom(), status: 500, method: "GET", path: "/").write(
            to: logger(lines, json: true))
        let json = try #require(JSONView(Array(lines.text.utf8)))
        #expect(json["level"]?.text == "ERROR")
        #expect(json["errorType"]?.text == "Boom")
        #expect(json["errorMessage"]?.text == "Boom()")
        #expect(json["stackTrace"]?.value is [Any])
        #expect(json["metadata"]?.dictionary == ["outcome": "handler_error", "status": "500", "method": "GET", "path": "/"])
    }

    @Test("case 107: exactly one ERROR record for each failing invocation", arguments: ["buffered", "response_stream"])
    func exactlyOnce(_ mode: String) async throws {
        let lines = LogLines()
        let reporter = Reporters(logger(lines, json: true))
        let events = ["/throw", "/status", "/stream", "/late"].map { MockRuntimeAPI.Event(eventJSON(path: $0), id: $0) }
        let api = MockRuntimeAPI(events)
        let app = app { request in
            switch request.path {
            case "/throw": throw Boom()
            case "/status": return Response(status: .serviceUnavailable)
            case "/stream": return Response.stream(contentType: "text/plain") { _ in throw Boom() }
            default:
                return Response.stream(contentType: "text/plain") { writer in
                    try await writer.write("x")
                    throw Boom()
                }
            }
        }
        _ = await Server.serve(
            ["AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(api.port)", "AWS_LWA_INVOKE_MODE": mode], bootstrapsLogging: false,
            reporter: reporter
        ) { app }
        api.stop()
        let records = lines.text.split(separator: "\n").compactMap { JSONView(Array($0.utf8)) }.filter {
            $0["level"]?.text == "ERROR"
        }
        #expect(records.compactMap { $0["requestId"]?.text } == ["/throw", "/status", "/stream", "/late"])
    }

    @Test("case 108: levels have Lambda's names, and the level filters")
    func levels() {
        let lines = LogLines()
        let log = logger(lines, json: false, level: .info)
        for level in Logger.Level.allCases { log.log(level: level, "x") }
        #expect(
            lines.text.split(separator: "\n").map { $0.split(separator: "\t")[2] } == [
                "INFO", "INFO", "WARN", "ERROR", "FATAL",
            ])
    }

    @Test("case 109: text has four fields, five with an error, and nobody can forge a line")
    func text() {
        let lines = LogLines()
        let log = logger(lines, json: false)
        InvocationScope.$current.withValue(InvocationScope(requestID: "id")) {
            log.warning("a\tb\nc\rd\u{1B}[0m", metadata: ["k": "v\nw"])
            log.error("x", error: Boom())
        }
        log.info("outside")
        #expect(
            lines.text == """
                2023-09-25T12:00:00.000Z\tid\tWARN\ta\\tb\\nc\\rd\\u{1b}[0m k=v\\nw
                2023-09-25T12:00:00.000Z\tid\tERROR\tx\t{"errorType":"Boom","errorMessage":"Boom()","stackTrace":[]}
                2023-09-25T12:00:00.000Z\t-\tINFO\toutside

                """)
    }

    @Test("case 110: short writes and EINTR: every byte once, in order")
    func partialWrites() {
        struct Script { var written: [UInt8] = []; var calls = 0 }
        let script = Mutex(Script())
        let sink = LogSink { bytes in
            script.withLock { script in
                script.calls += 1
                if script.calls % 3 == 1 { return (-1, EINTR) }
                let part = Array(bytes.prefix(5))
                script.written += part
                return (part.count, 0)
            }
        }
        let bytes = Array("exactly these bytes, once".utf8)
        sink.send(bytes)
        #expect(script.withLock { $0.written } == bytes)
    }

    @Test("a record is one write")
    func oneWrite() {
        let calls = Collected<Int>()
        let sink = LogSink { bytes in
            calls.add(bytes.count)
            return (bytes.count, 0)
        }
        Logger(label: "x") {
            LambdaLogHandler(label: $0, json: true, level: .info, feedsReports: false, sink: sink, now: { .now })
        }.info(
            "hello", metadata: ["a": "b"])
        #expect(calls.values.count == 1)
    }

    @Test(
        "timestamps are those of Foundation's calendar",
        arguments: [0, 951_782_400_000, 1_709_164_799_999, 4_107_542_399_001, 1_795_219_200_123])
    func timestamps(_ milliseconds: Int64) {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        #expect(
            Timestamp.text(WallClock.Instant(millisecondsSinceEpoch: milliseconds))
                == formatter.string(from: Date(timeIntervalSince1970: Double(milliseconds) / 1000)))
    }
}
