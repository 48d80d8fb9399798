import SluiceTestSupport
import Synchronization
import Testing

@testable import SluiceCore
@testable import Sluice

/// Who may write to a stream: whatever task, actor or executor the app writes from, its bytes arrive, and nothing is torn.
@Suite struct StreamWritersTests {
    enum Kind: CaseIterable { case plain, task, detached, immediate, mainActor, actor, taskToActor, group, feed }

    struct Load: Sendable, CustomTestStringConvertible {
        let count: Int
        let size: Int
        var testDescription: String { "\(count) x \(size) B" }
        /// What the write of this number writes.
        func bytes(_ number: Int) -> [UInt8] { [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: size) }
    }

    private actor Scribe {
        func write(_ load: Load, to writer: BodyWriter) async throws {
            for number in 0..<load.count { try await writer.write(load.bytes(number)) }
        }
    }

    private static func writeAll(_ load: Load, to writer: BodyWriter) async throws {
        for number in 0..<load.count { try await writer.write(load.bytes(number)) }
    }

    @Sendable private static func write(_ kind: Kind, _ load: Load, to writer: BodyWriter) async throws {
        switch kind {
        case .plain: try await writeAll(load, to: writer)
        case .task:
            let task = Task { try await writeAll(load, to: writer) }
            try await task.value
        case .detached:
            let task = Task.detached { try await writeAll(load, to: writer) }
            try await task.value
        case .immediate:
            let task = Task.immediate { try await writeAll(load, to: writer) }
            try await task.value
        case .mainActor:
            let task = Task { @MainActor in
                for number in 0..<load.count { try await writer.write(load.bytes(number)) }
            }
            try await task.value
        case .actor: try await Scribe().write(load, to: writer)
        case .taskToActor:
            let task = Task { try await Scribe().write(load, to: writer) }
            try await task.value
        case .group:
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<load.count { group.addTask { try await writer.write(load.bytes(number)) } }
                try await group.waitForAll()
            }
        case .feed:
            let (feed, source) = AsyncStream.makeStream(of: [UInt8].self)
            Task.detached {
                for number in 0..<load.count { source.yield(load.bytes(number)) }
                source.finish()
            }
            let task = Task.detached { for await bytes in feed { try await writer.write(bytes) } }
            try await task.value
        }
    }

    @Test(
        "a stream may be written from any task, actor or executor, however slow its reader",
        arguments: Kind.allCases,
        [Load(count: 1, size: 5_000_000), Load(count: 40, size: 60_000), Load(count: 3_000, size: 90)])
    func writes(_ kind: Kind, _ load: Load) async throws {
        let served = await serve(
            app { _ in .stream(contentType: "a/b") { try await Self.write(kind, load, to: $0) } },
            ["a", "b"].map { id in
                var event = MockRuntimeAPI.Event(eventJSON(), id: id)
                // Emulated processors take their time, and the guard would end the process.
                event.timeout = 900_000
                return event
            }, mode: "response_stream", receiveBuffer: 4096)
        #expect(served.failures.isEmpty)
        #expect(served.posts.count == 2)
        for post in served.posts {
            #expect(post.problem == nil)
            #expect(!post.isCut)
            #expect(post.trailers.isEmpty)
            let body = try #require(splitPrelude(post.body)).body
            #expect(body.count == load.count * load.size)
            if kind == .group {
                var counts = [UInt8: Int]()
                for byte in body { counts[byte, default: 0] += 1 }
                var expected = [UInt8: Int]()
                for number in 0..<load.count { expected[UInt8(truncatingIfNeeded: number), default: 0] += load.size }
                #expect(counts == expected)
            } else {
                #expect(body == (0..<load.count).flatMap(load.bytes))
            }
        }
    }
}
