internal import Synchronization

/// Puts a transform between a body and its writer. Writes that come at once wait in line, so that what the transform makes of them leaves
/// in the same order.
final class TransformingSink: BodySink, @unchecked Sendable {  // `transform` belongs to who is at the head of the line
    private struct State {
        var isBusy = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var accepted = 0
        var failure: BodyWriterError?
        /// What the transform threw: from then on nothing is taken, and the body has failed, whatever its closure makes of it.
        var broken: (any Error)?
    }

    private let writer: BodyWriter
    private var transform: any BodyTransform
    private let state = Mutex(State())

    init(_ writer: BodyWriter, _ transform: any BodyTransform) {
        self.writer = writer
        self.transform = transform
    }

    func write(_ bytes: [UInt8], _ seal: Seal?) async throws {
        if bytes.isEmpty { return try seal.check() }
        try await inLine(seal) {
            try await self.send(try self.transform.transform(bytes))
            self.state.withLock { $0.accepted += bytes.count }
        }
    }

    func flush(_ seal: Seal?) async throws {
        try await inLine(seal) {
            try await self.send(try self.transform.flush())
            try await self.writer.flush()
        }
    }

    /// - Throws: What the transform has thrown before.
    private func checkBroken() throws {
        if let broken = state.withLock(\.broken) { throw broken }
    }

    /// The body has ended: the rest is sent.
    func finish() async throws {
        try await inLine(nil) { try await self.send(try self.transform.finish()) }
    }

    private func send(_ bytes: [UInt8]) async throws {
        if !bytes.isEmpty { try await writer.write(bytes) }
    }

    private func inLine(_ seal: Seal?, _ body: () async throws -> Void) async throws {
        await enter()
        defer { leave() }
        try seal.check()
        try checkBroken()
        if let failure { throw failure }
        do {
            try await body()
        } catch let error as BodyWriterError {
            state.withLock { $0.failure = $0.failure ?? error }
            throw error
        } catch {
            state.withLock { $0.broken = $0.broken ?? error }
            throw error
        }
    }

    private func enter() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isBusy { state.waiting.append(continuation) }
                defer { state.isBusy = true }
                return !state.isBusy
            }
            if isFree { continuation.resume() }
        }
    }

    /// The next one in line goes on, or nobody is busy any more.
    private func leave() {
        let next = state.withLock { state in
            if state.waiting.isEmpty { state.isBusy = false }
            return state.waiting.isEmpty ? nil : state.waiting.removeFirst()
        }
        next?.resume()
    }

    var bytesWritten: Int { state.withLock(\.accepted) }
    var headIsGone: Bool { !writer.canStillChangeStatus }
    var failure: BodyWriterError? { state.withLock(\.failure) }
}
