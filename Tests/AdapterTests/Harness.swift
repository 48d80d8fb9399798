import Foundation
import Logging
import SluiceTestSupport
import Synchronization
import Testing

@testable import SluiceCore
@testable import Sluice
@testable import SluiceReporting

/// Keeps what is captured, and when something is flushed.
final class RecordingReporter: SettlingReporter {
    let records = Collected<Failure>()
    let steps = Collected<String>()
    let onFlush: @Sendable () async -> Void

    init(onFlush: @escaping @Sendable () async -> Void = {}) { self.onFlush = onFlush }

    func capture(_ failure: Failure) {
        records.add(failure)
        steps.add("capture")
    }

    func flush(within limit: Duration) async {
        steps.add("flush")
        await onFlush()
    }
}

/// What came of serving some events.
struct Served: Sendable {
    let api: MockRuntimeAPI
    let records: [Failure]
    let steps: [String]
    let end: Server.End

    var posts: [WireMessage] { api.posts }
    /// Without the record that the mock's last answer to `next` causes.
    var failures: [Failure] { records.filter { $0.outcome != .runtime } }
}

extension Server {
    /// Serves without ending the process, which would end all tests and say nothing: that a handler holds its worker is a failed test.
    static func serve(
        _ environment: [String: String], bootstrapsLogging: Bool, reporter: (any SettlingReporter)? = nil,
        _ makeApp: @Sendable () async throws -> LambdaApp
    ) async -> End {
        await serve(
            Environment(environment), bootstrapsLogging: bootstrapsLogging, reporter: reporter,
            endProcess: { Issue.record("a handler holds its worker at the deadline: the process would have ended") }, makeApp)
    }
}

/// Serves events with an app until the mock has none left.
func serve(
    _ app: LambdaApp, _ events: [MockRuntimeAPI.Event], mode: String = "buffered", environment: [String: String] = [:],
    reporter: RecordingReporter = RecordingReporter(), resetsAfterNext: Bool = false, endStatus: Int = 410,
    cutsStreams: Bool = false, receiveBuffer: CInt? = nil,
    verdict: @escaping @Sendable (Int) -> MockRuntimeAPI.Verdict = { _ in .status(202) }
) async -> Served {
    let api = MockRuntimeAPI(
        events, endStatus: endStatus, resetsAfterNext: resetsAfterNext, cutsStreams: cutsStreams,
        receiveBuffer: receiveBuffer, verdict: verdict)
    var environment = environment
    environment["AWS_LAMBDA_RUNTIME_API"] = "127.0.0.1:\(api.port)"
    environment["AWS_LWA_INVOKE_MODE"] = mode
    let end = await Server.serve(environment, bootstrapsLogging: false, reporter: reporter) { app }
    api.stop()
    return Served(api: api, records: reporter.records.values, steps: reporter.steps.values, end: end)
}

/// Serves events as `run()` does, with reports to `ingest`: these are the process's own, so only in suites of ``GlobalReports``.
func serve(
    _ makeApp: @autoclosure @Sendable () throws -> LambdaApp, _ events: [MockRuntimeAPI.Event], to ingest: MockIngest,
    mode: String = "buffered", environment: [String: String] = [:],
    verdict: @escaping @Sendable (Int) -> MockRuntimeAPI.Verdict = { _ in .status(202) }
) async -> MockRuntimeAPI {
    let api = MockRuntimeAPI(events, verdict: verdict)
    let spool = TemporaryFolder()
    defer { withExtendedLifetime(spool) {} }
    var all = [
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(api.port)", "AWS_LWA_INVOKE_MODE": mode, "AWS_LAMBDA_LOG_LEVEL": "FATAL",
        "AWS_LAMBDA_FUNCTION_NAME": "shop", "AWS_LAMBDA_FUNCTION_VERSION": "7", "AWS_REGION": "eu-west-2",
        "SENTRY_DSN": ingest.dsn, "SLUICE_SPOOL": spool.path,
    ]
    all.merge(environment) { _, new in new }
    let environment = all
    await Turnstile.reports.alone {
        _ = await Server.serve(environment, bootstrapsLogging: false, makeApp)
        Reports.stop()
    }
    api.stop()
    return api
}

/// Gives `body` the process's own reporting, alone, with reports to `ingest`.
func withReports<R>(
    _ reporters: [any ErrorReporter], to ingest: MockIngest, _ logger: Logger, _ body: (Reporters) async throws -> R
) async rethrows -> R {
    try await Turnstile.reports.alone {
        let spool = TemporaryFolder()
        let environment: Environment = ["SENTRY_DSN": ingest.dsn, "SLUICE_SPOOL": spool.path]
        let reporters = Reporters(logger, reporters)
        Reports.start(reporters, environment: environment, logger: logger)
        Reports.begin()
        defer {
            Reports.stop()
            withExtendedLifetime(spool) {}
        }
        return try await body(reporters)
    }
}

/// What log records write, kept.
final class LogLines: Sendable {
    private let written = Mutex<[UInt8]>([])

    var sink: LogSink {
        LogSink { bytes in
            self.written.withLock { $0 += Array(bytes) }
            return (bytes.count, 0)
        }
    }

    var text: String { written.withLock { String(decoding: $0, as: UTF8.self) } }
}

extension MockIngest {
    /// The events that invocations led to: without the one that the mock's last answer to `next` causes.
    func failures() throws -> [JSONView] { try events().filter { $0["tags"]?["outcome"]?.text != "runtime" } }
}

extension LambdaApp {
    /// One route that responses everything, and reports that no setting of this machine leads elsewhere.
    static func reporting(
        _ flush: FlushReports = FlushReports(within: .seconds(20)), returnedServerErrors: Bool = true,
        options change: (inout ReportOptions) -> Void = { _ in },
        _ handler: @escaping @Sendable (Request) async throws -> Response
    ) -> LambdaApp {
        var routes = Router()
        for method: HTTPRequest.Method in [.get, .post, .head] { routes.on(method, "/{path*}", handler) }
        var options = ReportOptions()
        options.proxy = ""
        change(&options)
        return LambdaApp {
            routes
            CaptureErrors(options, returnedServerErrors: returnedServerErrors)
            flush
        }
    }
}

/// An app of one route that responses everything.
func app(_ handler: @escaping @Sendable (Request) async throws -> Response) -> LambdaApp {
    var routes = Router()
    for method: HTTPRequest.Method in [.get, .post, .head] { routes.on(method, "/{path*}", handler) }
    return LambdaApp { routes }
}

/// The JSON of a Function URL event; `changes` replaces or, with `NSNull()` as a marker for none, removes fields.
func eventJSON(
    method: String = "GET", path: String = "/my/path", query: String = "", headers: [String: Any] = [:],
    changes: [String: Any] = [:]
) -> String {
    var event: [String: Any] = [
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": ["host": "id.lambda-url.eu-west-2.on.aws"].merging(headers) { _, new in new },
        "isBase64Encoded": false,
        "requestContext": [
            "accountId": "anonymous", "apiId": "id", "authentication": NSNull(),
            "domainName": "id.lambda-url.eu-west-2.on.aws", "domainPrefix": "id",
            "http": [
                "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "1.2.3.4", "userAgent": "test",
            ],
            "requestId": "r", "routeKey": "$default", "stage": "$default", "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1_583_348_638_390,
        ],
    ]
    for (key, value) in changes { event[key] = value is Removed ? nil : value }
    let data = try? JSONSerialization.data(withJSONObject: event, options: .sortedKeys)
    return String(decoding: data ?? Data(), as: UTF8.self)
}

struct Removed {}

func read(_ json: String) throws -> Request {
    let bytes = Array(json.utf8)
    return try RequestEvent(bytes, id: "id", deadline: nil).request
}

struct Boom: Error {}
