internal import SluiceMiddleware
internal import SluiceStreaming
internal import Synchronization

/// Sends one streamed response: prelude, chunks, and the end with or without trailers.
///
/// Chunks are written on the worker's loop and under the invocation's ``ReplyToken``, held ones also by the ticker's thread under their own
/// lock, so nobody writes into a half-sent chunk. Writers that come at once wait in line, from whatever task they come: see ``onLoop(_:)``.
final class StreamReply: BodySink, BeforePoll, @unchecked Sendable {  // `confined` is touched on the loop's thread only
    private struct Confined {
        /// Nil once all is over.
        var client: RuntimeClient?
        var connection: RuntimeConnection?
        var held: HeldWrites?
        /// The loop's turn at the last write: in the same turn, the task has not been suspended since.
        var lastTurn: UInt64?
        var isHooked = false
        var isBusy = false
        var tellsCancellation: Bool
        var queue: [CheckedContinuation<Void, Never>] = []
        /// All that was sent over a kept connection, while it is little: should that have been dead already, it is sent
        /// again over a fresh one. Nil on a fresh connection, and for longer streams.
        var replay: [UInt8]?
    }

    /// What other threads may ask for.
    private struct Published {
        var connection: RuntimeConnection.Shared?
        var held: HeldWrites?
        var failure: BodyWriterError?
    }

    private static let replayLimit = 65_536

    private let id: String
    private let loop: EventLoop
    private let token: ReplyToken
    private let form: StreamForm
    private let sent = Atomic(0)
    private let headSent = Atomic(false)
    private let erroneous = Atomic(false)
    private let published = Mutex(Published())
    private var confined: Confined

    init(_ id: String, _ client: RuntimeClient, _ token: ReplyToken, _ form: StreamForm, tellsCancellation: Bool = false) {
        self.id = id
        self.loop = client.loop
        self.token = token
        self.form = form
        confined = Confined(client: client, tellsCancellation: tellsCancellation)
    }

    deinit { confined.held?.retire() }

    var bytesWritten: Int { sent.load(ordering: .relaxed) }
    var headIsGone: Bool { headSent.load(ordering: .acquiring) }
    /// Whether trailers tell the platform that it was cut.
    var endsWithError: Bool { erroneous.load(ordering: .acquiring) }
    /// What the deadline guard needs to end the stream in the worker's place; nil before the head has left.
    var shared: RuntimeConnection.Shared? { published.withLock { $0.connection } }
    /// Why the Runtime API no longer reads; nil while it does.
    var failure: BodyWriterError? { published.withLock { $0.failure } }

    func write(_ bytes: [UInt8], _ seal: Seal? = nil) async throws {
        // Before anybody waits: a loop that has ended, or is blocked, answers nobody.
        try seal.check()
        if bytes.isEmpty { return }
        // Joining suspends nobody: for that the thread is enough, whose task it may be.
        if loop.isCurrent, join(bytes) { return }
        try await onLoop { try await self.writeChunk(bytes, seal) }.get()
    }

    /// Sends a small body that is all there in one message, head and end included: it is gone at once, so nobody has to be able to
    /// take it over.
    ///
    /// - Throws: As ``finish(_:)``, and before any byte has left what opening a connection throws.
    func writeWhole(_ bytes: [UInt8]) async throws {
        if bytes.isEmpty { return try await finish() }
        await enterLine()
        defer { leaveLine() }
        guard token.take(.whole) else { return }
        defer { letGo() }
        headSent.store(true, ordering: .releasing)
        sent.add(bytes.count, ordering: .relaxed)
        var message = try head(room: form.prelude.count + bytes.count + 32, mustLive: false)
        HTTPWriter.append(chunk: form.prelude, to: &message)
        HTTPWriter.append(chunk: bytes, to: &message)
        message += HTTPWriter.lastChunk()
        try await transmit([message[...]])
        try RuntimeClient.check("response", try await apiResponse())
    }

    func flush(_ seal: Seal? = nil) async throws {
        try seal.check()
        if headIsGone { return }
        try await onLoop { try await self.writeChunk([], seal) }.get()
    }

    /// Runs `body` on the loop, after each of its suspensions too. The task's executor decides that, not the thread it happens to be on:
    /// a task without the preference may have been drained by the loop's thread once. `body` is `@concurrent`, as any other would stay
    /// with its caller: neither an actor of the app nor the shared pool may have it.
    ///
    /// Throws nothing: in release builds of Swift 6.3 a throwing `@concurrent` function does not bring its caller back to the caller's
    /// own actor on the way of the error (swiftlang/swift#88285).
    @concurrent
    private func onLoop(_ body: @concurrent @Sendable () async throws -> Void) async -> Result<Void, any Error> {
        do {
            if loop.isHome {
                try await body()
            } else {
                try await withTaskExecutorPreference(loop) { try await body() }
            }
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    /// What is written from here on is written for a task that has heard of its cancellation. On the loop.
    func goesOnWhenCancelled() {
        precondition(loop.isHome, "a stream's reply outside its loop")
        confined.tellsCancellation = false
    }

    private func enterLine() async {
        precondition(loop.isHome, "a stream's reply outside its loop")
        while confined.isBusy {
            await withCheckedContinuation { confined.queue.append($0) }
        }
        confined.isBusy = true
    }

    private func leaveLine() {
        confined.isBusy = false
        if !confined.queue.isEmpty { confined.queue.removeFirst().resume() }
    }

    /// Holds a small chunk back when its task has written just before and was not suspended since: more is likely to follow.
    /// It leaves when the task is suspended, with the next ones, or a millisecond later.
    private func join(_ bytes: [UInt8]) -> Bool {
        guard !confined.isBusy, confined.lastTurn == loop.turn, bytes.count < 4096,
            !(Task.isCancelled && confined.tellsCancellation), failure == nil, let held = heldWrites(), token.take(.chunk)
        else { return false }
        defer { _ = token.take(.chunkDone) }
        let size = HTTPWriter.chunkSize(bytes.count)
        guard held.append(size, bytes, HTTPWriter.crlf) else { return false }
        account([size[...], bytes[...], HTTPWriter.crlf[...]])
        sent.add(bytes.count, ordering: .relaxed)
        if !confined.isHooked {
            confined.isHooked = true
            loop.before(nextPoll: self)
        }
        return true
    }

    private func heldWrites() -> HeldWrites? {
        guard confined.held == nil, let connection = confined.connection else { return confined.held }
        let held = HeldWrites(connection.socket)
        confined.held = held
        published.withLock { $0.held = held }
        return held
    }

    func beforePoll() {
        confined.isHooked = false
        guard !confined.isBusy, let held = confined.held, !held.sendNow() else { return }
        // The socket is full, or broken: waiting for it, or saying so, is a task's work.
        Task(executorPreference: loop) { try? await self.drain() }
    }

    private func drain() async throws {
        await enterLine()
        defer { leaveLine() }
        guard failure == nil, token.take(.chunk) else { return }
        defer { _ = token.take(.chunkDone) }
        try await transmit([])
    }

    private func writeChunk(_ bytes: [UInt8], _ seal: Seal?) async throws {
        await enterLine()
        defer { leaveLine() }
        if let failure { throw failure }
        try seal.check()
        // A streamed body's first write after a cancellation says so, as it may do nothing else that could; later ones are
        // farewells.
        if Task.isCancelled, confined.tellsCancellation {
            confined.tellsCancellation = false
            throw CancellationError()
        }
        let isFirst = !headIsGone
        if isFirst {
            guard token.take(.head) else { throw BodyWriterError.finished }
            headSent.store(true, ordering: .releasing)
        } else {
            if bytes.isEmpty { return }
            guard token.take(.chunk) else { throw BodyWriterError.finished }
        }
        try await transmit((isFirst ? try opening(form.prelude) : []) + Self.chunk(bytes))
        sent.add(bytes.count, ordering: .relaxed)
        // Not taken only when the guard has cut the stream, which the next write will see.
        _ = token.take(.chunkDone)
    }

    private func opening(_ prelude: [UInt8]) throws -> [ArraySlice<UInt8>] {
        [try head(room: 0, mustLive: true)[...]] + Self.chunk(prelude)
    }

    /// Takes a connection, and makes the message's head.
    private func head(room: Int, mustLive: Bool) throws -> [UInt8] {
        guard let client = confined.client else { throw BodyWriterError.finished }
        do {
            let (connection, isKept) = try client.takeStreamConnection(mustLive: mustLive)
            use(connection)
            confined.replay = isKept ? [UInt8]() : nil
        } catch {
            throw fail(String(describing: error))
        }
        return client.streamHead(id, room: room)
    }

    private func use(_ connection: RuntimeConnection) {
        confined.connection = connection
        confined.held?.retire()
        confined.held = nil
        published.withLock { ($0.connection, $0.held) = (connection.shared, nil) }
    }

    private static func chunk(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        bytes.isEmpty ? [] : [HTTPWriter.chunkSize(bytes.count)[...], bytes[...], HTTPWriter.crlf[...]]
    }

    private func transmit(_ pieces: [ArraySlice<UInt8>]) async throws {
        guard let connection = confined.connection else { throw BodyWriterError.finished }
        let held = confined.held?.take() ?? []
        account(pieces)
        do {
            try await connection.send(held.isEmpty ? pieces : [held[...]] + pieces)
        } catch {
            try await sendAgain(after: error)
        }
        confined.lastTurn = loop.turn
    }

    private func account(_ pieces: [ArraySlice<UInt8>]) {
        guard let kept = confined.replay?.count else { return }
        if kept + pieces.reduce(0, { $0 + $1.count }) > Self.replayLimit {
            confined.replay = nil
        } else if kept == 0, pieces.count == 1 {
            confined.replay = Array(pieces[0])
        } else {
            for piece in pieces { confined.replay?.append(contentsOf: piece) }
        }
    }

    /// What is held back, for the deadline guard, which ends the stream in the worker's place.
    func takeHeld() -> [UInt8] { published.withLock { $0.held }?.take() ?? [] }

    /// The kept connection was dead: sends everything over a fresh one, once. The service takes a response under an id once,
    /// so this cannot double it.
    private func sendAgain(after error: any Error) async throws {
        if let failure { throw failure }
        guard let replay = confined.replay else { throw fail(String(describing: error)) }
        confined.replay = nil
        guard let client = confined.client else { throw BodyWriterError.finished }
        do {
            let connection = try client.freshStreamConnection()
            use(connection)
            try await connection.send([replay[...]])
        } catch {
            throw fail(String(describing: error))
        }
    }

    /// Ends the connection from another thread, so that a writer that is stuck on it wakes up. The token has been taken.
    func cut() {
        published.withLock { $0.failure = $0.failure ?? .finished }
        shared?.socket.abort()
    }

    private func fail(_ reason: String) -> BodyWriterError {
        // The guard's connection is not ours to close.
        if token.take(.abandon) { letGo() }
        let failure = BodyWriterError.disconnected(reason: reason)
        return published.withLock { published in
            published.failure = published.failure ?? failure
            return published.failure ?? failure
        }
    }

    /// Closes the connection, unless it was given back: a writer that the app has kept must not keep it too.
    func letGo() {
        confined.held?.retire()
        (confined.client, confined.connection, confined.held, confined.replay) = (nil, nil, nil, nil)
        published.withLock { ($0.connection, $0.held) = (nil, nil) }
    }

    /// Ends the stream: with trailers after an error, or without, so that a cut stream never looks complete to the platform.
    ///
    /// - Throws: ``ReplyRefused``, ``RuntimeAPIError``, or ``BodyWriterError`` when the Runtime API no longer reads.
    func finish(_ error: ErrorDocument? = nil) async throws {
        await enterLine()
        defer { leaveLine() }
        if let failure { throw failure }
        let isBegun = headIsGone
        // Not taken where the guard ends it: nothing is left to do or to say, and the connection is its own.
        guard token.take(isBegun ? .end : .whole) else { return }
        defer { letGo() }
        if error != nil { erroneous.store(true, ordering: .releasing) }
        let last = HTTPWriter.lastChunk(error?.trailers ?? [])
        if isBegun {
            let tail = bytesWritten == 0 && error == nil ? form.emptyTail : []
            try await transmit(Self.chunk(tail) + [last[...]])
        } else {
            // One message and one step: nobody can come in between.
            headSent.store(true, ordering: .releasing)
            try await transmit(try opening(form.emptyPrelude) + Self.chunk(form.emptyTail) + [last[...]])
        }
        try RuntimeClient.check("response", try await apiResponse())
    }

    private func apiResponse() async throws -> RuntimeConnection.APIResponse {
        while true {
            guard let connection = confined.connection else { throw BodyWriterError.finished }
            do {
                let response = try await connection.receive(cancellable: false)
                confined.held?.retire()
                confined.client?.giveBack(connection, after: response)
                return response
            } catch let error as RuntimeConnection.Lost {
                guard error.nothingCame else { throw fail(error.reason) }
                try await sendAgain(after: error)
            }
        }
    }
}

extension RuntimeConnection {
    /// The part of a connection that another thread may use while its owner has lost the reply token.
    struct Shared: Sendable {
        let socket: Socket
    }

    var shared: Shared { Shared(socket: socket) }
}
