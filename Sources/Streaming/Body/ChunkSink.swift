internal import Synchronization

/// Hands each chunk of a body to a closure, one after the other: how a test reads a stream as it comes.
package final class ChunkSink: BodySink {
    private struct State {
        var count = 0
        var isBusy = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var failure: BodyWriterError?
    }

    private let state = Mutex(State())
    private let take: @Sendable ([UInt8]) async throws -> Void
    private let onHead: @Sendable () -> Void
    private let hasBegun = Atomic(false)

    /// - Parameters:
    ///   - onHead: Called once, before the first chunk or at the first flush.
    ///   - take: Gets each chunk; what it throws is what a reader does that goes away.
    package init(onHead: @escaping @Sendable () -> Void = {}, _ take: @escaping @Sendable ([UInt8]) async throws -> Void) {
        self.onHead = onHead
        self.take = take
    }

    private func begin() {
        if !hasBegun.exchange(true, ordering: .acquiringAndReleasing) { onHead() }
    }

    package func write(_ bytes: [UInt8], _ seal: Seal?) async throws {
        if bytes.isEmpty { return try seal.check() }
        await enterLine()
        defer { leaveLine() }
        if let failure { throw failure }
        try seal.check()
        begin()
        do {
            try await take(bytes)
        } catch {
            let failure = BodyWriterError.disconnected(reason: String(describing: error))
            state.withLock { $0.failure = failure }
            throw failure
        }
        state.withLock { $0.count += bytes.count }
    }

    package func flush(_ seal: Seal?) async throws {
        try seal.check()
        begin()
    }

    private func enterLine() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.isBusy else {
                    state.isBusy = true
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    /// The next one in the line goes on; nobody else can come in between.
    private func leaveLine() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.isBusy = false
            return nil
        }
        next?.resume()
    }

    package var bytesWritten: Int { state.withLock(\.count) }
    package var headIsGone: Bool { hasBegun.load(ordering: .acquiring) }
    package var failure: BodyWriterError? { state.withLock(\.failure) }
}
