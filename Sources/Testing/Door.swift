internal import HTTPTypes
internal import Sluice
internal import SluiceCore
internal import SluiceMiddleware
internal import Synchronization

/// A way to an app.
protocol Door: Sendable {
    /// Returns when the response's head is there.
    ///
    /// - Throws: Where there was none.
    func send(_ request: Request) async throws -> TestStream
    func close()
}

/// The app's list, called as the adapter calls it.
struct PipelineDoor: Door {
    private let app: LambdaApp
    private let timeout: Duration
    private let clock: TestClock?
    private let watch: Watch

    init(_ app: LambdaApp, timeout: Duration, _ clock: TestClock?, _ watch: Watch) {
        (self.app, self.timeout, self.clock, self.watch) = (app, timeout, clock, watch)
    }

    func close() {}

    func send(_ request: Request) async throws -> TestStream {
        let (pipe, head) = (ChunkPipe(), Head())
        var request = request
        // Lambda delivers requests whole.
        if request.body.isStream { request.body = .bytes(try await request.body.collect()) }
        if let clock, request.deadline == nil { request.deadline = clock.now.advanced(by: timeout) }
        let (app, watch, clock, sent) = (app, watch, clock, request)
        let work: @Sendable () async -> Void = {
            let response = await TestLogs.$current.withValue(watch.records) {
                await app.respond(
                    to: sent, watchedBy: watch.watcher { clock?.began($0, until: sent.deadline) },
                    onHead: { head.set($0) }, eachChunk: { try await pipe.write($0) })
            }
            head.set(response)
            pipe.finish(.init(isCut: response.isCut, error: response.error))
        }
        let task = Task {
            if let clock {
                await ManualTime.$now.withValue({ clock.now }) { await work() }
            } else {
                await work()
            }
        }
        clock?.task(task, until: sent.deadline)
        let response = try await withTaskCancellationHandler {
            try await head.value()
        } onCancel: {
            task.cancel()
            pipe.cancel()
            head.fail(CancellationError())
        }
        return TestStream(status: response.status, headers: response.headers, pipe)
    }

    /// The response as it was when its head left.
    private final class Head: Sendable {
        private struct State {
            var response: Result<Response, any Error>?
            var waiting: CheckedContinuation<Response, any Error>?
        }

        private let state = Mutex(State())

        func set(_ response: Response) { settle(.success(response)) }
        func fail(_ error: any Error) { settle(.failure(error)) }

        private func settle(_ response: Result<Response, any Error>) {
            let waiting = state.withLock { state -> CheckedContinuation<Response, any Error>? in
                guard state.response == nil else { return nil }
                state.response = response
                defer { state.waiting = nil }
                return state.waiting
            }
            waiting?.resume(with: response)
        }

        func value() async throws -> Response {
            try await withCheckedThrowingContinuation { continuation in
                let response = state.withLock { state in
                    if state.response == nil { state.waiting = continuation }
                    return state.response
                }
                if let response { continuation.resume(with: response) }
            }
        }
    }
}
