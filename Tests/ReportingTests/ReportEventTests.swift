import SluiceTestSupport
import Synchronization
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

private final class Ring: CausedError, Sendable {
    let next = Mutex<(any Error)?>(nil)
    var cause: (any Error)? { next.withLock { $0 } }
}

@Suite struct ReportEventTests {
    // MARK: What an event says

    @Test("case 37: an error is an event of level error with its type, module, text and mechanism")
    func error() async throws {
        let test = TestClient()
        let event = try await test.delivered(test.event(of: Plain()))
        #expect(event["level"]?.text == "error")
        #expect(event["exception"]?["values"]?.count == 1)
        let exception = event["exception"]?["values"]?[0]
        #expect(exception?["type"]?.text == "Plain")
        #expect(exception?["module"]?.text == "ReportingTests")
        #expect(exception?["value"]?.text == "it did not work")
        #expect(exception?["mechanism"]?["type"]?.text == "auto.http.lambda")
        #expect(exception?["mechanism"]?["handled"]?.flag == false)
        // An empty list of frames is an error note at the server.
        #expect(exception?["stacktrace"] == nil)
    }

    @Test("case 38: a message has its level and no exception")
    func message() async throws {
        let test = TestClient()
        let event = try await test.delivered(test.message("hello"))
        #expect(event["level"]?.text == "info")
        #expect(event["logentry"]?["formatted"]?.text == "hello")
        #expect(event["exception"] == nil)
    }

    @Test(
        "case 39: the environment is production where none, or an empty one, is given",
        arguments: [
            (nil, nil, "production"), ("", nil, "production"), ("", "", "production"), (nil, "", "production"),
            ("staging", nil, "staging"), ("staging", "", "staging"), (nil, "qa", "qa"), ("staging", "qa", "qa"),
        ] as [(String?, String?, String)])
    func environment(_ variable: String?, _ option: String?, _ expected: String) async throws {
        let test = TestClient(variable.map { ["SENTRY_ENVIRONMENT": $0] } ?? [:]) { $0.environment = option }
        #expect(try await test.delivered(test.message("x"))["environment"]?.text == expected)
    }

    @Test("case 40: what the event has itself wins over the options, and those over the environment; empty text does not")
    func precedence() async throws {
        let test = TestClient(["SENTRY_RELEASE": "r-variable", "SENTRY_ENVIRONMENT": "e-variable", "SENTRY_NAME": "n-variable"])
        {
            $0.release = "r-option"
            $0.environment = "e-option"
            $0.dist = "d-option"
        }
        var event = test.message("x")
        (event.release, event.environment, event.dist, event.serverName) = ("r-event", "e-event", "d-event", "n-event")
        let own = try await test.delivered(event)
        #expect(
            ["release", "environment", "dist", "server_name"].map { own[$0]?.text } == [
                "r-event", "e-event", "d-event", "n-event",
            ])
        var empty = test.message("y")
        (empty.release, empty.environment, empty.dist) = ("", "", "")
        let options = try await test.delivered(empty)
        #expect(
            ["release", "environment", "dist", "server_name"].map { options[$0]?.text }
                == ["r-option", "e-option", "d-option", "n-variable"])
        let settings = SentrySettings(
            ReportOptions { $0.release = "" }, ["SENTRY_RELEASE": "r-variable", "SENTRY_ENVIRONMENT": "e-variable"])
        #expect(settings.release == "r-variable")
        #expect(settings.environment == "e-variable")
    }

    @Test("case 40: a request's scope wins over the process's, level included, and each value is there once")
    func scopes() async throws {
        let test = TestClient()
        test.process.change { scope in
            scope.tags = ["a": "process", "b": "process"]
            scope.level = .fatal
            scope.fingerprint = ["process"]
            scope.transaction = "process"
            scope.contexts["shop"] = ["process": true]
        }
        test.process.add(Breadcrumb("of the process"), limit: 10)
        let alone = try await test.delivered(test.message("x"))
        #expect(alone["level"]?.text == "fatal")
        #expect(alone["fingerprint"]?.texts == ["process"])
        test.box.change { scope in
            scope.tags["a"] = "request"
            scope.level = .warning
            scope.fingerprint = ["request"]
            scope.transaction = "request"
            scope.contexts["shop"] = ["request": true]
        }
        var event = test.message("y")
        event.tags["c"] = "event"
        let both = try await test.delivered(event)
        #expect(both["tags"]?.dictionary == ["a": "request", "b": "process", "c": "event"])
        #expect(both["level"]?.text == "warning")
        #expect(both["transaction"]?.text == "request")
        #expect(both["fingerprint"]?.texts == ["process", "request"])
        // A context is replaced whole.
        #expect(both["contexts"]?["shop"]?.keys == ["request"])
        // Outside of requests, and in a fork there, the scope is the process's own.
        for box in [test.process, test.process.copy()] {
            let id = test.client.capture(test.message("z"), box.scope, box)
            let own = try #require(try await test.deliveredEvents().first { $0["event_id"]?.text == id })
            #expect(own["fingerprint"]?.texts == ["process"])
            #expect(own["breadcrumbs"]?["values"]?.count == 1)
            #expect(own["level"]?.text == "fatal")
        }
    }

    @Test("case 41: every event has a trace context, the same trace in one request, another one in the next")
    func trace() async throws {
        let test = TestClient()
        test.capture(test.message("x"))
        test.capture(test.event(of: Plain()))
        let other = ReportingScope()
        test.client.capture(test.message("y"), other.scope, other)
        let traces = try await test.deliveredEvents().map { try #require($0["contexts"]?["trace"]) }
        #expect(traces.count == 3)
        for trace in traces {
            #expect(try #require(trace["trace_id"]?.text).wholeMatch(of: /[0-9a-f]{32}/) != nil)
            #expect(try #require(trace["span_id"]?.text).wholeMatch(of: /[0-9a-f]{16}/) != nil)
        }
        let ids = traces.map { $0["trace_id"]?.text }
        #expect(ids[0] == ids[1])
        #expect(ids[0] != ids[2])
    }

    @Test("case 42: an event's own moment is kept, to the millisecond")
    func timestamp() async throws {
        let test = TestClient()
        var event = test.message("x")
        event.timestamp = WallClock.Instant(millisecondsSinceEpoch: 1_767_323_045_123)
        #expect(try await test.delivered(event)["timestamp"]?.value as? Double == 1_767_323_045.123)
    }

    @Test("case 43: contexts that the app gave are not overwritten, and are its whole")
    func contexts() async throws {
        let test = TestClient()
        let own = try await test.delivered(test.message("x"))
        #expect(own["contexts"]?["runtime"]?["name"]?.text == "swift")
        var event = test.message("y")
        event.contexts["runtime"] = ["name": "theirs"]
        test.box.change { $0.contexts["os"] = ["name": "theirs too"] }
        let given = try await test.delivered(event)
        #expect(given["contexts"]?["runtime"]?.dictionary == ["name": "theirs"])
        #expect(given["contexts"]?["os"]?.dictionary == ["name": "theirs too"])
        #expect(given["contexts"]?["device"]?["arch"]?.text == own["contexts"]?["device"]?["arch"]?.text)
    }

    // MARK: Chains of errors

    @Test("case 44: causes come before what they caused, with ids from the thrown error on, each with its parent")
    func chain() async throws {
        let test = TestClient()
        let error = Wrapper(description: "outer", cause: Wrapper(description: "middle", cause: Plain(description: "inner")))
        let event = try await test.delivered(test.event(of: error))
        let values = try #require(event["exception"]?["values"]?.elements)
        #expect(values.map { $0["value"]?.text } == ["inner", "middle", "outer"])
        #expect(values.map { $0["type"]?.text } == ["Plain", "Wrapper", "Wrapper"])
        #expect(values.map { $0["mechanism"]?["exception_id"]?.number } == [2, 1, 0])
        #expect(values.map { $0["mechanism"]?["parent_id"]?.number } == [1, 0, nil])
        #expect(values.map { $0["mechanism"]?["type"]?.text } == ["chained", "chained", "auto.http.lambda"])
        #expect(values.map { $0["mechanism"]?["source"]?.text } == ["cause", "cause", nil])
        #expect(values.map { $0["mechanism"]?["handled"]?.flag } == [nil, nil, false])
    }

    @Test("case 44: what a decoder or encoder says was the cause is the cause")
    func codingErrors() {
        let inner = Plain()
        let decoding = DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "", underlyingError: inner))
        let encoding = EncodingError.invalidValue(1, .init(codingPath: [], debugDescription: "", underlyingError: inner))
        #expect(ErrorChain.of(decoding).count == 2)
        #expect(ErrorChain.of(encoding).last is Plain)
    }

    @Test("case 45: a chain that bites its tail, or never ends, is cut at six")
    func loop() async throws {
        let (first, second, alone) = (Ring(), Ring(), Ring())
        first.next.withLock { $0 = second }
        second.next.withLock { $0 = first }
        alone.next.withLock { $0 = alone }
        defer { for ring in [first, second, alone] { ring.next.withLock { $0 = nil } } }
        let test = TestClient()
        for error in [first, alone] {
            let event = try await test.delivered(test.event(of: error))
            #expect((1...6).contains(event["exception"]?["values"]?.count ?? 0))
        }
        let long = (0..<100).reduce(Plain() as any Error) { Wrapper(description: "\($1)", cause: $0) }
        let event = try await test.delivered(test.event(of: long))
        // The thrown one is never what is cut.
        #expect(event["exception"]?["values"]?.elements?.map { $0["value"]?.text } == ["94", "95", "96", "97", "98", "99"])
    }
}
