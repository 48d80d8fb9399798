internal import Synchronization

/// Keeps a body in memory, up to a limit: how a stream is answered under buffered mode.
package final class CollectingSink: BodySink {
    private struct State {
        var bytes: [UInt8] = []
        var finished = false
        var failure: BodyWriterError?
    }

    private let state = Mutex(State())
    private let limit: Int

    package init(limit: Int) { self.limit = limit }

    package func write(_ bytes: [UInt8], _ seal: Seal? = nil) async throws {
        try state.withLock { state in
            guard !state.finished else { throw BodyWriterError.finished }
            try seal.check()
            let size = state.bytes.count + bytes.count
            if let failure = state.failure { throw failure }
            guard size <= limit else {
                let failure = BodyWriterError.tooLarge(size: size, limit: limit)
                state.failure = failure
                throw failure
            }
            if state.bytes.isEmpty { state.bytes = bytes } else { state.bytes += bytes }
        }
    }

    package func flush(_ seal: Seal? = nil) async throws { try seal.check() }

    package var bytesWritten: Int { state.withLock { $0.bytes.count } }

    package var failure: BodyWriterError? { state.withLock { $0.failure } }

    // Nothing leaves before the end, so the status can change until then.
    package var headIsGone: Bool { false }

    /// Ends the body: later writes throw.
    package func finish() -> [UInt8] {
        state.withLock { state in
            state.finished = true
            defer { state.bytes = [] }
            return state.bytes
        }
    }
}
