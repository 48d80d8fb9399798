internal import HTTPTypes
internal import Sluice
internal import SluiceCore
internal import SluiceLocal
internal import SluiceMiddleware
internal import SluiceStreaming
internal import Synchronization

/// A Function URL of the local Lambda in this process, and the app behind it.
final class FunctionURLDoor: Door {
    private let lambda: InProcessLambda
    private let serving: Task<Void, Never>
    private let loop: EventLoop
    private let watch: Watch

    init(_ app: LambdaApp, streams: Bool, timeout: Duration, _ watch: Watch) throws {
        let lambda = try InProcessLambda(streams: streams, timeout: timeout)
        let loop = try EventLoop()
        try loop.start("sluice-test-client")
        (self.lambda, self.loop, self.watch) = (lambda, loop, watch)
        serving = TestLogs.$current.withValue(watch.records) {
            Task { await app.serve(Environment(lambda.environment), watchedBy: watch.watcher()) }
        }
    }

    func close() {
        serving.cancel()
        let (lambda, loop, serving) = (lambda, loop, serving)
        Task {
            await serving.value
            lambda.stop()
            loop.stop()
        }
    }

    func send(_ request: Request) async throws -> TestStream {
        let (pipe, head) = (ChunkPipe(), Answer())
        let (loop, watch, port) = (loop, watch, lambda.port)
        Task(executorPreference: loop) {
            do {
                let connection = try WireClient(loop, port: port)
                try await connection.send(request)
                let (status, fields) = try await connection.head()
                head.set(.success((status, fields)))
                let isCut = await connection.body(to: pipe)
                let id = HTTPField.Name("x-amzn-requestid").flatMap { fields[$0] }
                pipe.finish(.init(isCut: isCut, error: id.flatMap(watch.reporter.error)))
            } catch {
                head.set(.failure(error))
                pipe.finish(.init(isCut: true, error: error))
            }
        }
        let (status, fields) = try await withTaskCancellationHandler {
            try await head.value()
        } onCancel: {
            pipe.cancel()
            head.set(.failure(CancellationError()))
        }
        return TestStream(status: status, headers: fields, pipe)
    }

    /// The head, or why there is none.
    private final class Answer: Sendable {
        typealias Value = Result<(HTTPResponse.Status, HTTPFields), any Error>
        private let state = Mutex<(value: Value?, waiting: CheckedContinuation<Value, Never>?)>((nil, nil))

        func set(_ value: Value) {
            let waiting = state.withLock { state -> CheckedContinuation<Value, Never>? in
                guard state.value == nil else { return nil }
                state.value = value
                return state.waiting
            }
            waiting?.resume(returning: value)
        }

        func value() async throws -> (HTTPResponse.Status, HTTPFields) {
            try await withCheckedContinuation { continuation in
                let value = state.withLock { state in
                    if state.value == nil { state.waiting = continuation }
                    return state.value
                }
                if let value { continuation.resume(returning: value) }
            }.get()
        }
    }
}
