public import HTTPTypes
internal import Logging
public import Sluice
public import SluiceCore
public import SluiceEvents
public import SluiceMiddleware
public import SluiceStreaming
internal import Synchronization

/// Sends requests to an app in the test's own process, and shows what came of them.
///
/// ```swift
/// let client = try TestClient(makeApp())
/// let response = try await client.get("/orders/7")
/// #expect(response.status == .notFound)
/// #expect(client.reports.isEmpty)
/// ```
/// The pipeline is the standard way: the app's whole list runs, no socket and no JSON is made. Through a Function URL the request is an event,
/// the Runtime API hands it out, and the reply is read as Lambda reads it, over sockets on loopback:
/// `TestClient(app, through: .functionURL(.responseStream))`.
public final class TestClient: Sendable {
    /// How requests reach the app.
    public struct Transport: Sendable, Hashable {
        /// The invoke mode of a Function URL.
        public enum Mode: Sendable {
            /// BUFFERED: a reply is one JSON document, 6 MB at most.
            case buffered
            /// RESPONSE_STREAM: a reply is sent as it is written.
            case responseStream
        }

        let mode: Mode?

        /// The app's list, called as the adapter calls it. Streamed bodies come chunk by chunk.
        public static let pipeline = Self(mode: nil)
        /// A Function URL of the local Lambda: event, Runtime API, reply and HTTP, in this process. It is neither frozen nor ended, and one
        /// request runs at a time.
        public static func functionURL(_ mode: Mode) -> Self { Self(mode: mode) }
    }

    private let app: LambdaApp
    private let door: any Door
    private let watch: Watch
    private let cookies: CookieJar?

    /// Makes a client; the app has passed `validate()` then.
    ///
    /// - Parameters:
    ///   - app: What is tested.
    ///   - transport: How requests reach it.
    ///   - timeout: How long an invocation may take: from a millisecond to 15 minutes, as on Lambda. In the pipeline it counts only by a `clock`; through a Function URL a handler that holds
    ///     its thread beyond it ends the process, as on Lambda.
    ///   - clock: A clock that the test moves: deadlines, and whatever reads `WallClock`, go by it. For the pipeline only.
    ///   - keepsCookies: Whether cookies that a response sets are sent with later requests, whatever their path and domain.
    ///   - collectsLogs: Whether what the app logs is kept in ``records`` and not printed: the process's logging system is
    ///     taken for that, unless it has been bootstrapped. Pass `false` where a test bootstraps it later.
    /// - Throws: What `app.validate()` throws; an error of the system where there is no port to be had.
    public init(
        _ app: LambdaApp, through transport: Transport = .pipeline, timeout: Duration = .seconds(30), clock: TestClock? = nil,
        keepsCookies: Bool = false, collectsLogs: Bool = true
    ) throws {
        try app.validate()
        if collectsLogs { TestLogs.take() }
        let timeout = min(max(timeout, .milliseconds(1)), .seconds(900))
        let watch = Watch()
        self.app = app
        self.watch = watch
        cookies = keepsCookies ? CookieJar() : nil
        if let mode = transport.mode {
            door = try FunctionURLDoor(app, streams: mode == .responseStream, timeout: timeout, watch)
        } else {
            door = PipelineDoor(app, timeout: timeout, clock, watch)
        }
    }

    deinit { door.close() }

    // MARK: Requests

    /// Sends a GET, and waits for the end of its response.
    public func get(_ target: String, headers: HTTPFields = [:]) async throws -> TestResponse {
        try await send(Request(.get, target, headers: headers))
    }

    /// Sends a POST, and waits for the end of its response.
    public func post(_ target: String, headers: HTTPFields = [:], body: Body = .empty) async throws -> TestResponse {
        try await send(Request(.post, target, headers: headers, body: body))
    }

    /// Sends a PUT, and waits for the end of its response.
    public func put(_ target: String, headers: HTTPFields = [:], body: Body = .empty) async throws -> TestResponse {
        try await send(Request(.put, target, headers: headers, body: body))
    }

    /// Sends a PATCH, and waits for the end of its response.
    public func patch(_ target: String, headers: HTTPFields = [:], body: Body = .empty) async throws -> TestResponse {
        try await send(Request(.patch, target, headers: headers, body: body))
    }

    /// Sends a DELETE, and waits for the end of its response.
    public func delete(_ target: String, headers: HTTPFields = [:], body: Body = .empty) async throws -> TestResponse {
        try await send(Request(.delete, target, headers: headers, body: body))
    }

    /// Sends a HEAD, and waits for its response.
    public func head(_ target: String, headers: HTTPFields = [:]) async throws -> TestResponse {
        try await send(Request(.head, target, headers: headers))
    }

    /// Sends an OPTIONS, and waits for the end of its response: a preflight, with its headers.
    public func options(_ target: String, headers: HTTPFields = [:]) async throws -> TestResponse {
        try await send(Request(.options, target, headers: headers))
    }

    /// Sends a request, and waits for the end of its response.
    ///
    /// - Parameter request: Values that tests set (`request.lambda`, `request.remoteAddress`, `request[Key.self]`) reach the app in the
    ///   pipeline; a Function URL makes its own.
    /// - Throws: Where there was no response: a connection that was reset before its head came. What the app throws is in the
    ///   response's `error`.
    public func send(_ request: Request) async throws -> TestResponse {
        let stream = try await stream(request)
        return await stream.collected()
    }

    /// Sends a request, and returns as soon as the response's head is there; its chunks come as they are written.
    ///
    /// - Throws: As ``send(_:)``.
    public func stream(_ request: Request) async throws -> TestStream {
        let stream = try await door.send(cookies?.dressed(request) ?? request)
        cookies?.take(stream.headers)
        return stream
    }

    /// Sends the request that a recorded event stands for, with its `request.lambda`; in the pipeline, whatever the transport, without the
    /// client's clock and cookies.
    ///
    /// - Parameter event: JSON of payload format 2.0, as a Function URL makes it.
    /// - Throws: An error that says what is wrong with the event.
    public func replay(_ event: String) async throws -> TestResponse {
        try await PipelineDoor(app, timeout: .seconds(30), nil, watch).send(Request(LambdaContext(event: event))).collected()
    }

    /// As ``replay(_:)``, with an event from a file.
    ///
    /// - Throws: As ``replay(_:)``, and where the file cannot be read.
    public func replay(contentsOf path: String) async throws -> TestResponse {
        try await replay(try TextFile.read(path))
    }

    /// Sends an event that is no HTTP request to its handler, in this process whatever the transport, without the client's clock.
    ///
    /// - Parameter json: As its source makes it: SQS, say.
    /// - Returns: The result that Lambda would get: `{"batchItemFailures":[]}`, say.
    /// - Throws: What fails the invocation: what the handler threw, or why there is none.
    public func send(event json: String) async throws -> LambdaEvent {
        try await TestLogs.$current.withValue(watch.records) {
            try await app.respond(to: LambdaEvent(json), watchedBy: watch.watcher())
        }
    }

    // MARK: What came of them

    /// The failures that reporters heard of, in order: what would have reached Sentry or a collector.
    public var reports: [Failure] { watch.reporter.failures }

    /// What became of the reports: delivered ones were flushed in time, pending ones would be frozen with the sandbox.
    public var ledger: TestLedger { watch.reporter.ledger }

    /// Log records of the app and of Sluice, in order, of every level.
    public var records: [TestRecord] { watch.records.values }

    /// Forgets reports, ledger and records; cookies stay.
    public func reset() {
        watch.reporter.reset()
        watch.records.reset()
    }
}
