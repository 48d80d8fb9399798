import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceStreaming

@Suite struct EventLoopTests {
    private func withLoop<R: Sendable>(_ body: @escaping @Sendable (EventLoop) async throws -> R) async throws -> R {
        let loop = try EventLoop()
        try loop.start("test")
        defer { loop.stop() }
        return try await Task(executorPreference: loop) { try await body(loop) }.value
    }

    actor Counter {
        var count = 0
        func add() { count += 1 }
    }

    @Test("a task comes back to its loop after actors, groups, sleeps, the main actor and foreign continuations")
    func comesBack() async throws {
        try await withLoop { loop in
            #expect(loop.isCurrent)
            let counter = Counter()
            await counter.add()
            #expect(loop.isCurrent)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<10 { group.addTask { #expect(loop.isCurrent) } }
            }
            #expect(loop.isCurrent)
            let sleeping = Task(executorPreference: loop) {
                await #expect(throws: CancellationError.self) { try await Task.sleep(for: .seconds(3600)) }
                return loop.isCurrent
            }
            await Task.yield()
            try OwnedThread.start("canceller") { sleeping.cancel() }
            #expect(await sleeping.value)
            #expect(loop.isCurrent)
            #expect(loop.isHome)
            // A task without the preference may begin on the loop's thread, and is not at home there.
            let stranger = Task.immediate { (loop.isCurrent, loop.isHome) }
            #expect(await stranger.value == (true, false))
            await MainActor.run {}
            #expect(loop.isCurrent)
            await withCheckedContinuation { continuation in
                try? OwnedThread.start("other") { continuation.resume() }
            }
            #expect(loop.isCurrent)
            await withTaskExecutorPreference(globalConcurrentExecutor) { #expect(!loop.isCurrent) }
            #expect(loop.isCurrent)
        }
    }

    @Test("a wait ends when bytes come, when the peer closes, when its time is over, and when its task is cancelled")
    func waits() async throws {
        let (listener, port) = RawSocket.listen()
        try await withLoop { loop in
            let socket = try Socket(connectingTo: "127.0.0.1", port: port)
            let peer = try #require(listener.accept())
            #expect(try await loop.wait(until: .readable, on: socket.descriptor, timeout: .zero) == false)
            #expect(try await loop.wait(until: .writable, on: socket.descriptor))
            peer.write("x")
            #expect(try await loop.wait(until: .readable, on: socket.descriptor))
            var buffer: [UInt8] = []
            #expect(try await loop.receive(appendingTo: &buffer, from: socket))
            #expect(buffer == [0x78])
            let waiting = Task(executorPreference: loop) { try await loop.wait(until: .readable, on: socket.descriptor) }
            await Task.yield()
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            let cancelledBefore = Task(executorPreference: loop) {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await loop.wait(until: .readable, on: socket.descriptor)
            }
            await #expect(throws: CancellationError.self) { try await cancelledBefore.value }
            peer.shutdown()
            #expect(try await loop.receive(appendingTo: &buffer, from: socket) == false)
        }
    }

    @Test("a slow reader suspends the writer; other tasks of the loop go on")
    func backPressure() async throws {
        let (listener, port) = RawSocket.listen()
        let size = 32_000_000  // more than the kernel buffers
        let received = try await withLoop { loop -> Int in
            let socket = try Socket(connectingTo: "127.0.0.1", port: port)
            let peer = try #require(listener.accept())
            let ends = Collected<Int>()
            let sending = Task(executorPreference: loop) {
                try await loop.send([UInt8](repeating: 7, count: size), on: socket)
                ends.add(size)
            }
            // The peer has not read a byte: this runs while the writer is suspended.
            await Task.yield()
            let gate = Gate()
            let other = Task(executorPreference: loop) { gate.open() }
            await gate.wait()
            await other.value
            #expect(ends.values.isEmpty)
            let count = Collected<Int>()
            try OwnedThread.start("reader") {
                var total = 0
                while total < size {
                    let part = peer.read(1_000_000)
                    if part.isEmpty { break }
                    total += part.count
                }
                count.add(total)
                gate.open()
            }
            try await sending.value
            #expect(ends.values == [size])
            while count.values.isEmpty { await Task.yield() }
            return count.values[0]
        }
        #expect(received == size)
    }

    @Test("a connection that is gone is an error of the send, not a signal")
    func goneReader() async throws {
        let (listener, port) = RawSocket.listen()
        await #expect(throws: SystemError.self) {
            try await withLoop { loop in
                let socket = try Socket(connectingTo: "127.0.0.1", port: port)
                do {
                    let peer = try #require(listener.accept())
                    peer.resetOnClose()
                }
                while true { try await loop.send([UInt8](repeating: 7, count: 100_000), on: socket) }
            }
        }
    }

    @Test("an idle connection is alive until its peer closes")
    func liveness() throws {
        let (listener, port) = RawSocket.listen()
        let socket = try Socket(connectingTo: "127.0.0.1", port: port)
        var peer = listener.accept()
        #expect(peer != nil && socket.isIdleAndAlive)
        peer = nil
        var tries = 0
        while socket.isIdleAndAlive, tries < 1_000_000 { tries += 1 }
        #expect(!socket.isIdleAndAlive)
    }

    @Test("slices are dropped across their borders")
    func dropping() {
        let pieces: [ArraySlice<UInt8>] = [[1, 2, 3], [], [4, 5], [6]]
        for count in 0...6 {
            #expect(pieces.dropping(count).flatMap { Array($0) } == Array([1, 2, 3, 4, 5, 6].dropFirst(count)))
        }
    }

    private final class Hook: BeforePoll {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        func beforePoll() { body() }
    }

    @Test("what a hook starts runs at once, though nothing else wakes the loop")
    func hooks() async throws {
        let loop = try EventLoop()
        try loop.start("test")
        defer { loop.stop() }
        let order = Collected<Int>()
        await withCheckedContinuation { continuation in
            Task(executorPreference: loop) {
                loop.before(
                    nextPoll: Hook {
                        order.add(2)
                        Task(executorPreference: loop) {
                            order.add(3)
                            continuation.resume()
                        }
                    })
                order.add(1)
            }
        }
        #expect(order.values == [1, 2, 3])
    }
}
