import CoreMetrics
import Foundation
import SluiceTestSupport
import Testing

@testable import Sluice
@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceStreaming

/// The line of each invocation, and CloudWatch's embedded metrics, read with Foundation.
@Suite struct OutcomeTests {
    private let metrics = try? OutcomeSettings(["SLUICE_METRICS": "emf", "AWS_LAMBDA_FUNCTION_NAME": "shop"]).metrics
    private let time = WallClock.Instant(millisecondsSinceEpoch: 1_695_643_200_123)

    /// Serves events and returns the lines that were written.
    private func lines(
        _ app: LambdaApp, _ ids: [String] = ["a"], events: [MockRuntimeAPI.Event] = [], settings: [String: String],
        mode: String = "buffered",
        verdict: @escaping @Sendable (Int) -> MockRuntimeAPI.Verdict = { _ in .status(202) }
    ) async throws -> [JSONView] {
        let requests = ids.map { MockRuntimeAPI.Event(eventJSON(path: "/\($0)"), id: $0) }
        let api = MockRuntimeAPI(requests + events, verdict: verdict)
        let written = LogLines()
        let log = OutcomeLog(try OutcomeSettings(Environment(settings)), registry: EMFRegistry(), sink: written.sink)
        let reporter = RecordingReporter()
        let environment: Environment = ["AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(api.port)", "AWS_LWA_INVOKE_MODE": mode]
        let all = try Settings(environment)
        let guardian = try DeadlineGuard(workers: 1, responder: app.chain.responder, reporter: reporter)
        let context = WorkerContext(
            chain: app.chain, life: Life(), settings: all, address: try #require(all.runtimeAPI), reporter: reporter,
            guardian: guardian,
            testReporters: nil, watcher: nil, outcomes: log)
        let loop = try EventLoop()
        try loop.start("test")
        defer { loop.stop() }
        let worker = Worker(number: 0, loop: loop, context: context) {}
        _ = try? await Task(executorPreference: loop) { try await worker.run() }.value
        api.stop()
        #expect(written.text.isEmpty || written.text.hasSuffix("\n"))
        return try written.text.split(separator: "\n").map { try #require(JSONView(Array($0.utf8))) }
    }

    private static let shop = app { request in
        switch request.rawPath {
        case "/throw": throw Boom()
        case "/bad": return .text("no", status: .badGateway)
        case "/stream":
            return .stream(contentType: "text/plain") { writer in
                try await writer.write("12345678")
                throw Boom()
            }
        default: return .text("hello")
        }
    }

    @Test("one line for each invocation: how it ended, in figures", arguments: ["buffered", "response_stream"])
    func line(_ mode: String) async throws {
        let lines = try await lines(
            Self.shop, ["a", "throw", "bad", "stream"], settings: ["SLUICE_OUTCOME": "on"], mode: mode)
        #expect(lines.map { $0["requestId"]?.text } == ["a", "throw", "bad", "stream"])
        let isBuffered = mode == "buffered"
        #expect(
            lines.map { $0["outcome"]?.text }
                == ["ok", "handler_error", "server_error_response", isBuffered ? "handler_error" : "stream_cut"])
        #expect(lines.map { $0["status"]?.number } == [200, 500, 502, isBuffered ? 500 : 200])
        #expect(lines.map { $0["coldStart"]?.flag } == [true, false, false, false])
        #expect(lines[0]["bytes"]?.number == 5)
        if !isBuffered { #expect(lines[3]["bytes"]?.number == 8) }
        for line in lines {
            #expect(line["type"]?.text == "sluice.outcome")
            #expect(
                line.keys == [
                    "type", "requestId", "outcome", "status", "coldStart", "durationMs", "flushMs", "bytes", "reports",
                ])
            #expect(try #require(line["durationMs"]?.value as? Double) > 0)
            #expect(line["flushMs"]?.value as? Double == 0)
            #expect(line["reports"]?.keys == ["captured", "pending", "delivered", "spooled", "refused", "dropped"])
        }
    }

    @Test("what the Runtime API did not take, and an event that is no request, have their line too")
    func refused() async throws {
        let refused = try await lines(
            Self.shop, ["a"], settings: ["SLUICE_OUTCOME": "on"], verdict: { _ in .status(413) })
        #expect(refused.map { $0["outcome"]?.text } == ["reply_refused"])
        #expect(refused[0]["status"]?.number == 200)
        var headers = MockRuntimeAPI.Event(eventJSON(), id: "headers")
        headers.headers = ["Lambda-Runtime-Deadline-Ms": "soon"]
        let odd = try await lines(
            Self.shop, [], events: [MockRuntimeAPI.Event("[]", id: "odd"), headers], settings: ["SLUICE_OUTCOME": "on"])
        #expect(odd.map { $0["requestId"]?.text } == ["odd", "headers"])
        #expect(odd.map { $0["outcome"]?.text } == ["bad_event", "bad_event"])
        #expect(odd.allSatisfy { $0["status"]?.isNull == true })
    }

    @Test("events that are no requests: the first failure of a batch, no status, and the bytes of the result")
    func events() async throws {
        var events = Events()
        events.queue(of: String.self) { if $0.body == "bad" { throw Boom() } }
        events.any(of: String.self) { _ in throw Boom() }
        let sent = events
        let lines = try await lines(
            LambdaApp { sent }, [],
            events: [.init(queueEvent(["good"]), id: "a"), .init(queueEvent(["bad", "bad"]), id: "b"), .init("{}", id: "c")],
            settings: ["SLUICE_OUTCOME": "on"])
        #expect(lines.map { $0["requestId"]?.text } == ["a", "b", "c"])
        #expect(lines.map { $0["outcome"]?.text } == ["ok", "event_error", "event_error"])
        #expect(lines.allSatisfy { $0["status"]?.isNull == true })
        #expect(lines.map { $0["bytes"]?.number } == [24, 71, 0])
    }

    @Test("nothing is written unless asked for")
    func off() async throws {
        #expect(OutcomeLog(try OutcomeSettings([:])) == nil)
        #expect(try await lines(Self.shop, settings: [:]).isEmpty)
    }

    @Test("settings are strict")
    func settings() throws {
        #expect(try OutcomeSettings(["SLUICE_OUTCOME": "on"]).isOn)
        #expect(try !OutcomeSettings(["SLUICE_OUTCOME": "off"]).isOn)
        #expect(try OutcomeSettings(["SLUICE_METRICS": "emf"]).isOn)
        #expect(try OutcomeSettings(["SLUICE_METRICS": "emf"]).metrics?.namespace == "Sluice")
        let named: Environment = ["SLUICE_METRICS": "emf", "SLUICE_METRICS_NAMESPACE": "Shop/Web"]
        #expect(try OutcomeSettings(named).metrics?.namespace == "Shop/Web")
        for (name, value) in [
            ("SLUICE_OUTCOME", "yes"), ("SLUICE_METRICS", "EMF"), ("SLUICE_METRICS_NAMESPACE", "a b"),
            ("SLUICE_METRICS_NAMESPACE", "AWS/Lambda"), ("SLUICE_METRICS_NAMESPACE", String(repeating: "a", count: 256)),
            ("SLUICE_METRICS_NAMESPACE", ":a"), ("SLUICE_METRICS_NAMESPACE", "ä"),
        ] {
            let error = #expect(throws: SettingsError.self) { try OutcomeSettings([name: value]) }
            #expect(error?.variable == name)
        }
    }

    @Test("under EMF the line is metrics too: each name of _aws is a member, and of its kind")
    func emf() async throws {
        let lines = try await lines(
            Self.shop, ["a", "throw"],
            settings: ["SLUICE_METRICS": "emf", "SLUICE_METRICS_NAMESPACE": "Shop", "AWS_LAMBDA_FUNCTION_NAME": "shop"])
        #expect(lines.count == 2)
        for line in lines {
            let directives = try directives(of: line, namespace: "Shop")
            #expect(
                directives.map(\.dimensions) == [
                    [["FunctionName", "outcome"], ["FunctionName", "statusClass"]], [["FunctionName"]],
                ])
            #expect(directives[0].units == ["invocations": "Count"])
            #expect(
                directives[1].units == [
                    "coldStarts": "Count", "durationMs": "Milliseconds", "flushMs": "Milliseconds", "bytes": "Bytes",
                    "reports.pending": "Count", "reports.delivered": "Count", "reports.spooled": "Count",
                    "reports.refused": "Count", "reports.dropped": "Count",
                ])
            #expect(line["FunctionName"]?.text == "shop")
            #expect(line["invocations"]?.number == 1)
        }
        #expect(lines.map { $0["statusClass"]?.text } == ["2xx", "5xx"])
        #expect(lines.map { $0["outcome"]?.text } == ["ok", "handler_error"])
        #expect(lines.map { $0["coldStarts"]?.number } == [1, 0])
    }

    private struct Directive {
        let dimensions: [[String]]
        let units: [String: String]
    }

    /// Checks what CloudWatch would: limits, and that all that is named is there.
    private func directives(of line: JSONView, namespace: String = "Sluice") throws -> [Directive] {
        let aws = try #require(line["_aws"])
        let stamp = try #require(aws["Timestamp"]?.number)
        #expect(stamp > 1_600_000_000_000 && stamp < 10_000_000_000_000)
        return try #require(aws["CloudWatchMetrics"]?.elements).map { directive in
            #expect(directive.keys == ["Namespace", "Dimensions", "Metrics"])
            #expect(directive["Namespace"]?.text == namespace)
            let dimensions = try #require(directive["Dimensions"]?.elements).map { try #require($0.texts) }
            for name in dimensions.joined() {
                #expect(line[name]?.text?.isEmpty == false, "\(name)")
            }
            #expect(dimensions.allSatisfy { $0.count <= 30 && Set($0).count == $0.count })
            let metrics = try #require(directive["Metrics"]?.elements)
            #expect((1...100).contains(metrics.count))
            var units: [String: String] = [:]
            for metric in metrics {
                let name = try #require(metric["Name"]?.text)
                let value = try #require(line[name])
                #expect(value.value is NSNumber || (1...100).contains(value.count), "\(name)")
                #expect(units.updateValue(try #require(metric["Unit"]?.text), forKey: name) == nil)
            }
            return Directive(dimensions: dimensions, units: units)
        }
    }

    @Test("what an app measures is written once, by kinds, with its labels as dimensions")
    func instruments() throws {
        let registry = EMFRegistry()
        registry.isOn = true
        let factory = EMFMetrics(registry)
        let settings = try #require(metrics)
        Counter(label: "orders", dimensions: [("plan", "gold")], factory: factory).increment(by: 2)
        Counter(label: "orders", dimensions: [("plan", "gold")], factory: factory).increment()
        Counter(label: "orders", dimensions: [("plan", "free")], factory: factory).increment()
        let timer = CoreMetrics.Timer(label: "query", dimensions: [("plan", "gold")], factory: factory)
        timer.recordMilliseconds(3)
        timer.recordNanoseconds(1_500_000)
        Gauge(label: "depth", factory: factory).record(7)
        Gauge(label: "depth", factory: factory).record(8)
        Recorder(label: "size", factory: factory).record(1.5)
        Recorder(label: "size", factory: factory).record(Double.nan)
        Meter(label: "active", factory: factory).increment(by: 3)
        FloatingPointCounter(label: "cost", factory: factory).increment(by: 0.25)

        let views = try registry.takeLines(settings, at: time).map { try #require(JSONView($0)) }
        #expect(views.count == 3)
        for view in views { #expect(view["FunctionName"]?.text == "shop") }
        let gold = try #require(views.first { $0["plan"]?.text == "gold" })
        #expect(try directives(of: gold).map(\.dimensions) == [[["FunctionName", "plan"]]])
        #expect(try directives(of: gold).map(\.units) == [["orders": "Count", "query": "Milliseconds"]])
        #expect(gold["orders"]?.number == 3)
        #expect(gold["query"]?.value as? [Double] == [3, 1.5])
        #expect(gold["_aws"]?["Timestamp"]?.number == 1_695_643_200_123)
        let free = try #require(views.first { $0["plan"]?.text == "free" })
        #expect(free["orders"]?.number == 1)
        let plain = try #require(views.first { $0["plan"] == nil })
        #expect(
            try directives(of: plain).map(\.units)
                == [["active": "None", "cost": "Count", "depth": "None", "size": "None"]])
        #expect(plain["depth"]?.number == 8)
        #expect(plain["active"]?.number == 3)
        #expect(plain["cost"]?.value as? Double == 0.25)
        #expect(plain["size"]?.value as? Double == 1.5)

        #expect(registry.takeLines(settings).isEmpty)
        Meter(label: "active", factory: factory).decrement()
        let next = try registry.takeLines(settings).map { try #require(JSONView($0)) }[0]
        #expect(next["active"]?.number == 2)
        #expect(next["orders"] == nil)
    }

    @Test("CloudWatch's limits: a hundred values, a hundred metrics, names that mean one thing")
    func limits() throws {
        let registry = EMFRegistry()
        registry.isOn = true
        let factory = EMFMetrics(registry)
        let settings = try #require(metrics)
        let recorder = Recorder(label: "many", factory: factory)
        for number in 0..<250 { recorder.record(number) }
        for number in 0..<150 { Counter(label: "c\(number)", factory: factory).increment() }
        Counter(label: "_aws", factory: factory).increment()
        Counter(label: "plan", dimensions: [("plan", "gold"), ("plan", "twice"), ("empty", "")], factory: factory).increment()
        let views = try registry.takeLines(settings, at: time).map { try #require(JSONView($0)) }
        var values: [Double] = []
        var counters: Set<String> = []
        for view in views {
            let units = try directives(of: view).map(\.units)
            for name in units.flatMap(\.keys) where name.hasPrefix("c") { #expect(counters.insert(name).inserted) }
            if let many = view["many"] { values += try #require(many.value as? [Double]) }
        }
        #expect(values == (0..<250).map(Double.init))
        #expect(counters.count == 150)
        #expect(views.filter { $0["_aws.value"]?.number == 1 }.count == 1)
        let plan = try #require(views.first { $0["plan"] != nil })
        #expect(plan["plan"]?.text == "gold")
        #expect(plan["plan.value"]?.number == 1)
        #expect(plan["empty"] == nil)
    }

    @Test("what is kept is bounded, and what is missing is said; without a writer nothing is kept")
    func bounds() throws {
        let registry = EMFRegistry()
        let factory = EMFMetrics(registry)
        let settings = try #require(metrics)
        let recorder = Recorder(label: "many", factory: factory)
        recorder.record(1)
        #expect(registry.takeLines(settings).isEmpty)
        registry.isOn = true
        for number in 0..<10_005 { recorder.record(number) }
        let views = try registry.takeLines(settings).map { try #require(JSONView($0)) }
        #expect(views.count == 100)
        #expect(views.reduce(0) { $0 + ($1["many"]?.count ?? 0) } == 10_000)
        #expect(views.compactMap { $0["valuesLeftOut"]?.number } == [5])
    }
}
