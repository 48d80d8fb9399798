import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceLocal
@testable import SluiceStreaming

/// A shell for the app, and the broker that ends it.
private final class ShutdownHarness: Sendable {
    let loop: EventLoop
    let sandbox: Sandbox
    let broker: Broker
    private let console: WireLines
    private let folder = TemporaryFolder()

    /// - Parameter trap: What the shell does on SIGTERM.
    init(trap: String, _ environment: [String: String] = [:]) async throws {
        loop = try EventLoop()
        try loop.start("shutdown-test")
        console = try WireLines()
        let ready = "\(folder.path)/ready"
        let script = "trap '\(trap)' TERM; : > '\(ready)'; while :; do sleep 0.01; done"
        sandbox = Sandbox(loop, program: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"])
        broker = Broker(
            loop, try LocalSettings(environment), sandbox, Console(output: console.descriptor, problems: -1))
        try await onLoop { [broker] in broker.startIfNeeded() }
        while !FileManager.default.fileExists(atPath: ready) { await Task.yield() }
    }

    func onLoop<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await Task(executorPreference: loop) { try await body() }.value
    }

    func register() async throws {
        try await onLoop { [broker] in _ = broker.extensions.register("watcher", wantsInvocations: false) }
    }

    /// Ends the process for good.
    func shutDown() async throws {
        try await onLoop { [broker] in await broker.shutDown() }
    }

    /// Ends what a failing test would leave.
    func end() async throws {
        try await onLoop { [sandbox] in
            sandbox.onEnd = { _ in }; sandbox.kill()
        }
    }

    func line() -> String? { console.next() }
    func mark() { Console(output: console.descriptor, problems: -1).line("mark") }
    var file: String { "\(folder.path)/file" }
}

@Suite(.serialized) struct ShutdownTests {
    @Test("without an extension the process ends at once, and nobody warns it")
    func unwarned() async throws {
        let harness = try await ShutdownHarness(trap: "exit 7")
        try await harness.shutDown()
        harness.mark()
        #expect(harness.line() == "mark")
        #expect(try await !harness.onLoop { harness.sandbox.isRunning })
    }

    @Test("with an extension it gets SIGTERM, frozen or not", arguments: [false, true])
    func warned(isFrozen: Bool) async throws {
        let harness = try await ShutdownHarness(trap: "exit 7")
        try await harness.register()
        if isFrozen { try await harness.onLoop { harness.sandbox.freeze() } }
        try await harness.shutDown()
        #expect(harness.line()?.hasPrefix("shutdown: the app got SIGTERM and exited with status 7 after ") == true)
        #expect(try await !harness.onLoop { harness.sandbox.isRunning || harness.sandbox.isFrozen })
    }

    @Test("who does not heed it is killed")
    func stubborn() async throws {
        let harness = try await ShutdownHarness(trap: ":")
        try await harness.register()
        try await harness.shutDown()
        #expect(harness.line() == "shutdown: the app got SIGTERM, did not end within 500 ms, and was killed")
    }

    @Test("who has subscribed to telemetry is told nothing after the process's end", arguments: [true, false])
    func unsubscribed(isForGood: Bool) async throws {
        let harness = try await ShutdownHarness(trap: "exit 7")
        let before = try await harness.onLoop { [broker = harness.broker, loop = harness.loop] in
            let pusher = TelemetryPusher(
                loop, to: .init(host: "sandbox", port: 9, path: "/"), console: Console(output: -1, problems: -1),
                limits: .init(items: 1000, bytes: 262_144, time: .seconds(60)))
            broker.telemetry.subscribe("watcher", pusher, name: "watcher", types: ["platform"])
            return broker.telemetry.hasSubscribers
        }
        if isForGood {
            try await harness.shutDown()
        } else {
            try await harness.onLoop { harness.sandbox.kill() }
            while try await harness.onLoop({ harness.sandbox.isRunning }) { await Task.yield() }
        }
        #expect(try await harness.onLoop { before && !harness.broker.telemetry.hasSubscribers })
    }

    @Test("while it ends nothing is handed to it, and it is not started again")
    func nothingMore() async throws {
        let harness = try await ShutdownHarness(trap: "exit 7")
        try await harness.register()
        let (listener, port) = RawSocket.listen()
        let runtime = try Socket(connectingTo: "127.0.0.1", port: port)
        let peer = try #require(listener.accept())
        let state = try await harness.onLoop { [broker = harness.broker, loop = harness.loop] in
            let ending = Task(executorPreference: loop) { await broker.shutDown() }
            await Task.yield()
            let asking = Task(executorPreference: loop) { await broker.next(runtime) != nil }
            var head = HTTPMessageHead()
            head.method = "GET"
            let reply = FrontEndReply(ServerConnection(loop, runtime), head, requestID: "a", FunctionURL())
            let invocation = LocalInvocation(id: "a", event: [], label: "GET /a", reply: reply)
            Task(executorPreference: loop) { await broker.invoke(invocation) }
            await ending.value
            broker.startIfNeeded()
            broker.stop()
            return (invocation.phase, await asking.value, harness.sandbox.isRunning)
        }
        #expect(state.0 == .queued && !state.1 && !state.2)
        _ = peer
    }

    @Test("a time-out answers the client at once and goes the same way; the next invocation starts the process again")
    func timeout() async throws {
        let harness = try await ShutdownHarness(trap: "exit 7", ["SLUICE_LOCAL_TIMEOUT": "0.05"])
        try await harness.register()
        let (listener, port) = RawSocket.listen()
        let runtime = try Socket(connectingTo: "127.0.0.1", port: port)
        let peer = try #require(listener.accept())
        try await harness.onLoop { [broker = harness.broker, loop = harness.loop] in
            var head = HTTPMessageHead()
            head.method = "GET"
            let reply = FrontEndReply(ServerConnection(loop, runtime), head, requestID: "a", FunctionURL())
            let invocation = LocalInvocation(id: "a", event: [], label: "GET /a", reply: reply)
            let task = Task(executorPreference: loop) { await broker.invoke(invocation) }
            await Task.yield()
            _ = await broker.next(runtime)
            await task.value
        }
        #expect(WireReader(peer).next()?.status == 502)
        #expect(harness.line()?.hasPrefix("502  ") == true)
        #expect(
            harness.line() == "     Task timed out after 0.05 seconds: the app's process is ended, after SIGTERM and 500 ms")
        #expect(harness.line()?.hasPrefix("shutdown: the app got SIGTERM and exited with status 7 after ") == true)
        while try await harness.onLoop({ harness.sandbox.isRunning }) { await Task.yield() }
        try await harness.onLoop { harness.broker.startIfNeeded() }
        #expect(try await harness.onLoop { harness.sandbox.isRunning && harness.broker.phase == .starting })
        try await harness.end()
    }
}
