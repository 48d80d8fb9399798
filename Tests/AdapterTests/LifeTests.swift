import Foundation
import Logging
import SluiceTestSupport
import Synchronization
import Testing

@testable import Sluice
@testable import SluiceCore
@testable import SluiceStreaming

/// What an app does around its invocations.
@Suite struct LifeTests {
    // MARK: After the reply

    @Test(
        "work after the reply runs when the reply is gone, before the next invocation is asked for, in order",
        arguments: ["buffered", "response_stream"])
    func afterReply(mode: String) async throws {
        let api = Mutex<MockRuntimeAPI?>(nil)
        let seen = Collected<String>()
        let app = app { request in
            let id = request.id
            for number in 1...2 {
                request.afterReply {
                    let calls = api.withLock(\.self)?.messages ?? []
                    seen.add(
                        "\(id) \(number) \(calls.filter { $0.method == "POST" }.count) \(calls.filter { $0.method == "GET" }.count)"
                    )
                    #expect(InvocationScope.current?.requestID == id)
                    if number == 2, let scope = InvocationScope.current { scope.afterReply { seen.add("\(id) nested") } }
                }
            }
            return .stream(contentType: "text/plain") { try await $0.write("x") }
        }
        let mock = MockRuntimeAPI([.init(eventJSON(), id: "1"), .init(eventJSON(), id: "2")])
        api.withLock { $0 = mock }
        let reporter = RecordingReporter()
        _ = await Server.serve(
            ["AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(mock.port)", "AWS_LWA_INVOKE_MODE": mode], bootstrapsLogging: false,
            reporter: reporter
        ) { app }
        mock.stop()
        #expect(seen.values == ["1 1 1 1", "1 2 1 1", "1 nested", "2 1 2 2", "2 2 2 2", "2 nested"])
        #expect(reporter.records.values.filter { $0.outcome != .runtime }.isEmpty)
    }

    @Test("what work after the reply throws is recorded and flushed, and takes nothing from the rest")
    func afterReplyFails() async throws {
        let seen = Collected<String>()
        let served = await serve(
            app { request in
                request.afterReply { throw Boom() }
                request.afterReply { seen.add("second") }
                return .text("fine")
            }, [.init(eventJSON(), id: "1"), .init(eventJSON(), id: "2")])
        #expect(served.posts.map { JSONView($0.body)?["statusCode"]?.number } == [200, 200])
        #expect(served.failures.map(\.outcome) == [.afterReply, .afterReply])
        #expect(seen.values == ["second", "second"])
        // The last step of each invocation is a flush.
        let firstCapture = try #require(served.steps.firstIndex(of: "capture"))
        #expect(served.steps[firstCapture...].contains("flush"))
    }

    @Test("work after the reply is cancelled before the deadline, and the sandbox lives on")
    func afterReplyInTime() async throws {
        let app = app { request in
            if request.id == "1" { request.afterReply { try await Task.sleep(for: .seconds(60)) } }
            return .text("fine")
        }
        let api = MockRuntimeAPI([.init(eventJSON(), id: "1", timeout: 2000), .init(eventJSON(), id: "2")])
        let reporter = RecordingReporter()
        // Where all threads are busy the cancellation may come late: that is no end of the tests.
        _ = await Server.serve(
            ["AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(api.port)"], bootstrapsLogging: false, reporter: reporter, endProcess: {}
        ) { app }
        api.stop()
        #expect(api.posts.map { JSONView($0.body)?["statusCode"]?.number } == [200, 200])
        #expect(reporter.records.values.map(\.message).contains("work after the reply did not end in time"))
    }

    @Test("in a test's pipeline too; and what is left when all is over is not run", arguments: [true, false])
    func inPipeline(hasWork: Bool) async throws {
        let seen = Collected<String>()
        let kept = Mutex<InvocationScope?>(nil)
        let app = app { request in
            if hasWork { request.afterReply { seen.add("later") } }
            kept.withLock { $0 = InvocationScope.current }
            return .text("fine")
        }
        _ = await app.respond(to: Request(.get, "/"))
        #expect(seen.values == (hasWork ? ["later"] : []))
        let last = kept.withLock(\.self)
        let scope = try #require(last)
        scope.afterReply { seen.add("never") }
        #expect(scope.state.takeLater() == nil)
        #expect(!scope.state.addLater {})
        #expect(seen.values == (hasWork ? ["later"] : []))
    }

    @Test("what holds on until the deadline after the reply ends the process, with a record that says so")
    func afterReplyHolds() async throws {
        let api = MockRuntimeAPI([])
        let ended = Gate()
        let reporter = RecordingReporter()
        let guardian = try DeadlineGuard(
            workers: 1, responder: problemResponse(to:for:), reporter: reporter, exit: { ended.open() })
        try guardian.start()
        let loop = try EventLoop()
        try loop.start("test")
        let address = try #require(HostPort("127.0.0.1:\(api.port)"))
        let deadline = WallClock.Instant.now.advanced(by: .milliseconds(500))
        let schedule = try #require(GuardSchedule(arrival: .now, deadline: deadline))
        let scope = InvocationScope(requestID: "held", deadline: deadline)
        let reply = Reply(to: "held", try Settings([:]), RuntimeClient(loop, address: address))
        // Given, and over.
        #expect(reply.token.take(.whole))
        scope.state.isAfterReply = true
        guardian.arm(guardian.slot(0), GuardedInvocation(scope: scope, schedule: schedule, reply: reply), at: .now)
        await ended.wait()
        await guardian.slot(0).disarm()
        #expect(reporter.records.values.map(\.outcome) == [.timeout])
        let message = try #require(reporter.records.values.first?.message)
        #expect(message.contains("was answered, and its work after the reply still holds its worker at the deadline"))
        #expect(api.posts.isEmpty)
        guardian.stop()
        loop.stop()
        api.stop()
    }

    // MARK: Thaws

    /// Clocks that a test sets.
    private final class Clock: Sendable {
        let wall = Mutex(WallClock.Instant(millisecondsSinceEpoch: 1_000_000_000_000))
        let monotonic = Mutex(ContinuousClock.now)

        func pass(wall: Duration, monotonic: Duration) {
            self.wall.withLock { $0 = $0.advanced(by: wall) }
            self.monotonic.withLock { $0 = $0.advanced(by: monotonic) }
        }

        var clocks: Life.Clocks {
            Life.Clocks(wall: { self.wall.withLock(\.self) }, monotonic: { self.monotonic.withLock(\.self) })
        }
    }

    @Test(
        "a thaw reaches its hook once, by whichever clock shows it; a short wait does not",
        arguments: [
            (Duration.seconds(300), Duration.seconds(300), Duration.seconds(300)),
            // A snapshot: the monotonic clock stood still. A clock that was set back: the wall clock tells nothing.
            (.seconds(300), .zero, .seconds(300)), (.seconds(-3600), .seconds(300), .seconds(300)),
        ])
    func thaw(wall: Duration, monotonic: Duration, expected: Duration) async throws {
        let clock = Clock()
        let seen = Collected<String>()
        let app = app { request in
            seen.add("handled \(request.id)")
            return .text("fine")
        }
        app.life.clocks = clock.clocks
        app.onThaw { gap in seen.add("thawed after \(gap) in \(InvocationScope.current?.requestID ?? "-")") }
        app.onThaw(after: .seconds(301)) { _ in seen.add("never") }
        let events = (1...3).map { MockRuntimeAPI.Event(eventJSON(), id: "\($0)") }
        let waiting = MockRuntimeAPI(
            events,
            beforeNext: { number in
                if number == 1 { clock.pass(wall: wall, monotonic: monotonic) }
                if number == 2 { clock.pass(wall: .milliseconds(10), monotonic: .milliseconds(10)) }
            })
        _ = await Server.serve(
            ["AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(waiting.port)"], bootstrapsLogging: false, reporter: RecordingReporter()
        ) { app }
        waiting.stop()
        #expect(seen.values == ["handled 1", "thawed after \(expected) in 2", "handled 2", "handled 3"])
    }

    @Test("a managed instance is not frozen, and calls no hook, with one worker neither")
    func managed() async throws {
        let clock = Clock()
        let seen = Collected<String>()
        let app = app { _ in .text("fine") }
        app.life.clocks = clock.clocks
        app.onThaw { _ in seen.add("thawed") }
        let mock = MockRuntimeAPI(
            [.init(eventJSON(), id: "1")], beforeNext: { _ in clock.pass(wall: .seconds(60), monotonic: .seconds(60)) })
        _ = await Server.serve(
            [
                "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(mock.port)", "AWS_LAMBDA_MAX_CONCURRENCY": "1",
                "AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances",
            ], bootstrapsLogging: false, reporter: RecordingReporter()
        ) { app }
        mock.stop()
        #expect(mock.posts.count == 1)
        #expect(seen.values.isEmpty)
    }

    @Test("a hook that throws is recorded, and its invocation is answered")
    func thawFails() async throws {
        let clock = Clock()
        let app = app { _ in .text("fine") }
        app.life.clocks = clock.clocks
        app.onThaw { _ in throw Boom() }
        let reporter = RecordingReporter()
        let mock = MockRuntimeAPI(
            [.init(eventJSON(), id: "1")], beforeNext: { _ in clock.pass(wall: .seconds(60), monotonic: .zero) })
        _ = await Server.serve(
            ["AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(mock.port)"], bootstrapsLogging: false, reporter: reporter
        ) { app }
        mock.stop()
        #expect(mock.posts.map { JSONView($0.body)?["statusCode"]?.number } == [200])
        #expect(reporter.records.values.filter { $0.outcome != .runtime }.map(\.outcome) == [.thaw])
    }

    @Test("a hook that outlives its time: a queue's batch fails as a whole, and a load balancer gets its own form")
    func thawHangs() async throws {
        for file in ["sqs", "alb-multi"] {
            let (clock, ended) = (Clock(), Gate())
            var events = Events()
            events.queue(of: String.self) { _ in }
            var routes = Router()
            routes.get("/{path*}") { _ in "fine" }
            let app = LambdaApp {
                routes
                events
            }
            app.life.clocks = clock.clocks
            app.onThaw { _ in await ended.wait() }
            let text = try Fixture.text(file)
            let mock = MockRuntimeAPI(
                [.init(text, id: "1", timeout: 1000)],
                verdict: { _ in
                    ended.open()
                    return .status(202)
                }, beforeNext: { _ in clock.pass(wall: .seconds(60), monotonic: .zero) })
            _ = await Server.serve(
                ["AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(mock.port)", "AWS_LWA_INVOKE_MODE": "response_stream"],
                bootstrapsLogging: false, reporter: RecordingReporter(), endProcess: {}
            ) { app }
            mock.stop()
            let post = try #require(mock.posts.first)
            if file == "sqs" {
                #expect(post.target.hasSuffix("/1/error"))
            } else {
                let json = try #require(JSONView(post.body))
                #expect(json["statusDescription"]?.text == "504 Gateway Timeout")
                #expect(json["body"]?.text?.contains("\"requestId\":\"1\"") == true)
            }
        }
    }

    // MARK: Services

    /// Services of a test, which note what becomes of them.
    private final class NotedServices: AppServices {
        let seen: Collected<String>
        let ended = Mutex<(@Sendable (any Error) -> Void)?>(nil)
        init(_ seen: Collected<String>) { self.seen = seen }
        func start(_ ended: @escaping @Sendable (any Error) -> Void) {
            seen.add("started")
            self.ended.withLock { $0 = ended }
        }
        func stop() async { seen.add("stopped") }
    }

    @Test(
        "case 102: services begin before the first `next`, and end after the last invocation; the process is an extension meanwhile"
    )
    func services() async throws {
        let seen = Collected<String>()
        let app = app { _ in
            seen.add("handled")
            return .text("fine")
        }
        app.life.services = NotedServices(seen)
        let mock = MockRuntimeAPI([.init(eventJSON(), id: "1")], beforeNext: { seen.add("next \($0)") })
        _ = await Server.serve(
            ["AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(mock.port)"], bootstrapsLogging: false, reporter: RecordingReporter()
        ) { app }
        mock.stop()
        #expect(seen.values == ["started", "next 0", "handled", "next 1", "stopped"])
        let calls = mock.extensionCalls
        #expect(calls.map(\.method) == ["POST", "GET"])
        #expect(calls.first?["lambda-extension-name"] == "sluice")
        #expect(calls.first.map { String(decoding: $0.body, as: UTF8.self) } == #"{"events":[]}"#)
        #expect(calls.last?.target == "/2020-01-01/extension/event/next")
        #expect(calls.last?["lambda-extension-identifier"] == "mock")
    }

    @Test("an app without services and reporters asks nothing of the Extensions API; nor does any under managed instances")
    func noExtension() async throws {
        let served = await serve(app { _ in .text("fine") }, [.init(eventJSON(), id: "1")])
        #expect(served.api.extensionCalls.isEmpty)
        let app = app { _ in .text("fine") }
        app.life.services = NotedServices(Collected())
        let managed = await serve(
            app, [.init(eventJSON(), id: "1")], environment: ["AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances"])
        #expect(managed.api.extensionCalls.isEmpty)
        #expect(managed.posts.count == 1)
    }

    @Test("a service that ends on its own is recorded, and ends the process with what is in hand answered")
    func serviceEnds() async throws {
        let services = NotedServices(Collected())
        let app = app { _ in
            services.ended.withLock(\.self)?(Boom())
            return .text("fine")
        }
        app.life.services = services
        let served = await serve(app, [.init(eventJSON(), id: "1"), .init(eventJSON(), id: "2")])
        #expect(served.posts.count == 1)
        #expect(served.end == .failed)
        #expect(served.records.map(\.outcome) == [.service])
        #expect(served.records.first?.level == .critical)
    }
}
