import Foundation
import Logging
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import Sluice
@testable import SluiceReporting

/// All tests that use the process's own reporting: one after the other.
@Suite(.serialized) struct GlobalReports {}

extension GlobalReports {
    /// Section 8.8 of the conformance cases, through the whole of it: event in, answer out, reports in between.
    @Suite struct ReportingFlowTests {
        private static let modes = ["buffered", "response_stream"]

        private final class Notes: SettlingReporter {
            let steps = Collected<String>()
            func capture(_ failure: Failure) { steps.add("capture \(failure.outcome.rawValue)") }
            func flush(within limit: Duration) async { steps.add("flush \(limit)") }
            func settle(within limit: Duration) async { steps.add("settle \(limit)") }
        }

        @Test(
            "case 122: success or failure, there is one flush with the app's own limit before the answer, and one look after it",
            arguments: modes, [false, true])
        func flushed(_ mode: String, fails: Bool) async {
            let notes = Notes()
            let api = MockRuntimeAPI([.init(eventJSON())]) { _ in
                notes.steps.add("answer")
                return .status(202)
            }
            let app = LambdaApp.reporting(FlushReports(within: .seconds(3))) { _ in
                if fails { throw Boom() }
                return .text("ok")
            }
            let environment = ["AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(api.port)", "AWS_LWA_INVOKE_MODE": mode]
            _ = await Server.serve(environment, bootstrapsLogging: false, reporter: notes) { app }
            api.stop()
            // The last two are the end of the test: the mock has no more events.
            let steps = [
                "flush 3.0 seconds", "answer", "settle 3.0 seconds", "capture runtime", "settle 3.0 seconds",
            ]
            #expect(notes.steps.values == (fails ? ["capture handler_error"] : []) + steps)
        }

        enum Trouble: CaseIterable, Sendable { case none, tooMany, broken, forbidden, hanging, resetting, gone }

        @Test(
            "cases 122, 123, 130, 132: whatever the error tracker does, the answer is the same to the byte",
            arguments: Trouble.allCases, modes)
        func unchanged(_ trouble: Trouble, mode: String) async throws {
            let handler: @Sendable (Request) async throws -> Response = { request in
                if request.path == "/fail" { throw Boom() }
                return .stream(contentType: "text/plain") { writer in
                    try await writer.write("part")
                    if request.path == "/cut" { throw Boom() }
                }
            }
            let events = ["/fail", "/good", "/cut"].map {
                MockRuntimeAPI.Event(eventJSON(path: $0), id: String($0.dropFirst()))
            }
            let plain = await serve(app(handler), events, mode: mode)
            let ingest = MockIngest { _ in
                switch trouble {
                case .none: .answer(200)
                case .tooMany: .answer(429, headers: ["Retry-After": "1000"])
                case .broken: .answer(503)
                case .forbidden: .answer(403)
                case .hanging: .hang
                case .resetting: .resetAfterReading
                case .gone: .resetBeforeReading
                }
            }
            if trouble == .gone { ingest.stop() }
            let flush = FlushReports(within: trouble == .hanging ? .milliseconds(100) : .seconds(20))
            let api = await serve(LambdaApp.reporting(flush, handler), events, to: ingest, mode: mode)
            ingest.stop()
            try #require(api.posts.count == 3)
            for (post, expected) in zip(api.posts, plain.posts) {
                #expect(post.target == expected.target)
                #expect(post.body == expected.body)
                #expect(post.trailers.map(\.name) == expected.trailers.map(\.name))
                #expect(!post.isCut && post.problem == nil)
            }
            if trouble == .none { #expect(try ingest.failures().count == 2) }
        }

        @Test("case 124: a thrown error is one report: unhandled, with the invocation's Lambda facts", arguments: modes)
        func thrown(_ mode: String) async throws {
            let ingest = MockIngest()
            let app = LambdaApp.reporting { _ in throw Boom() }
            _ = await serve(app, [.init(eventJSON(path: "/my/path"), id: "id-1")], to: ingest, mode: mode)
            ingest.stop()
            let events = try ingest.failures()
            try #require(events.count == 1)
            let exceptions = try #require(events[0]["exception"]?["values"]?.elements)
            #expect(exceptions.map { $0["type"]?.text } == ["Boom"])
            #expect(exceptions[0]["mechanism"]?["handled"]?.flag == false)
            #expect(exceptions[0]["mechanism"]?["type"]?.text == "auto.http.lambda")
            #expect(events[0]["level"]?.text == "error")
            #expect(events[0]["transaction"]?.text == "GET /{path*}")
            #expect(events[0]["request"]?["method"]?.text == "GET")
            let lambda = try #require(events[0]["contexts"]?["aws.lambda"])
            #expect(lambda["aws_request_id"]?.text == "id-1")
            #expect(lambda["function_name"]?.text == "shop")
            #expect(lambda["function_version"]?.text == "7")
            #expect(lambda["invoked_function_arn"]?.text == "arn:aws:lambda:eu-west-2:123456789012:function:shop:live")
            #expect(lambda["cold_start"]?.flag == true)
            #expect(lambda["remaining_time_in_millis"]?.number.map { (1...30_000).contains($0) } == true)
            #expect(lambda["execution_duration_in_millis"]?.number.map { $0 >= 0 } == true)
        }

        @Test(
            "cases 125, 126: an error in a streamed body is one report, and the server has it whole before the end of the answer comes",
            arguments: modes)
        func beforeTheEnd(_ mode: String) async throws {
            let order = Collected<String>()
            let ingest = MockIngest { _ in
                order.add("report")
                return .answer(200)
            }
            let app = LambdaApp.reporting { _ in
                .stream(contentType: "text/plain") { writer in
                    try await writer.write("first")
                    order.add("first")
                    throw Boom()
                }
            }
            let api = await serve(app, [.init(eventJSON())], to: ingest, mode: mode) { _ in
                order.add("end, \(ingest.requests.count) report")
                return .status(202)
            }
            ingest.stop()
            // What comes after these is the end of the test: the mock has no more events.
            #expect(order.values.prefix(3) == ["first", "report", "end, 1 report"])
            let events = try ingest.failures()
            try #require(events.count == 1)
            let mechanism = events[0]["exception"]?["values"]?[0]?["mechanism"]
            #expect(mechanism?["handled"]?.flag == false)
            let post = try #require(api.posts.first)
            if mode == "response_stream" {
                #expect(events[0]["tags"]?["outcome"]?.text == "stream_cut")
                #expect(mechanism?["type"]?.text == "auto.http.lambda.stream")
                #expect(post.trailer("Lambda-Runtime-Function-Error-Type") == "Function.Boom")
                #expect(splitPrelude(post.body)?.body == Array("first".utf8))
            } else {
                #expect(events[0]["tags"]?["outcome"]?.text == "handler_error")
                #expect(JSONView(post.body)?["statusCode"]?.number == 500)
            }
        }

        @Test("case 126: an error before the stream's first byte too is at the server before the answer", arguments: modes)
        func beforeTheAnswer(_ mode: String) async throws {
            let counts = Collected<Int>()
            let ingest = MockIngest()
            let app = LambdaApp.reporting { request in
                if request.path == "/plain" { throw Boom() }
                return .stream(contentType: "text/plain") { _ in throw Boom() }
            }
            let events = ["/plain", "/stream"].map { MockRuntimeAPI.Event(eventJSON(path: $0)) }
            let api = await serve(app, events, to: ingest, mode: mode) { _ in
                counts.add(ingest.requests.count)
                return .status(202)
            }
            ingest.stop()
            #expect(counts.values == [1, 2])
            #expect(api.posts.count == 2)
            #expect(try ingest.failures().map { $0["tags"]?["outcome"]?.text } == ["handler_error", "handler_error"])
        }

        @Test("FlushReports(when: .afterReply): the answer goes first, the report before the next invocation", arguments: modes)
        func afterReply(_ mode: String) async throws {
            let counts = Collected<Int>()
            let ingest = MockIngest()
            let app = LambdaApp.reporting(FlushReports(when: .afterReply)) { _ in throw Boom() }
            _ = await serve(app, [.init(eventJSON(), id: "a"), .init(eventJSON(), id: "b")], to: ingest, mode: mode) { _ in
                counts.add(ingest.requests.count)
                return .status(202)
            }
            ingest.stop()
            #expect(counts.values == [0, 1])
            #expect(try ingest.failures().count == 2)
        }

        enum Stuck: CaseIterable, Sendable { case suspended, blocking, midStream }

        @Test(
            "case 127: a time-out is one report, and the server has it before the guard answers, also when the thread is blocked",
            arguments: Stuck.allCases)
        func timeout(_ stuck: Stuck) async throws {
            let (gate, door) = (Gate(), DispatchSemaphore(value: 0))
            let counts = Collected<Int>()
            let ingest = MockIngest()
            @Sendable func block() { door.wait() }
            let app = LambdaApp.reporting { _ in
                switch stuck {
                case .suspended: await gate.wait()
                case .blocking: block()
                case .midStream:
                    return .stream(contentType: "text/plain") { writer in
                        try await writer.write("first")
                        await gate.wait()
                    }
                }
                return .text("too late")
            }
            var event = MockRuntimeAPI.Event(eventJSON(path: "/slow"), id: "slow")
            // The longest margin that there is. Two workers: a guard with one would end the process with it.
            event.timeout = 2500
            let api = await serve(
                app, [event], to: ingest, mode: stuck == .blocking ? "buffered" : "response_stream",
                environment: ["AWS_LAMBDA_MAX_CONCURRENCY": "2"]
            ) { _ in
                counts.add((try? ingest.failures().count) ?? -1)
                gate.open()
                door.signal()
                return .status(202)
            }
            ingest.stop()
            #expect(counts.values == [1])
            let events = try ingest.failures()
            try #require(events.count == 1)
            #expect(events[0]["tags"]?["outcome"]?.text == "timeout")
            #expect(events[0]["exception"]?["values"]?[0]?["type"]?.text == "HandlerTimeout")
            #expect(events[0]["exception"]?["values"]?[0]?["mechanism"]?["type"]?.text == "auto.http.lambda.timeout")
            #expect(events[0]["contexts"]?["aws.lambda"]?["aws_request_id"]?.text == "slow")
            #expect(events[0]["contexts"]?["aws.lambda"]?["function_name"]?.text == "shop")
            let post = try #require(api.posts.first)
            #expect(api.posts.count == 1)
            switch stuck {
            case .blocking: #expect(JSONView(post.body)?["statusCode"]?.number == 504)
            case .suspended: #expect(splitPrelude(post.body)?.prelude["statusCode"]?.number == 504)
            case .midStream: #expect(post.trailer("Lambda-Runtime-Function-Error-Type") == "Runtime.HandlerTimeout")
            }
        }

        @Test("case 127: a handler that ends in time has no time-out report")
        func inTime() async throws {
            let ingest = MockIngest()
            let app = LambdaApp.reporting { _ in .text("ok") }
            _ = await serve(app, [.init(eventJSON())], to: ingest)
            ingest.stop()
            #expect(try ingest.failures().isEmpty)
        }

        @Test("case 128: an error while the app is made is reported before init/error is told")
        func startUp() async throws {
            let counts = Collected<Int>()
            let ingest = MockIngest()
            @Sendable func fail() throws -> LambdaApp { throw Boom() }
            let api = await serve(try fail(), [.init(eventJSON())], to: ingest) { _ in
                counts.add(ingest.requests.count)
                return .status(202)
            }
            ingest.stop()
            #expect(api.messages.map(\.target) == ["/2018-06-01/runtime/init/error"])
            #expect(counts.values == [1])
            let events = try ingest.events()
            try #require(events.count == 1)
            #expect(events[0]["tags"]?["outcome"]?.text == "start_up")
            let exception = events[0]["exception"]?["values"]?[0]
            #expect(exception?["type"]?.text == "Boom")
            #expect(exception?["mechanism"]?["type"]?.text == "auto.function.lambda.init")
            #expect(exception?["mechanism"]?["handled"]?.flag == false)
        }

        @Test("case 128: what is wrong with the app's own list is reported to where the app's own options say")
        func invalidApp() async throws {
            let ingest = MockIngest()
            var routes = Router()
            for _ in 0..<2 { routes.get("/same") { _ in "x" } }
            let options = ReportOptions { $0.proxy = "" }
            let dsn = ingest.dsn
            let app = LambdaApp {
                routes
                CaptureErrors(
                    {
                        var options = options
                        options.dsn = dsn
                        return options
                    }())
                FlushReports()
            }
            _ = await serve(app, [], to: ingest, environment: ["SENTRY_DSN": ""])
            ingest.stop()
            #expect(try ingest.events().map { $0["tags"]?["outcome"]?.text } == ["start_up"])
            #expect(try ingest.events().map { $0["exception"]?["values"]?[0]?["type"]?.text } == ["RouteError"])
        }

        @Test("case 128: a bad value of a variable of ours is reported too")
        func badVariable() async throws {
            let ingest = MockIngest()
            let app = LambdaApp.reporting { _ in .text("ok") }
            _ = await serve(app, [], to: ingest, environment: ["SLUICE_EMPTY_STREAM": "perhaps"])
            ingest.stop()
            #expect(try ingest.events().map { $0["exception"]?["values"]?[0]?["type"]?.text } == ["SettingsError"])
        }

        @Test("case 129: an event that is no object is one report and leads to no second failure", arguments: modes)
        func notAnObject(_ mode: String) async throws {
            let bodies = ["[1,2]", "\"text\"", "3", "null", "true", "no JSON", ""]
            let ingest = MockIngest()
            let app = LambdaApp.reporting { _ in .text("ok") }
            let events = bodies.enumerated().map { MockRuntimeAPI.Event($1, id: "id-\($0)") }
            let api = await serve(app, events + [.init(eventJSON(), id: "good")], to: ingest, mode: mode)
            ingest.stop()
            let errors = bodies.indices.map { "/2018-06-01/runtime/invocation/id-\($0)/error" }
            #expect(api.posts.map(\.target) == errors + ["/2018-06-01/runtime/invocation/good/response"])
            let reports = try ingest.failures()
            #expect(reports.map { $0["tags"]?["outcome"]?.text } == bodies.map { _ in "bad_event" })
            #expect(
                reports.map { $0["contexts"]?["aws.lambda"]?["aws_request_id"]?.text } == bodies.indices.map { "id-\($0)" })
        }

        @Test("case 133: the kept connection died between two invocations: both reports arrive, each once", arguments: modes)
        func deadConnection(_ mode: String) async throws {
            let ingest = MockIngest { .answer(200, closes: $0 == 0) }
            let app = LambdaApp.reporting { _ in throw Boom() }
            _ = await serve(app, [.init(eventJSON(), id: "a"), .init(eventJSON(), id: "b")], to: ingest, mode: mode)
            ingest.stop()
            let events = try ingest.failures()
            #expect(events.map { $0["contexts"]?["aws.lambda"]?["aws_request_id"]?.text } == ["a", "b"])
            #expect(Set(events.map { $0["event_id"]?.text }).count == 2)
            #expect(ingest.requests.prefix(2).map(\.connection) == [0, 1])
        }

        @Test(
            "case 135: an answer of 500 that nobody threw is reported once, or not at all where that is switched off",
            arguments: modes)
        func returned(_ mode: String) async throws {
            for isOn in [true, false] {
                let ingest = MockIngest()
                let app = LambdaApp.reporting(returnedServerErrors: isOn) { request in
                    .text("broken", status: request.path == "/bad" ? .internalServerError : .notFound)
                }
                _ = await serve(
                    app, [.init(eventJSON(path: "/bad")), .init(eventJSON(path: "/missing"))], to: ingest, mode: mode)
                ingest.stop()
                let events = try ingest.failures()
                #expect(events.map { $0["tags"]?["outcome"]?.text } == (isOn ? ["server_error_response"] : []))
                #expect(events.first?["contexts"]?["response"]?["status_code"]?.number == (isOn ? 500 : nil))
            }
        }

        @Test("the Runtime API's own failure, which ends the process, is reported before it does")
        func runtimeFailure() async throws {
            let ingest = MockIngest()
            _ = await serve(LambdaApp.reporting { _ in .text("ok") }, [], to: ingest)
            ingest.stop()
            let events = try ingest.events()
            #expect(events.map { $0["tags"]?["outcome"]?.text } == ["runtime"])
            #expect(events.map { $0["level"]?.text } == ["fatal"])
        }

        @Test("case 110: what the client itself logs is no report, no log and no breadcrumb of its own")
        func noLoop() async throws {
            let ingest = MockIngest { _ in .answer(403) }
            let lines = LogLines()
            let logger = Logger(label: "sluice") {
                LambdaLogHandler(label: $0, json: true, level: .info, feedsReports: true, sink: lines.sink)
            }
            let options = ReportOptions { options in
                options.proxy = ""
                options.enableLogs = true
            }
            let state = InvocationScope.State()
            let box = ReportingScope()
            let scope = InvocationScope(requestID: "r", state: state, follower: box)
            await withReports([SentryReporter(options)], to: ingest, logger) { reporter in
                await InvocationScope.$current.withValue(scope) {
                    for number in 0..<2 {
                        reporter.record(Failure(.handlerError, "failed \(number)", error: nil, status: 500))
                        await reporter.flush(within: .seconds(20))
                    }
                    await reporter.settle(within: .seconds(20))
                }
            }
            ingest.stop()
            // The two failures, what the server said, once, and what became of them.
            #expect(lines.text.split(separator: "\n").count == 4)
            let envelopes = try ingest.envelopes()
            #expect(envelopes.flatMap(\.types).filter { $0 == "event" }.count == 2)
            #expect(!envelopes.flatMap(\.types).contains("log"))
            #expect(try ingest.events().allSatisfy { !$0.keys.contains("breadcrumbs") })
            #expect(box.ledger.now.refused == [403: 2])
        }
    }
}

extension GlobalReports.ReportingFlowTests {
    @Test("case 98: a trace in the client context wins over that of the event's headers")
    func clientContext() async throws {
        let ingest = MockIngest()
        let (custom, header) = (String(repeating: "c", count: 32), String(repeating: "e", count: 32))
        let context = #"{"custom":{"sentry-trace":"\#(custom)-00f067aa0ba902b7-1"}}"#
        let event = eventJSON(headers: ["sentry-trace": "\(header)-00f067aa0ba902b7-1"])
        var with = MockRuntimeAPI.Event(event, id: "with")
        with.headers["Lambda-Runtime-Client-Context"] = context
        _ = await serve(LambdaApp.reporting { _ in throw Boom() }, [with, .init(event, id: "without")], to: ingest)
        ingest.stop()
        let traces = try ingest.failures().map { $0["contexts"]?["trace"]?["trace_id"]?.text }
        #expect(traces == [custom, header])
    }
}
