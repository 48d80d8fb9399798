import Foundation
import Logging
import SluiceTestSupport
import Testing

@testable import Sluice
@testable import SluiceCore
@testable import SluiceReporting

/// SQS messages with these bodies: `m1`, `m2`…
func queueEvent(_ bodies: [String]) -> String {
    let records = bodies.enumerated().map {
        #"{"messageId":"m\#($0 + 1)","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:eu-west-1:1:orders","body":"\#($1)"}"#
    }
    return #"{"Records":[\#(records.joined(separator: ","))]}"#
}

let busEvent = #"{"id":"b1","source":"shop","detail-type":"Placed","detail":{"n":7}}"#

/// Ten messages, of which 2, 5 and 10 are poisoned.
let batch = queueEvent((1...10).map(String.init))

func poisoned(_ seen: Collected<String>) -> Events {
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
