import Foundation
import Logging
import SluiceTestSupport
import Synchronization
import Testing

@testable import Sluice
@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceStreaming

/// Lambda as a test sees it: registration, subscription and events, and records when the test says so.
private final class MockPlatform: Sendable {
    private struct State {
        var events: [String]
        var port: UInt16?
        var isOver = false
    }

    let server: ScriptedServer
    private let shared: Shared

    private final class Shared: Sendable {
        let state: Mutex<State>
        let condition = NSCondition()
        init(_ events: [String]) { state = Mutex(State(events: events)) }

        func wait(until isThere: @Sendable (inout State) -> Bool) {
            let limit = Date(timeIntervalSinceNow: 10)
            condition.withLock { while !state.withLock({ isThere(&$0) }), condition.wait(until: limit) {} }
        }

        func change(_ body: (inout State) -> Void) {
            state.withLock { body(&$0) }
            condition.withLock { condition.broadcast() }
        }
    }

    /// - Parameter registration: What a registration is answered with.
    init(
        _ ids: [String],
        registration: String = ScriptedServer.json(200, "{}", "Lambda-Extension-Identifier: ext-1\r\n"),
        subscription: String = ScriptedServer.json(200, "\"OK\"")
    ) {
        let shared = Shared(ids)
        self.shared = shared
        server = ScriptedServer { message in
            switch (message.method, message.target) {
            case ("POST", "/2020-01-01/extension/register"): return registration
            case ("PUT", "/2022-07-01/telemetry"):
                let uri = JSONView(message.body)?["destination"]?["URI"]?.text ?? ""
                shared.change { $0.port = uri.split(separator: ":").last.flatMap { UInt16($0.dropLast()) } }
                return subscription
            case ("GET", "/2020-01-01/extension/event/next"): return nil
            case ("GET", _): return Self.next(shared)
            default: return ScriptedServer.json(message.target.contains("/refused/") ? 413 : 202, "{}")
            }
        }
    }

    private static func next(_ shared: Shared) -> String {
        let id = shared.state.withLock { $0.events.isEmpty ? nil : $0.events.removeFirst() }
        guard let id else {
            // No more before the test has seen what it wanted to see.
            shared.wait { $0.isOver }
            return ScriptedServer.json(410, "{}")
        }
        let deadline = Int64(Date().timeIntervalSince1970 * 1000) + 30_000
        return ScriptedServer.json(
            200, eventJSON(path: "/\(id)"),
            "Lambda-Runtime-Aws-Request-Id: \(id)\r\nLambda-Runtime-Deadline-Ms: \(deadline)\r\n"
                + "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-2:123456789012:function:shop\r\n")
    }

    /// Sends a batch as Lambda does, and returns the response's status.
    func push(_ body: String, lines: String = "Content-Type: application/json\r\n") -> Int? {
        shared.wait { $0.port != nil }
        guard let port = shared.state.withLock(\.port), let socket = RawSocket.connect(port: port) else { return nil }
        let head = "POST / HTTP/1.1\r\nHost: sandbox.localdomain:\(port)\r\n\(lines)Content-Length: \(body.utf8.count)\r\n\r\n"
        socket.write(head + body)
        return WireReader(socket).next()?.status
    }

    func finish() { shared.change { $0.isOver = true } }
}

@Suite struct PlatformWatchTests {
    private static func record(_ id: String, _ type: String = "runtimeDone", _ status: String = "error") -> String {
        """
        {"time":"2026-01-01T00:00:00.000Z","type":"platform.\(type)","record":{"requestId":"\(id)","status":"\(status)",
        "errorType":"Runtime.Unknown","spans":[{"name":"responseLatency","start":"x","durationMs":1.25}],
        "metrics":{"durationMs":3.5,"producedBytes":99}}}
        """
    }

    private static func watched(_ handler: @escaping @Sendable (Request) async throws -> Response) -> LambdaApp {
        var routes = Router()
        routes.get("/{path*}", handler)
        return LambdaApp {
            PlatformWatch()
            routes
        }
    }

    private func logger(_ lines: LogLines) -> Logger {
        Logger(label: "sluice") { LambdaLogHandler(label: $0, json: true, level: .info, feedsReports: false, sink: lines.sink) }
    }

    /// Runs the app while `body` speaks for the platform.
    private func serve(
        _ app: LambdaApp, by platform: MockPlatform, _ reporter: any SettlingReporter, mode: String = "buffered",
        _ body: @escaping @Sendable (MockPlatform) -> Void
    ) async {
        let environment = [
            "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(platform.server.port)", "AWS_LWA_INVOKE_MODE": mode,
            "AWS_LAMBDA_LOG_LEVEL": "FATAL",
        ]
        async let end = Server.serve(environment, bootstrapsLogging: false, reporter: reporter) { app }
        await withCheckedContinuation { continuation in
            Thread {
                body(platform)
                platform.finish()
                continuation.resume()
            }.start()
        }
        _ = await end
        platform.server.stop()
    }

    @Test(
        "an error that only the platform counted: one WARN record and one report, with both sides and the id",
        arguments: ["buffered", "response_stream"])
    func counted(_ mode: String) async throws {
        let lines = LogLines()
        let collector = ReportCollector()
        let platform = MockPlatform(["a", "b", "c"])
        await serve(
            Self.watched { _ in .text("hello") }, by: platform, Reporters(logger(lines), [collector]), mode: mode
        ) { platform in
            // Three, and each next but the last has been asked for after the reply: the records are of invocations that are over.
            platform.server.waitForMessages(10)
            #expect(
                platform.push(
                    "[\(Self.record("a", "runtimeDone", "success")),\(Self.record("b")),\(Self.record("b", "report"))]")
                    == 200)
            #expect(platform.push("[\(Self.record("b", "fault")),\(Self.record("stranger"))]") == 200)
            _ = Watching.observe { collector.failures.values.isEmpty ? nil : true }
        }
        let records = lines.text.split(separator: "\n").compactMap { JSONView(Array($0.utf8)) }
        let told = records.filter { $0["message"]?.text == "platform counted an error that the app did not see" }
        #expect(told.count == 1, "\(lines.text)")
        let record = try #require(told.first)
        #expect(record["level"]?.text == "WARN")
        #expect(record["requestId"]?.text == "b")
        #expect(
            record["metadata"]?.dictionary == [
                "outcome": "platform_error", "platformRecord": "platform.runtimeDone", "platformStatus": "error",
                "platformErrorType": "Runtime.Unknown", "responseLatencyMs": "1.25", "platformDurationMs": "3.5",
                "producedBytes": "99", "reply": "response", "status": "200", "bytes": "5",
            ])
        let reports = collector.failures.values.filter { $0.failure.outcome == .platformError }
        #expect(reports.map(\.requestID) == ["b"])
        #expect(reports.map(\.tag) == ["b"])
        #expect(reports.first?.failure.message == "platform counted an error that the app did not see")
    }

    @Test("what the app has failed itself is no news")
    func known() async {
        let reporter = RecordingReporter()
        let platform = MockPlatform(["a", "cut", "refused"])
        let app = Self.watched { request in
            guard request.rawPath == "/cut" else { return .text("fine") }
            return .stream(contentType: "text/plain") { writer in
                try await writer.write("begun")
                throw Boom()
            }
        }
        await serve(app, by: platform, reporter, mode: "response_stream") { platform in
            platform.server.waitForMessages(10)
            #expect(
                platform.push(
                    "[\(Self.record("cut")),\(Self.record("cut", "report")),\(Self.record("refused", "runtimeDone", "failure"))]"
                )
                    == 200)
            // Behind it in the same line, and so heard after it.
            #expect(platform.push("[\(Self.record("a"))]") == 200)
            _ = Watching.observe { reporter.records.values.contains { $0.outcome == .platformError } ? true : nil }
        }
        #expect(
            reporter.records.values.map(\.outcome.rawValue).sorted() == [
                "platform_error", "reply_refused", "runtime", "stream_cut",
            ])
    }

    @Test("what is no batch is answered with 200 all the same, and the watch goes on")
    func malformed() async {
        let reporter = RecordingReporter()
        let platform = MockPlatform(["a"])
        await serve(Self.watched { _ in .text("fine") }, by: platform, reporter) { platform in
            platform.server.waitForMessages(6)
            #expect(platform.push("{\"no\":\"batch\"}") == 200)
            #expect(platform.push("[{\"type\":\"platform.report\",\"record\":7}]") == 200)
            #expect(platform.push(String(repeating: " ", count: 1 << 21)) == 200)
            #expect(platform.push("[\(Self.record("a"))]") == 200)
            _ = Watching.observe { reporter.records.values.contains { $0.outcome == .platformError } ? true : nil }
        }
        #expect(reporter.records.values.filter { $0.outcome == .platformError }.count == 1)
    }

    @Test("registered and subscribed before the first next; the app is served where that is refused")
    func order() async {
        let platform = MockPlatform(["a"])
        await serve(Self.watched { _ in .text("fine") }, by: platform, RecordingReporter()) { platform in
            platform.server.waitForMessages(6)
        }
        let targets = platform.server.messages.map(\.target)
        #expect(
            targets.prefix(4) == [
                "/2020-01-01/extension/register", "/2022-07-01/telemetry", "/2020-01-01/extension/event/next",
                "/2018-06-01/runtime/invocation/next",
            ])

        let refusal = ScriptedServer.json(403, #"{"errorType":"Extension.TooManyExtensions","errorMessage":"no"}"#)
        let closed = MockPlatform(["a"], registration: refusal)
        await serve(Self.watched { _ in .text("fine") }, by: closed, RecordingReporter()) { platform in
            platform.server.waitForMessages(4)
        }
        #expect(
            closed.server.messages.map(\.target) == [
                "/2020-01-01/extension/register", "/2018-06-01/runtime/invocation/next",
                "/2018-06-01/runtime/invocation/a/response", "/2018-06-01/runtime/invocation/next",
            ])
    }

    @Test("an extension whose subscription is refused asks for events all the same: start-up waits for that")
    func refusedSubscription() async {
        let refusal = ScriptedServer.json(400, #"{"errorType":"ValidationError","errorMessage":"no"}"#)
        let platform = MockPlatform(["a"], subscription: refusal)
        await serve(Self.watched { _ in .text("fine") }, by: platform, RecordingReporter()) { platform in
            platform.server.waitForMessages(6)
        }
        #expect(platform.server.messages.map(\.target).contains("/2020-01-01/extension/event/next"))
        #expect(platform.server.messages.map(\.target).contains("/2018-06-01/runtime/invocation/a/response"))
    }

    @Test("without the line nobody registers")
    func without() async {
        let platform = MockPlatform(["a"])
        await serve(app { _ in .text("fine") }, by: platform, RecordingReporter()) { platform in
            platform.server.waitForMessages(3)
        }
        #expect(platform.server.messages.allSatisfy { $0.target.hasPrefix("/2018-06-01/") })
    }
}

/// Keeps reports, and what the scope said when they were made.
private final class ReportCollector: ErrorReporter {
    struct Kept: Sendable {
        let failure: Failure
        let requestID: String?
        let tag: String?
    }

    let failures = Collected<Kept>()

    func capture(_ failure: Failure) {
        let event = ReportEvent(failure)
        failures.add(
            Kept(failure: failure, requestID: InvocationScope.current?.requestID, tag: event?.tags["request_id"]))
    }

    func flush(within limit: Duration) async {}
}

private enum Watching {
    /// Looks until something is there; gives up after 10 s.
    static func observe<Value>(_ look: () -> Value?) -> Value? {
        let limit = Date().addingTimeInterval(10)
        while Date() < limit {
            if let value = look() { return value }
            poll(nil, 0, 1)
        }
        return nil
    }
}
