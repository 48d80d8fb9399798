public import HTTPTypes
internal import SluiceStreaming
internal import Synchronization

/// A response whose head has come: its chunks come as they are written, and the writer waits for whoever reads them.
///
/// Read it to its end, or ``cancel()`` it, which is what a client does that goes away.
public final class TestStream: AsyncSequence, Sendable {
    /// One chunk of the body.
    public typealias Element = [UInt8]

    /// What the client got.
    public let status: HTTPResponse.Status
    /// What the client got.
    public let headers: HTTPFields
    fileprivate let pipe: ChunkPipe

    init(status: HTTPResponse.Status, headers: HTTPFields, _ pipe: ChunkPipe) {
        self.status = status
        self.headers = headers
        self.pipe = pipe
    }

    /// Whether the body broke off; false before its end.
    public var isCut: Bool { pipe.end?.isCut ?? false }
    /// What cut the body, or what the response stands for; nil before the end.
    public var error: (any Error)? { pipe.end?.error }

    /// Goes away: the writer's next write throws `BodyWriterError.disconnected`.
    public func cancel() { pipe.cancel() }

    /// Reads the rest.
    public func collected() async -> TestResponse {
        var chunks: [[UInt8]] = []
        for await chunk in self { chunks.append(chunk) }
        return TestResponse(status: status, headers: headers, chunks: TestChunks(all: chunks), error: error, isCut: isCut)
    }

    /// Reads chunk by chunk; one reader at a time.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }

    deinit { pipe.cancel() }

    /// Reads the chunks.
    public struct AsyncIterator: AsyncIteratorProtocol {
        // Kept: a stream that nobody has any more is cancelled.
        let stream: TestStream

        /// The next chunk; nil at the end, a cut one included. A reader that is cancelled goes away, as by ``TestStream/cancel()``.
        public mutating func next() async -> [UInt8]? {
            let pipe = stream.pipe
            return await withTaskCancellationHandler {
                await pipe.next()
            } onCancel: {
                pipe.cancel()
            }
        }
    }
}

/// Hands chunks from a writer to a reader, one at a time: the writer goes on when the reader has taken it.
final class ChunkPipe: Sendable {
    struct End: Sendable {
        let isCut: Bool
        let error: (any Error)?
    }

    struct ReaderIsGone: Error {}

    private struct State {
        var chunk: [UInt8]?
        var end: End?
        var isCancelled = false
        var reader: CheckedContinuation<[UInt8]?, Never>?
        var writer: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    var end: End? { state.withLock(\.end) }

    /// Gives a chunk to the reader, and waits until it has it.
    ///
    /// - Throws: ``ReaderIsGone``.
    func write(_ chunk: [UInt8]) async throws {
        await withCheckedContinuation { continuation in
            let resume = state.withLock { state -> (() -> Void)? in
                if state.isCancelled { return { continuation.resume() } }
                if let reader = state.reader {
                    state.reader = nil
                    return {
                        reader.resume(returning: chunk)
                        continuation.resume()
                    }
                }
                state.chunk = chunk
                state.writer = continuation
                return nil
            }
            resume?()
        }
        if state.withLock(\.isCancelled) { throw ReaderIsGone() }
    }

    func finish(_ end: End) {
        let reader = state.withLock { state in
            state.end = state.end ?? end
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }

    func next() async -> [UInt8]? {
        await withCheckedContinuation { continuation in
            let resume = state.withLock { state -> (() -> Void)? in
                if let chunk = state.chunk {
                    let writer = state.writer
                    (state.chunk, state.writer) = (nil, nil)
                    return {
                        writer?.resume()
                        continuation.resume(returning: chunk)
                    }
                }
                if state.end != nil || state.isCancelled { return { continuation.resume(returning: nil) } }
                state.reader = continuation
                return nil
            }
            resume?()
        }
    }

    func cancel() {
        let (reader, writer) = state.withLock { state in
            state.isCancelled = true
            state.chunk = nil
            defer { (state.reader, state.writer) = (nil, nil) }
            return (state.reader, state.writer)
        }
        writer?.resume()
        reader?.resume(returning: nil)
    }
}
