import Logging
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

/// What needs the process's one hub: these tests run one after the other, and never while another suite has it.
@Suite(.serialized) struct OTLPTests {
    private struct Broken: Error {}

    /// Runs `body` as one request of an app with these reporters, and says what its log and its ledger have.
    private func request(
        _ reporters: [any ErrorReporter], _ environment: [String: String] = [:], _ body: (Reporters) async throws -> Void
    ) async throws -> (ledger: ReportLedger, log: [String], spooled: Int) {
        try await Turnstile.reports.alone {
            let (folder, records) = (TemporaryFolder(), LogRecords())
            defer { withExtendedLifetime(folder) {} }
            let all = Reporters(records.logger, reporters)
            Reports.start(
                all, environment: Environment(["SLUICE_SPOOL": folder.path].merging(environment) { $1 }), logger: records.logger
            )
            Reports.begin()
            defer { Reports.stop() }
            let state = InvocationScope.State()
            let box = ReportingScope()
            try await InvocationScope.$current.withValue(InvocationScope(requestID: "r", state: state, follower: box)) {
                try await body(all)
                await all.flush(within: .seconds(20))
            }
            let spooled = try Reports.hub?.deliveries.map { try $0.spool.list().count }.reduce(0, +) ?? 0
            return (box.ledger.now, records.lines, spooled)
        }
    }

    private func reporter(_ ingest: MockIngest, headers: [String: String] = [:]) -> OTLPReporter {
        OTLPReporter(endpoint: "http://127.0.0.1:\(ingest.port)", headers: headers)
    }

    private func record(_ request: MockIngest.Request) -> JSONView? {
        JSONView(request.message.body)?["resourceLogs"]?[0]?["scopeLogs"]?[0]?["logRecords"]?[0]
    }

    private func attribute(_ name: String, of record: JSONView?) -> JSONView? {
        record?["attributes"]?.elements?.first { $0["key"]?.text == name }?["value"]
    }

    @Test("a failure is one log record: body, severity, time as text, and the attributes of an exception")
    func failure() async throws {
        let ingest = MockIngest()
        defer { ingest.stop() }
        let failure = Failure(.handlerError, "GET / failed with 500", error: Broken(), status: 500, level: .critical)
        let result = try await request([reporter(ingest, headers: ["X-Key": "k"])]) { $0.record(failure) }
        #expect(result.ledger == ReportLedger(delivered: 1))
        let sent = try #require(ingest.requests.first)
        #expect(sent.message.target == "/v1/logs")
        #expect(sent.message["x-key"] == "k")
        let record = self.record(sent)
        #expect(record?["body"]?["stringValue"]?.text == "GET / failed with 500")
        #expect(record?["severityNumber"]?.number == 21)
        #expect(record?["timeUnixNano"]?.text == "\(failure.timestamp.millisecondsSinceEpoch)000000")
        #expect(attribute("log.record.uid", of: record)?["stringValue"]?.text == failure.id)
        #expect(attribute("exception.type", of: record)?["stringValue"]?.text?.hasSuffix(".Broken") == true)
        #expect(attribute("http.response.status_code", of: record)?["intValue"]?.text == "500")
        #expect(attribute("outcome", of: record)?["stringValue"]?.text == "handler_error")
    }

    @Test("with two reporters a failure is one report at each, under one id; what is captured by hand and then thrown is too")
    func both() async throws {
        let (otlp, sentry) = (MockIngest(), MockIngest())
        defer { for ingest in [otlp, sentry] { ingest.stop() } }
        let options = ReportOptions {
            $0.dsn = sentry.dsn
            $0.proxy = ""
        }
        let error: any Error = Broken()
        var id: String?
        let result = try await request([SentryReporter(options), reporter(otlp)]) { reporters in
            id = Reports.capture(error)
            reporters.record(Failure(.handlerError, "failed", error: error, status: 500))
            reporters.record(Failure(.streamCut, "cut", error: Plain(), status: 200))
        }
        #expect(result.ledger == ReportLedger(delivered: 4))
        let ids = try sentry.events().compactMap { $0["event_id"]?.text }
        #expect(ids.count == 2)
        #expect(ids.first == id)
        #expect(otlp.requests.map { attribute("log.record.uid", of: record($0))?["stringValue"]?.text } == ids)
        let traces = try sentry.events().map { $0["contexts"]?["trace"]?["trace_id"]?.text }
        #expect(otlp.requests.map { record($0)?["traceId"]?.text } == traces)
    }

    @Test(
        "statuses that mean later keep a report in the spool, and nothing is sent until then", arguments: [429, 502, 503, 504])
    func later(_ status: Int) async throws {
        let ingest = MockIngest { _ in .answer(status, headers: ["Retry-After": "100"]) }
        defer { ingest.stop() }
        let result = try await request([reporter(ingest)]) { reporters in
            for number in 0..<3 {
                reporters.record(Failure(.handlerError, "failed \(number)", error: nil, status: 500))
                await reporters.flush(within: .seconds(20))
                await reporters.settle(within: .seconds(20))
            }
        }
        #expect(result.ledger == ReportLedger(spooled: 3))
        #expect(result.spooled == 3)
        #expect(ingest.requests.count == 1)
    }

    @Test("what the server put off leaves when it is wanted, with no more than one request in between")
    func putOff() async throws {
        let ingest = MockIngest { $0 == 0 ? .answer(503, headers: ["Retry-After": "0"]) : .answer(200) }
        defer { ingest.stop() }
        let result = try await request([reporter(ingest)]) { reporters in
            reporters.record(Failure(.handlerError, "failed", error: nil, status: 500))
            await reporters.flush(within: .seconds(20))
            await reporters.settle(within: .seconds(20))
        }
        #expect(result.ledger == ReportLedger(delivered: 1))
        #expect(result.spooled == 0)
        #expect(Set(ingest.requests.map { attribute("log.record.uid", of: record($0))?["stringValue"]?.text }).count == 1)
        #expect(ingest.requests.count == 2)
    }

    @Test("what is captured while the server holds back has its names when it leaves")
    func heldWithNames() async throws {
        let ingest = MockIngest { $0 == 0 ? .answer(503, headers: ["Retry-After": "1"]) : .answer(200) }
        defer { ingest.stop() }
        let result = try await request([reporter(ingest)]) { reporters in
            reporters.record(Failure(.handlerError, "first", error: nil, status: 500))
            await reporters.flush(within: .seconds(20))
            do {
                try Self.thrower()
            } catch {
                reporters.record(Failure(.handlerError, "second", error: error, status: 500))
            }
            repeat {
                await reporters.flush(within: .seconds(20))
                await reporters.settle(within: .seconds(20))
                await Task.yield()
            } while Reports.currentScope?.ledger.now.isDelivered == false && !Task.isCancelled
        }
        #expect(result.ledger == ReportLedger(delivered: 2))
        let second = ingest.requests.map(record).last { attribute("exception.stacktrace", of: $0) != nil }
        let stack = try #require(attribute("exception.stacktrace", of: second ?? nil)?["stringValue"]?.text)
        #expect(stack.contains("thrower"))
    }

    @inline(never) private static func thrower() throws { throw Broken() }

    /// A reporter of an app's own around Sentry's: it leaves something out.
    private struct Around: ErrorReporter {
        let sentry: SentryReporter
        func capture(_ failure: Failure) { if failure.outcome != .streamCut { sentry.capture(failure) } }
        func flush(within limit: Duration) async { await sentry.flush(within: limit) }
    }

    @Test("a reporter around Sentry's reports what it lets through")
    func around() async throws {
        let sentry = MockIngest()
        defer { sentry.stop() }
        let options = ReportOptions {
            $0.dsn = sentry.dsn
            $0.proxy = ""
        }
        let result = try await request([Around(sentry: SentryReporter(options))]) { reporters in
            reporters.record(Failure(.streamCut, "cut", error: Plain(), status: 200))
            reporters.record(Failure(.handlerError, "failed", error: Broken(), status: 500))
        }
        #expect(result.ledger == ReportLedger(delivered: 1))
        #expect(try sentry.events().map { $0["logentry"]?["formatted"]?.text } == ["failed"])
    }

    @Test("an error that Sentry's beforeSend leaves out is not told to the others again")
    func leftOut() async throws {
        let (otlp, sentry) = (MockIngest(), MockIngest())
        defer { for ingest in [otlp, sentry] { ingest.stop() } }
        let options = ReportOptions {
            $0.dsn = sentry.dsn
            $0.proxy = ""
            $0.beforeSend = { _ in nil }
        }
        let error: any Error = Broken()
        let result = try await request([SentryReporter(options), reporter(otlp)]) { reporters in
            Reports.capture(error)
            await reporters.flush(within: .seconds(20))
            reporters.record(Failure(.handlerError, "failed", error: error, status: 500))
        }
        #expect(result.ledger == ReportLedger(delivered: 1, dropped: [.beforeSend: 1]))
        #expect(otlp.requests.count == 1)
    }

    @Test("any other status is the server's no, and is not sent again", arguments: [400, 401, 403, 404, 500, 501])
    func refused(_ status: Int) async throws {
        let ingest = MockIngest { _ in .answer(status) }
        defer { ingest.stop() }
        let result = try await request([reporter(ingest)]) {
            $0.record(Failure(.handlerError, "failed", error: nil, status: 500))
        }
        #expect(result.ledger == ReportLedger(refused: [status: 1]))
        #expect(result.spooled == 0)
        #expect(ingest.requests.count == 1)
    }

    @Test(
        "a 200 that took nothing is a refusal",
        arguments: [
            (#"{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too old"}}"#, true),
            (#"{"partialSuccess":{"rejectedLogRecords":1}}"#, true),
            (#"{"partialSuccess":{"rejectedLogRecords":"0","errorMessage":"a warning"}}"#, false),
            (#"{"partialSuccess":{}}"#, false), ("{}", false), ("", false), ("no JSON", false), ("[1]", false),
            (#"{"partialSuccess":{"rejectedLogRecords":"x"}}"#, false),
        ])
    func partial(_ body: String, isRefused: Bool) async throws {
        let ingest = MockIngest { _ in .answer(200, body: body) }
        defer { ingest.stop() }
        let result = try await request([reporter(ingest)]) {
            $0.record(Failure(.handlerError, "failed", error: nil, status: 500))
        }
        #expect(result.ledger == (isRefused ? ReportLedger(refused: [200: 1]) : ReportLedger(delivered: 1)))
    }

    // MARK: Settings

    @Test(
        "where the environment says that records go",
        arguments: [
            (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"], "http://c:4318/v1/logs"),
            (["OTEL_EXPORTER_OTLP_ENDPOINT": "https://c/otlp/"], "https://c/otlp/v1/logs"),
            (["OTEL_EXPORTER_OTLP_ENDPOINT": " http://c:4318 "], "http://c:4318/v1/logs"),
            (["OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://c/own"], "http://c/own"),
            (
                ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://b/v1/logs"],
                "http://b/v1/logs"
            ),
            ([:], nil), (["OTEL_EXPORTER_OTLP_ENDPOINT": ""], nil),
            (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "true"], nil),
            (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_LOGS_EXPORTER": "none"], nil),
        ] as [([String: String], String?)])
    func endpoint(_ environment: [String: String], url: String?) {
        #expect(OTLPSettings(Environment(environment))?.destination.url == url)
        #expect(OTLPSettings(Environment(environment))?.problems.isEmpty ?? true)
    }

    @Test("headers of the environment are percent-decoded, the signal's own count first, and what is no pair is left out")
    func headers() throws {
        let settings = try #require(
            OTLPSettings([
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_HEADERS": "a=1",
                "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "Authorization=Basic%20abc%3D, x-key = k ,none,=empty",
            ]))
        #expect(settings.destination.headers.map(\.name) == ["Authorization", "x-key"])
        #expect(settings.destination.headers.map(\.value) == ["Basic abc=", "k"])
    }

    @Test("an endpoint that is none is one ERROR when the app starts, and a protocol that Sluice does not speak a WARN")
    func unusable() async throws {
        let reporters: [any ErrorReporter] = [
            OTLPReporter(endpoint: "collector:4317"), OTLPReporter(endpoint: "http://"),
            OTLPReporter(endpoint: "http://a b/"),
        ]
        let result = try await request(reporters) { $0.record(Failure(.handlerError, "failed", error: nil, status: 500)) }
        #expect(result.ledger == ReportLedger())
        #expect(
            result.log.filter { $0 == "error: the OTLP endpoint is no http or https URL; nothing is reported there" }.count == 3
        )
        let spoken = OTLPSettings([
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        ])
        #expect(spoken?.problems == [.warning("OTEL_EXPORTER_OTLP_PROTOCOL: Sluice speaks http/json, not 'grpc'")])
    }

    @Test("a header that would be two is not sent")
    func injected() async throws {
        let ingest = MockIngest()
        defer { ingest.stop() }
        _ = try await request([reporter(ingest, headers: ["x-a": "1\r\nx-b: 2", "x-c": "3"])]) {
            $0.record(Failure(.handlerError, "failed", error: nil, status: 500))
        }
        let message = try #require(ingest.requests.first?.message)
        #expect(message["x-a"] == nil && message["x-b"] == nil)
        #expect(message["x-c"] == "3")
    }

    @Test("the resource: what Lambda says of the function, and the operator's own words, which win")
    func resource() {
        let resource = OTLPResource([
            "AWS_LAMBDA_FUNCTION_NAME": "shop", "AWS_LAMBDA_FUNCTION_VERSION": "7", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/shop", "AWS_LAMBDA_LOG_STREAM_NAME": "s", "AWS_REGION": "eu-west-2",
            "OTEL_RESOURCE_ATTRIBUTES": "service.version=1.2%2C3,cloud.region=mine,service.name=a", "OTEL_SERVICE_NAME": "b",
        ]).attributes
        let expected: [String: ReportValue] = [
            "service.name": "b", "service.version": "1.2,3", "faas.name": "shop", "faas.version": "7", "faas.instance": "s",
            "faas.max_memory": .integer(134_217_728), "cloud.provider": "aws", "cloud.platform": "aws_lambda",
            "cloud.region": "mine", "aws.log.group.names": ["/aws/lambda/shop"], "aws.log.stream.names": ["s"],
        ]
        for (name, value) in expected { #expect(resource[name] == value, "\(name)") }
        #expect(OTLPResource([:]).attributes["service.name"] == "unknown_service")
    }

    @Test("what an app leaves to nest and to overflow is cut, and stays JSON")
    func deep() throws {
        var value = ReportValue.integer(1)
        for _ in 0..<20 { value = .object(["x": value]) }
        var event = ReportEvent(level: .info)
        event.message = String(repeating: "ä", count: 9000)
        event.contexts["deep"] = [
            "value": value, "list": .array(Array(repeating: .null, count: 200)), "nan": .double(.nan), "none": .null,
        ]
        let json = try #require(JSONView(OTLPFormat().body(of: event)))
        let record = json["resourceLogs"]?[0]?["scopeLogs"]?[0]?["logRecords"]?[0]
        #expect(record?["body"]?["stringValue"]?.text?.hasSuffix("...") == true)
        #expect(attribute("deep.nan", of: record)?["stringValue"]?.text == "nan")
        #expect(attribute("deep.list", of: record)?["arrayValue"]?["values"]?.count == 100)
        #expect(attribute("deep.none", of: record) == nil)
        var depth = 0
        var inner = attribute("deep.value", of: record)
        while let next = inner?["kvlistValue"]?["values"]?[0]?["value"] { (inner, depth) = (next, depth + 1) }
        #expect(depth == 8)
        #expect(inner?["stringValue"]?.text == "…")
    }
}
