import Foundation
import Logging
import SluiceTestSupport
import Synchronization
import Testing

@testable import Sluice
@testable import SluiceCore

/// Many invocations at once in one process: Lambda Managed Instances.
@Suite(.serialized) struct ConcurrencyTests {
    /// What a handler found that was not its own.
    private let mixed = Collected<String>()

    private func app() -> LambdaApp {
        let mixed = mixed
        return handling { request in
            let id = request.id
            var random = Dice(seed: UInt64(id) ?? 0)
            @Sendable func check(_ place: String) {
                if InvocationScope.current?.requestID != id { mixed.add("\(place) of \(id)") }
            }
            check("handler")
            if random.next() % 4 == 0 { try await Task.sleep(for: .microseconds(random.next() % 2000)) }
            check("after a sleep")
            async let child: Void = {
                await Task.yield()
                check("child")
            }()
            await child
            switch random.next() % 8 {
            case 0: throw Boom()
            case 1: throw HTTPError(.conflict, "\(id)")
            case 2:
                request.afterReply { check("after the reply") }
                return .stream(contentType: "text/plain") { writer in
                    try await writer.write("st")
                    await Task.yield()
                    check("stream")
                    try await writer.write("ream \(id)")
                }
            default: return .text("fine \(id)")
            }
        }
    }

    /// A generator that a test can repeat.
    private struct Dice {
        var state: UInt64
        init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }
        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }

    @Test(
        "case 98: 10,000 invocations over five workers, with random delays and failures: each reply under its own id, no scope mixed",
        .timeLimit(.minutes(2)))
    func tenThousand() async throws {
        let before = Usage.now
        try await serveTenThousand()
        // Only alone: other tests have threads and descriptors of their own.
        if ProcessInfo.processInfo.environment["SLUICE_ALONE"] != nil {
            try await eventually { Usage.now.hasNothing(since: before) }
        }
    }

    /// A function of its own: the mock's socket ends with it.
    private func serveTenThousand() async throws {
        let count = 10_000
        let served = await serve(
            app(), (0..<count).map { .init(eventJSON(), id: "\($0)", timeout: 120_000) },
            environment: ["AWS_LAMBDA_MAX_CONCURRENCY": "5", "AWS_LAMBDA_LOG_LEVEL": "FATAL"])
        #expect(mixed.values.isEmpty)
        #expect(served.posts.count == count)
        var answered: Set<String> = []
        var (fine, streams, conflicts, failures) = (0, 0, 0, 0)
        for post in served.posts {
            let parts = post.target.split(separator: "/").map(String.init)
            try #require(parts.count == 5 && parts[4] == "response")
            let id = parts[3]
            answered.insert(id)
            let json = try #require(JSONView(post.body))
            let body = json["body"]?.text ?? ""
            switch json["statusCode"]?.number {
            case 200 where body == "fine \(id)": fine += 1
            case 200 where body == "stream \(id)": streams += 1
            case 409:
                conflicts += 1
                #expect(body.contains("\"\(id)\""))
            case 500:
                failures += 1
                #expect(body.contains("\"\(id)\""))
            default: Issue.record("\(id): \(json["statusCode"]?.number ?? 0) \(body)")
            }
        }
        #expect(answered.count == count)
        // An eighth each, about.
        #expect(min(streams, conflicts, failures) > count / 12 && fine > count / 2)
        #expect(served.failures.count == failures)
        #expect(served.failures.allSatisfy { $0.outcome == .handlerError })
    }

    /// Threads end a moment after they are told to.
    private func eventually(_ isTrue: () -> Bool) async throws {
        for _ in 0..<10_000 {
            if isTrue() { return }
            await Task.yield()
            usleep(1000)
        }
        Issue.record("\(Usage.now) are left")
    }

    /// What the process has of the system's.
    private struct Usage {
        var sockets = 0
        var descriptors = 0
        var threads = 0

        static var now: Usage {
            func names(_ folder: String) -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] }
            var usage = Usage(threads: names("/proc/self/task").count)
            for name in names("/proc/self/fd") {
                // The one with which the folder is read is gone by now.
                guard let file = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)") else {
                    continue
                }
                usage.descriptors += 1
                if file.hasPrefix("socket:") { usage.sockets += 1 }
            }
            return usage
        }

        /// Nothing is left of five workers, which would be five sockets, five other descriptors and ten threads. The shared pool, where it
        /// was not there before, has three descriptors, its own thread and one for each processor.
        func hasNothing(since before: Usage) -> Bool {
            sockets <= before.sockets && descriptors <= before.descriptors + 3
                && threads <= before.threads + 1 + ProcessInfo.processInfo.activeProcessorCount
        }
    }

    @Test("case 100: one worker's end lets the others finish what they have, and ask for no more; the process ends as failed")
    func oneFails() async throws {
        let (listener, port) = RawSocket.listen()
        let inHand = Gate()
        let app = handling { request in
            if request.id == "held" { await inHand.wait() }
            return .text("fine")
        }
        let reporter = RecordingReporter()
        let serving = Task {
            await Server.serve(
                ["AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(port)", "AWS_LAMBDA_MAX_CONCURRENCY": "3"], bootstrapsLogging: false,
                reporter: reporter
            ) { app }
        }
        let seen = await withCheckedContinuation { continuation in
            Thread { continuation.resume(returning: Self.endOne(listener, inHand)) }.start()
        }
        #expect(seen.asked == Array(repeating: "/2018-06-01/runtime/invocation/next", count: 3))
        #expect(seen.failing == "/2018-06-01/runtime/invocation/failing/response")
        #expect(seen.waitingHasEnded)
        #expect(seen.held == "/2018-06-01/runtime/invocation/held/response")
        #expect(!seen.asksForMore)
        #expect(await serving.value == .failed)
        #expect(reporter.records.values.map(\.outcome) == [.runtime])
    }

    /// What three workers do of which one hears that the Runtime API is broken, one is in a handler, and one waits for an event.
    private struct Seen: Sendable {
        var asked: [String] = []
        var failing: String?
        var waitingHasEnded = false
        var held: String?
        var asksForMore = true
    }

    private static func endOne(_ listener: RawSocket, _ inHand: Gate) -> Seen {
        // Workers that go on all the same find nobody any more.
        defer { listener.shutdown() }
        var seen = Seen()
        var connections: [(socket: RawSocket, reader: WireReader)] = []
        for _ in 0..<3 {
            guard let socket = listener.accept() else { return seen }
            socket.limitReads()
            connections.append((socket, WireReader(socket)))
        }
        for connection in connections { seen.asked.append(connection.reader.next()?.target ?? "") }
        for (connection, id) in zip(connections, ["held", "failing"]) {
            let event = eventJSON()
            connection.socket.write(
                "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: \(id)\r\nLambda-Runtime-Deadline-Ms: 9999999999999\r\n"
                    + "Content-Length: \(event.utf8.count)\r\n\r\n\(event)")
        }
        seen.failing = connections[1].reader.next()?.target
        connections[1].socket.write("HTTP/1.1 500 Broken\r\nContent-Length: 2\r\n\r\n{}")
        // Its connection ends: from here on the others know.
        seen.waitingHasEnded = connections[2].reader.next() == nil
        inHand.open()
        seen.held = connections[0].reader.next()?.target
        connections[0].socket.write("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}")
        seen.asksForMore = connections[0].reader.next() != nil
        return seen
    }

    @Test("a late answer's 410 is recorded, and the worker goes on")
    func late() async throws {
        let served = await serve(
            handling { _ in .text("late") }, (0..<4).map { .init(eventJSON(), id: "\($0)") },
            environment: ["AWS_LAMBDA_MAX_CONCURRENCY": "2", "AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances"]
        ) { _ in .status(410) }
        #expect(served.posts.count == 4)
        #expect(served.failures.map(\.outcome) == Array(repeating: .replyRefused, count: 4))
        #expect(served.failures.allSatisfy { $0.status == 410 })
    }

    @Test("case 94: the trace variable belongs to one invocation at a time, and so to none where there are several")
    func traceVariable() async throws {
        let seen = Collected<String>()
        let app = handling { _ in
            seen.add(getenv("_X_AMZN_TRACE_ID").map { String(cString: $0) } ?? "none")
            return .text("fine")
        }
        let mark = "Root=1-not-touched"
        setenv("_X_AMZN_TRACE_ID", mark, 1)
        _ = await serve(app, [.init(eventJSON(), id: "1")], environment: ["AWS_LAMBDA_MAX_CONCURRENCY": "2"])
        // Other tests run workers of their own meanwhile, which may set it: never to what this one's event says.
        #expect(seen.values.count == 1)
        if ProcessInfo.processInfo.environment["SLUICE_ALONE"] != nil { #expect(seen.values == [mark]) }
    }
}

/// The harness's app, in a suite that has a function of that name.
private func handling(_ handler: @escaping @Sendable (Request) async throws -> Response) -> LambdaApp { app(handler) }
