import Foundation
import Logging
import SluiceTestSupport
import Testing

@testable import Sluice
@testable import SluiceCore
@testable import SluiceReporting

/// SQS messages with these bodies: `m1`, `m2`…
private func queueEvent(_ bodies: [String]) -> String {
    let records = bodies.enumerated().map {
        #"{"messageId":"m\#($0 + 1)","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:eu-west-1:1:orders","body":"\#($1)"}"#
    }
    return #"{"Records":[\#(records.joined(separator: ","))]}"#
}

private let busEvent = #"{"id":"b1","source":"shop","detail-type":"Placed","detail":{"n":7}}"#

/// Ten messages, of which 2, 5 and 10 are poisoned.
private let batch = queueEvent((1...10).map(String.init))

private func poisoned(_ seen: Collected<String>) -> Events {
    var events = Events()
    events.queue(of: String.self) { message in
        if ["2", "5", "10"].contains(message.body) { throw Boom() }
        seen.add(message.body)
    }
    return events
}

/// Events that are no HTTP requests, through the whole of it: event in, reply out.
@Suite struct EventFlowTests {
    private static let modes = ["buffered", "response_stream"]

    @Test("a batch: the reply names the failed messages, and is never streamed", arguments: modes)
    func batch(_ mode: String) async throws {
        let seen = Collected<String>()
        let events = poisoned(seen)
        let served = await serve(LambdaApp { events }, [.init(AdapterTests.batch)], mode: mode)
        let post = try #require(served.posts.first)
        #expect(served.posts.count == 1 && post.target.hasSuffix("/req-1/response"))
        #expect(post["transfer-encoding"] == nil && post["lambda-runtime-function-response-mode"] == nil)
        #expect(
            String(decoding: post.body, as: UTF8.self)
                == #"{"batchItemFailures":[{"itemIdentifier":"m2"},{"itemIdentifier":"m5"},{"itemIdentifier":"m10"}]}"#)
        #expect(seen.values == ["1", "3", "4", "6", "7", "8", "9"])
        #expect(served.failures.map { $0.tags["record_id"] } == ["m2", "m5", "m10"])
        #expect(served.failures.allSatisfy { $0.outcome == .eventError && $0.level == .error && $0.status == nil })
        // One flush, after the last of them.
        #expect(served.steps.prefix(4) == ["capture", "capture", "capture", "flush"])
    }

    @Test("a batch without a failure, and an app of routes and events in either order", arguments: [true, false])
    func fine(_ isRoutesFirst: Bool) async throws {
        var (routes, events) = (Router(), Events())
        routes.get("/my/path") { _ in "page" }
        events.queue(of: String.self) { _ in }
        let app =
            isRoutesFirst
            ? LambdaApp {
                routes; events
            }
            : LambdaApp {
                RequestID(); events; routes; CaptureErrors(); FlushReports()
            }
        let served = await serve(app, [.init(queueEvent(["1"])), .init(eventJSON())])
        try #require(served.posts.count == 2)
        #expect(served.posts[0].body == Array(#"{"batchItemFailures":[]}"#.utf8))
        #expect(JSONView(served.posts[1].body)?["body"]?.text == "page")
        #expect(served.failures.isEmpty)
    }

    @Test("what an event's handler throws fails the invocation, with the error's type", arguments: modes)
    func thrown(_ mode: String) async throws {
        var events = Events()
        events.bus(of: [String: Int].self) { event in
            if event.body["n"] == 7 { throw Boom() }
        }
        let served = await serve(LambdaApp { events }, [.init(busEvent)], mode: mode)
        let post = try #require(served.posts.first)
        #expect(served.posts.count == 1 && post.target.hasSuffix("/req-1/error"))
        #expect(post["lambda-runtime-function-error-type"] == "Function.Boom")
        #expect(JSONView(post.body)?["errorType"]?.text == "Boom")
        let failure = try #require(served.failures.first)
        #expect(served.failures.count == 1 && failure.outcome == .eventError && failure.tags["record_id"] == "b1")
        #expect(failure.message == "event b1 of bus shop failed")
    }

    @Test("a batch with a message that has no id fails as a whole, before anything is handled")
    func unnamed() async throws {
        let seen = Collected<String>()
        let events = poisoned(seen)
        let json = queueEvent(["1", "3"]).replacing(#""messageId":"m2","#, with: "")
        let served = await serve(LambdaApp { events }, [.init(json)])
        #expect(served.posts.map { $0["lambda-runtime-function-error-type"] } == ["Function.UnnamedRecord"])
        #expect(seen.values.isEmpty && served.failures.count == 1)
    }

    @Test("a direct invocation's result is the reply; one that is too large is an error")
    func direct() async throws {
        struct Reindex: Decodable { let n: Int }
        struct Done: Encodable { let text: String }
        var events = Events()
        events.any(of: Reindex.self) { Done(text: String(repeating: "x", count: $0.body.n)) }
        let served = await serve(
            LambdaApp { events },
            [.init(#"{"n":3}"#, id: "a"), .init(#"{"n":7000000}"#, id: "b"), .init(#"{"m":1}"#, id: "c")],
            mode: "response_stream")
        try #require(served.posts.count == 3)
        #expect(served.posts[0].body == Array(#"{"text":"xxx"}"#.utf8) && served.posts[0].target.hasSuffix("/a/response"))
        #expect(served.posts[1].target.hasSuffix("/b/error") && served.posts[1].body.count < 1000)
        #expect(served.posts[1]["lambda-runtime-function-error-type"] == "Function.ReplyTooLarge")
        #expect(served.posts[2]["lambda-runtime-function-error-type"] == "Function.DecodingError")
        #expect(served.failures.map(\.outcome) == [.replyUnusable, .eventError])
    }

    @Test("the Runtime API does not take a result: one record more, and the next event is served")
    func refused() async throws {
        var events = Events()
        events.any(of: String.self) { _ in }
        let served = await serve(LambdaApp { events }, [.init("1", id: "a"), .init("2", id: "b")]) {
            $0 == 0 ? .status(413) : .status(202)
        }
        #expect(served.posts.count == 2)
        #expect(served.failures.map(\.outcome) == [.replyRefused])
    }

    @Test("an event without a handler fails as before, and its record says how to register one")
    func noHandler() async throws {
        var events = Events()
        events.schedule { _ in }
        let served = await serve(LambdaApp { events }, [.init(queueEvent(["1"]))])
        #expect(served.posts.map { $0.target.hasSuffix("/error") } == [true])
        #expect(served.posts.first?["lambda-runtime-function-error-type"] == "Runtime.EventError")
        #expect(served.failures.map(\.outcome) == [.badEvent])
        let error = served.failures.first?.error.map { "\($0)" } ?? ""
        #expect(error.contains("an SQS event") && error.hasSuffix("register a handler for it: events.queue(of:)"))
    }

    @Test("a malformed request is the client's, whatever handlers there are: nobody from outside reaches them")
    func malformed() async throws {
        let seen = Collected<String>()
        var events = Events()
        events.any(of: String.self) { seen.add($0.body) }
        let served = await serve(
            LambdaApp { events }, [.init(eventJSON(headers: ["a b": "c"]))],
            environment: ["AWS_LWA_PASS_THROUGH_PATH": "/events"])
        #expect(JSONView(served.posts.first?.body ?? [])?["statusCode"]?.number == 400)
        #expect(seen.values.isEmpty)
    }

    // MARK: Passing through

    @Test(
        "an event without a handler is a POST to the path of the settings, unchanged; its answer's body is the result",
        arguments: ["/q", "q"], modes)
    func passThrough(_ path: String, mode: String) async throws {
        let seen = Collected<Request>()
        var routes = Router()
        routes.post("/q") { request in
            seen.add(request)
            return Response(headers: [.contentType: "application/json"], body: #" {"batchItemFailures":[]}"#)
        }
        let json = " " + queueEvent(["1"]) + " "
        let served = await serve(
            LambdaApp { routes }, [.init(json)], mode: mode, environment: ["AWS_LWA_PASS_THROUGH_PATH": path])
        let request = try #require(seen.values.first)
        #expect(
            request.method == .post && request.rawPath == "/q" && request.lambda?.frontEnd == nil
                && request.headers[.contentType] == "application/json")
        #expect(request.body.bytes == Array(json.utf8) && request.id == "req-1" && request.lambda?.event.text == json)
        let post = try #require(served.posts.first)
        #expect(post.target.hasSuffix("/response") && post.body == Array(#" {"batchItemFailures":[]}"#.utf8))
        #expect(post["transfer-encoding"] == nil && served.failures.isEmpty)
    }

    @Test("an event that has a handler does not pass through")
    func handledFirst() async throws {
        let seen = Collected<String>()
        var (routes, events) = (Router(), Events())
        routes.post("/q") { _ in "route" }
        events.queue(of: String.self) { seen.add($0.body) }
        let served = await serve(
            LambdaApp {
                routes; events
            }, [.init(queueEvent(["1"]))], environment: ["AWS_LWA_PASS_THROUGH_PATH": "/q"])
        #expect(seen.values == ["1"] && served.posts.first?.body == Array(#"{"batchItemFailures":[]}"#.utf8))
    }

    enum Answer: String, CaseIterable, Sendable { case text, empty, thrown, refused, missing, returned, large, stream }

    @Test("what passes through: no JSON is null; an error fails the invocation with one record", arguments: Answer.allCases)
    func answers(_ answer: Answer) async throws {
        var routes = Router()
        if answer != .missing {
            routes.post("/q") { _ -> Response in
                switch answer {
                case .text: return .text("no JSON")
                case .thrown: throw Boom()
                case .refused: throw HTTPError(.conflict, "taken")
                case .returned: return Response(status: .serviceUnavailable)
                case .large: return Response(body: .bytes([UInt8](repeating: 0x31, count: 7_000_000)))
                case .stream:
                    return .stream(contentType: "application/json") { writer in
                        try await writer.write("[1,")
                        try await writer.write("2]")
                    }
                case .empty, .missing: return Response(status: .noContent)
                }
            }
        }
        let served = await serve(
            LambdaApp { routes }, [.init(queueEvent(["1"]))], mode: "response_stream",
            environment: ["AWS_LWA_PASS_THROUGH_PATH": "/q"])
        let post = try #require(served.posts.first)
        #expect(served.posts.count == 1)
        let types = [
            Answer.thrown: "Function.Boom", .refused: "Function.HTTPError", .missing: "Function.HTTPError",
            .returned: "Function.ErrorStatus", .large: "Function.ReplyTooLarge",
        ]
        #expect(post["lambda-runtime-function-error-type"] == types[answer])
        #expect(post.target.hasSuffix(types[answer] == nil ? "/response" : "/error"))
        #expect(served.failures.count == (types[answer] == nil ? 0 : 1))
        switch answer {
        case .text, .empty: #expect(post.body == Array("null".utf8))
        case .stream: #expect(post.body == Array("[1,2]".utf8))
        case .refused, .missing: #expect(served.failures.map(\.outcome) == [.errorStatus])
        default: break
        }
    }

    // MARK: Time-outs

    enum Late: CaseIterable, Sendable { case handler, route }

    @Test("a handler that does not end in time: the invocation fails, and one record tells of it", arguments: Late.allCases)
    func timeout(_ late: Late) async throws {
        let gate = Gate()
        var (routes, events) = (Router(), Events())
        events.queue(of: String.self) { _ in await gate.wait() }
        routes.post("/q") { _ in
            await gate.wait()
            return "late"
        }
        let (sent, onlyRoutes) = (events, routes)
        var event = MockRuntimeAPI.Event(queueEvent(["1", "2"]))
        event.timeout = 1000
        let served = await serve(
            late == .handler
                ? LambdaApp {
                    onlyRoutes; sent
                } : LambdaApp { onlyRoutes }, [event], mode: "response_stream",
            // A guard with one worker would end the process.
            environment: ["AWS_LAMBDA_MAX_CONCURRENCY": "2", "AWS_LWA_PASS_THROUGH_PATH": "/q"]
        ) { _ in
            gate.open()
            return .status(202)
        }
        let post = try #require(served.posts.first)
        #expect(served.posts.count == 1 && post.target.hasSuffix("/req-1/error"))
        #expect(post["lambda-runtime-function-error-type"] == "Runtime.HandlerTimeout")
        #expect(served.failures.map(\.outcome) == [.timeout])
        #expect(served.failures.first?.status == nil)
    }

    private struct Keeping: ErrorReporter {
        let all: Collected<Failure>
        func capture(_ failure: Failure) { all.add(failure) }
        func flush(within limit: Duration) async {}
    }

    @Test("a handler that heeds the guard's cancellation: what is left of the batch is named, and one record tells of it")
    func heeded() async throws {
        let (seen, failures, states) = (Collected<String>(), Collected<Failure>(), Collected<InvocationScope.State>())
        let gate = Gate()
        var events = Events()
        events.queue(of: String.self) { message in
            if message.body == "2" {
                gate.open()
                try await Task.sleep(for: .seconds(600))
            }
            seen.add(message.body)
        }
        let sent = events
        let app = LambdaApp { sent }
        let watcher = AppWatcher(
            logger: Logger(label: "x", factory: { _ in SwiftLogNoOpLogHandler() }), reporters: [Keeping(all: failures)],
            began: { states.add($0) })
        let task = Task { try await app.respond(to: LambdaEvent(queueEvent(["1", "2", "3"])), watchedBy: watcher) }
        await gate.wait()
        // As the guard does.
        states.values.first?.isTimedOut = true
        task.cancel()
        #expect(try await task.value.text == #"{"batchItemFailures":[{"itemIdentifier":"m2"},{"itemIdentifier":"m3"}]}"#)
        #expect(seen.values == ["1"])
        #expect(failures.values.map(\.outcome) == [.timeout] && failures.values.first?.tags["record_id"] == "m2")
    }

    @Test("work that a record's handler leaves runs when the reply is gone")
    func afterReply() async throws {
        let order = Collected<String>()
        var events = Events()
        events.queue(of: String.self) { message in
            InvocationScope.current?.afterReply { order.add("later \(message.body)") }
            order.add(message.body)
        }
        let sent = events
        _ = await serve(LambdaApp { sent }, [.init(queueEvent(["1", "2"]))]) { _ in
            order.add("reply")
            return .status(202)
        }
        #expect(order.values == ["1", "2", "reply", "later 1", "later 2"])
    }

    // MARK: In a test's own process

    @Test("respond(to:) gives the result, or throws what fails the invocation")
    func inProcess() async throws {
        let seen = Collected<String>()
        var events = poisoned(seen)
        events.bus(of: String.self) { _ in throw Boom() }
        let app = LambdaApp { events }
        let reply = try await app.respond(to: LambdaEvent(queueEvent(["1", "2"])))
        #expect(reply.text == #"{"batchItemFailures":[{"itemIdentifier":"m2"}]}"#)
        await #expect(throws: Boom.self) { try await app.respond(to: LambdaEvent(busEvent)) }
        for event in ["{", #"{"x":1}"#, eventJSON()] {
            await #expect(throws: EventError.self) { try await app.respond(to: LambdaEvent(event)) }
        }
    }

    @Test("two lines of events, and two handlers for one kind, do not start")
    func duplicates() async throws {
        var events = Events()
        events.schedule { _ in }
        let once = events
        #expect(throws: EventsError.self) {
            try LambdaApp {
                once; once
            }.validate()
        }
        events.schedule { _ in }
        let twice = events
        #expect(throws: EventsError.self) { try LambdaApp { twice }.validate() }
        try LambdaApp { once }.validate()
        await #expect(throws: EventsError.self) { try await LambdaApp { twice }.respond(to: LambdaEvent("{}")) }
    }
}

extension GlobalReports {
    /// Reports of events' failures: who gets them, and what is in them.
    @Suite struct EventReportTests {
        private func app(_ events: Events) -> LambdaApp {
            var options = ReportOptions()
            options.proxy = ""
            return LambdaApp {
                events
                CaptureErrors(options)
                FlushReports(within: .seconds(20))
            }
        }

        @Test(
            "three failed messages of ten are three reports, each with its message's id, and the server has them before the reply"
        )
        func reports() async throws {
            let (ingest, counts) = (MockIngest(), Collected<Int>())
            let events = poisoned(Collected())
            _ = await serve(app(events), [.init(AdapterTests.batch)], to: ingest) { _ in
                counts.add((try? ingest.failures().count) ?? -1)
                return .status(202)
            }
            ingest.stop()
            #expect(counts.values == [3])
            let reports = try ingest.failures()
            #expect(Set(reports.map { $0["tags"]?["record_id"]?.text }) == ["m2", "m5", "m10"])
            #expect(reports.allSatisfy { $0["tags"]?["outcome"]?.text == "event_error" })
            #expect(reports.allSatisfy { $0["tags"]?["event_source"]?.text == "aws:sqs" })
            #expect(reports.allSatisfy { $0["transaction"]?.text == "queue orders" })
            #expect(reports.allSatisfy { $0["contexts"]?["aws.lambda"]?["aws_request_id"]?.text == "req-1" })
            #expect(reports.allSatisfy { $0["exception"]?["values"]?[0]?["type"]?.text == "Boom" })
        }

        /// One value, thrown again and again: equal, and the same box.
        private static let same: any Error = Boom()

        @Test("what a record sets stays its own: tags, user, breadcrumbs; and the same error twice is two reports")
        func apart() async throws {
            let ingest = MockIngest()
            var events = Events()
            events.queue(of: String.self) { message in
                Reports.addBreadcrumb("crumb \(message.body)")
                Reports.setTag("tag-\(message.body)", "x")
                if message.body == "1" { Reports.setUser(ReportUser(id: "u1")) }
                if message.body == "3" {
                    await withTaskGroup { group in
                        group.addTask { Reports.setTag("child", "x") }
                    }
                }
                if message.body != "2" { throw Self.same }
            }
            events.bus(of: String.self) { _ in
                Reports.setTag("bus", "x")
                throw Self.same
            }
            let sent = events
            _ = await serve(app(sent), [.init(queueEvent(["1", "2", "3"])), .init(busEvent, id: "req-2")], to: ingest)
            ingest.stop()
            let reports = try ingest.failures()
            try #require(reports.count == 3)
            func crumbs(_ report: JSONView) -> [String] {
                report["breadcrumbs"]?["values"]?.elements?.compactMap { $0["message"]?.text }.filter { $0.hasPrefix("crumb") }
                    ?? []
            }
            func report(_ id: String) throws -> JSONView {
                try #require(reports.first { $0["tags"]?["record_id"]?.text == id })
            }
            let (first, third, bus) = (try report("m1"), try report("m3"), try report("b1"))
            #expect(crumbs(first) == ["crumb 1"] && crumbs(third) == ["crumb 3"] && crumbs(bus).isEmpty)
            let keys: Set<String> = ["event_source", "outcome", "record_id"]
            #expect(first["tags"]?.keys.subtracting(keys) == ["tag-1"])
            #expect(third["tags"]?.keys.subtracting(keys) == ["tag-3"])
            #expect(bus["tags"]?.keys.subtracting(keys) == ["bus"])
            #expect(first["user"]?["id"]?.text == "u1" && third["user"]?["id"] == nil)
            // One trace for the whole batch.
            #expect(first["contexts"]?["trace"]?["trace_id"]?.text == third["contexts"]?["trace"]?["trace_id"]?.text)
            #expect(first["contexts"]?["trace"]?["trace_id"]?.text != bus["contexts"]?["trace"]?["trace_id"]?.text)
        }

        @Test(
            "OTLP: a failure's tags are attributes, and the trigger is what the conventions call it",
            arguments: [(queueEvent(["2"]), "pubsub", "m1"), (busEvent, "other", "b1"), (eventJSON(), "http", nil)])
        func otlp(_ event: String, trigger: String, id: String?) async throws {
            let ingest = MockIngest()
            var (routes, events) = (Router(), poisoned(Collected()))
            events.bus(of: String.self) { _ in throw Boom() }
            routes.get("/{path*}") { _ -> String in throw Boom() }
            let (sent, other) = (events, routes)
            let environment = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:\(ingest.port)", "SENTRY_DSN": ""]
            _ = await serve(
                LambdaApp {
                    other; sent
                }, [.init(event)], to: ingest, environment: environment)
            ingest.stop()
            let record = JSONView(ingest.requests.first?.message.body ?? [])?["resourceLogs"]?[0]?["scopeLogs"]?[0]?[
                "logRecords"]?[0]
            func attribute(_ name: String) -> String? {
                record?["attributes"]?.elements?.first { $0["key"]?.text == name }?["value"]?["stringValue"]?.text
            }
            #expect(attribute("faas.trigger") == trigger)
            #expect(attribute("record_id") == id)
            #expect(attribute("outcome") == (id == nil ? "handler_error" : "event_error"))
            #expect(attribute("http.route") == (id == nil ? "/{path*}" : nil))
        }

        @Test("the record of a failed message has its id")
        func records() {
            let lines = LogLines()
            let logger = Logger(label: "sluice") {
                LambdaLogHandler(label: $0, json: true, level: .info, feedsReports: false, sink: lines.sink, now: { .now })
            }
            var failure = Failure(.eventError, "m1 failed", error: Boom())
            failure.tags = ["record_id": "m1", "event_source": "aws:sqs"]
            failure.write(to: logger)
            let metadata = JSONView(Array(lines.text.utf8))?["metadata"]
            #expect(metadata?["record_id"]?.text == "m1" && metadata?["outcome"]?.text == "event_error")
        }
    }
}
