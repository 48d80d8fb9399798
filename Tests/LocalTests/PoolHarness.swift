import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceLocal
@testable import SluiceStreaming

/// An app that is asked for nothing: a test asks for it.
final class ScriptedProcess: AppProcess, @unchecked Sendable {  // used on the loop's thread only
    private let loop: EventLoop
    private(set) var isRunning = false
    private(set) var isFrozen = false
    let isTraced = false
    var onEnd: (ProcessEnd) -> Void = { _ in }
    private(set) var starts = 0

    init(_ loop: EventLoop) { self.loop = loop }

    func start() {
        starts += 1
        isRunning = true
    }
    func freeze() { isFrozen = true }
    func thaw() { isFrozen = false }
    func kill() { Task(executorPreference: loop) { self.end(.killed(9)) } }
    func terminate() { Task(executorPreference: loop) { self.end(.exited(0)) } }
    func end(_ end: ProcessEnd) {
        guard isRunning else { return }
        (isRunning, isFrozen) = (false, false)
        onEnd(end)
    }
}

/// A pool whose processes the test plays.
final class PoolHarness: Sendable {
    private struct State {
        var brokers: [Broker] = []
        var processes: [ScriptedProcess] = []
    }

    let loop: EventLoop
    let pool: SandboxPool
    private let state = Box()
    private let console: WireLines
    private let problems: WireLines
    private let runtime: Socket
    private let peer: RawSocket

    private final class Box: @unchecked Sendable {  // used on the loop's thread only
        var state = State()
    }

    /// - Parameter ports: How many sandboxes can be made before there is no port left.
    init(
        limit: Int, patience: Duration = .seconds(60), ports: Int = .max, _ environment: [String: String] = [:]
    ) async throws {
        loop = try EventLoop()
        try loop.start("pool-test")
        (console, problems) = (try WireLines(), try WireLines())
        let sink = Console(output: console.descriptor, problems: problems.descriptor)
        let (listener, port) = RawSocket.listen()
        runtime = try Socket(connectingTo: "127.0.0.1", port: port)
        peer = try #require(listener.accept())
        let settings = try LocalSettings(environment)
        pool = SandboxPool(loop, limit: limit, patience: patience, sink) { [loop, state] number throws(SystemError) in
            guard number <= ports else { throw SystemError(code: 24, call: "socket") }
            let process = ScriptedProcess(loop)
            let broker = Broker(loop, settings, process, sink)
            state.state.processes.append(process)
            state.state.brokers.append(broker)
            return broker
        }
        try await onLoop { try self.pool.start() }
    }

    deinit { loop.stop() }

    func onLoop<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await Task(executorPreference: loop) { try await body() }.value
    }

    /// Sandboxes so far.
    func count() async throws -> Int { try await onLoop { self.state.state.brokers.count } }
    func starts(_ number: Int) async throws -> Int { try await onLoop { try self.process(number).starts } }
    func isFrozen(_ number: Int) async throws -> Bool { try await onLoop { try self.process(number).isFrozen } }
    func isRunning(_ number: Int) async throws -> Bool { try await onLoop { try self.process(number).isRunning } }
    /// On the loop.
    func freeSoon(_ number: Int) throws -> Int { try broker(number).freeSoon }
    func end(_ number: Int) async throws { try await onLoop { try self.process(number).end(.exited(3)) } }

    /// Returns when the work has come to its first wait. On the loop.
    private func begin(_ work: @escaping @Sendable () async -> Void) async {
        let task = Begun()
        Task(executorPreference: loop) {
            task.isSo = true
            await work()
        }
        while !task.isSo { await Task.yield() }
    }

    private final class Begun: @unchecked Sendable {  // used on the loop's thread only
        var isSo = false
    }

    private func broker(_ number: Int) throws -> Broker {
        let brokers = state.state.brokers
        try #require(brokers.count >= number)
        return brokers[number - 1]
    }

    private func process(_ number: Int) throws -> ScriptedProcess {
        let processes = state.state.processes
        try #require(processes.count >= number)
        return processes[number - 1]
    }

    /// A client's request.
    func request(_ id: String) async throws -> LocalInvocation {
        try await onLoop { [self] in
            var head = HTTPMessageHead()
            head.method = "GET"
            let reply = FrontEndReply(ServerConnection(loop, runtime), head, requestID: id, FunctionURL())
            let invocation = LocalInvocation(id: id, event: [], label: "GET /\(id)", reply: reply)
            await begin { [pool] in await pool.invoke(invocation) }
            return invocation
        }
    }

    /// The app in this sandbox asks for an invocation.
    func ask(_ number: Int) async throws {
        try await onLoop { [self] in
            let broker = try broker(number)
            await begin { [runtime] in _ = await broker.next(runtime) }
        }
    }

    /// The sandbox in which an invocation is; nil where it waits.
    func place(of invocation: LocalInvocation) async throws -> Int? {
        try await onLoop { [self] in
            state.state.brokers.firstIndex { $0.inFlight[invocation.id] != nil }.map { $0 + 1 }
        }
    }

    /// The app has answered, and the client has it all.
    func answer(_ invocation: LocalInvocation, in number: Int) async throws {
        try await onLoop { [self] in try broker(number).complete(invocation) }
    }

    func until(_ condition: () async throws -> Bool) async throws {
        while try await !condition() { await Task.yield() }
    }

    func mark() { Console(output: console.descriptor, problems: problems.descriptor).line("mark") }
    func line() -> String? { console.next() }
    func problem() -> String? { problems.next() }
}
