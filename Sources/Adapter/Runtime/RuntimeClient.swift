internal import SluiceMiddleware
internal import SluiceStreaming
internal import SluiceCore

/// Speaks the Runtime API over one kept connection. Confined to its event loop.
///
/// - SeeAlso: Lambda Runtime API 2018-06-01, <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
final class RuntimeClient {
    static let userAgent = "Sluice/0.1"
    static let prelude = "application/vnd.awslambda.http-integration-response"

    let loop: EventLoop
    let address: HostPort
    private var kept: RuntimeConnection?
    /// Whether a streamed response's connection serves the next call too, as three of AWS's own runtimes have it; the documentation asks
    /// for its end.
    private let keepsStreams: Bool
    /// What every request has behind its first line.
    private let commonLines: [UInt8]
    private let nextRequest: RuntimeConnection.Message
    /// What follows on the id in the head of a reply, up to its length.
    private let replyTail: [UInt8]
    /// What follows on the id in the head of a stream.
    private let streamTail: [UInt8]

    init(_ loop: EventLoop, address: HostPort, keepsStreams: Bool = true) {
        self.keepsStreams = keepsStreams
        self.loop = loop
        self.address = address
        commonLines = Array("Host: \(address)\r\nUser-Agent: \(Self.userAgent)\r\n".utf8)
        let next = Array("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n".utf8) + commonLines + HTTPWriter.crlf
        nextRequest = RuntimeConnection.Message(pieces: [next[...]])
        replyTail = Self.tail("/response", commonLines, "Content-Type: application/json\r\nContent-Length: ")
        streamTail = Self.tail(
            "/response", commonLines, Self.streamLines + (keepsStreams ? "\r\n" : "Connection: close\r\n\r\n"))
    }

    // MARK: Calls

    /// Waits for the next invocation; the service holds the connection open until there is one.
    ///
    /// A wait of hours is normal, not an error: this call has no timeout of its own. A lost connection is replaced once.
    /// - Throws: ``RuntimeAPIError``, ``InvocationError``, `CancellationError`.
    func next() async throws -> Invocation {
        let call = "next"
        let response = try await exchange(call, nextRequest, attempts: .again, cancellable: true)
        guard RuntimeRule.next(response.status) == .accepted else {
            throw RuntimeAPIError.status(call: call, response.status, body: response.text)
        }
        return try Invocation(response.head, event: response.body)
    }

    /// Answers an invocation with bytes that are all there.
    ///
    /// - Throws: ``ReplyRefused`` when the loop can go on, ``RuntimeAPIError`` when it cannot.
    func respond(_ id: String, _ body: [UInt8]) async throws {
        try await post("response", Self.invocations, id, replyTail, body)
    }

    /// As ``respond(_:_:)``.
    func respond(_ id: String, _ reply: BufferedReply) async throws {
        guard let body = reply.body else { return try await respond(id, reply.text) }
        var head = head(Self.invocations, id, replyTail, room: body.place)
        head.append(decimal: reply.count)
        head += Self.headEnd
        head += reply.text[..<body.place]
        let message = RuntimeConnection.Message(pieces: [head[...]], encoded: (body.bytes, reply.text[body.place...]))
        try Self.check("response", try await exchange("response", message, attempts: .ifStale, cancellable: false))
    }

    /// Reports that an invocation failed; only before any byte of a response.
    ///
    /// - Throws: As ``respond(_:_:)``.
    func fail(_ id: String, _ document: ErrorDocument) async throws {
        try await post("error", Self.invocations, id, Self.tail("/error", commonLines, Self.lines(of: document)), document.json)
    }

    /// Reports that start-up failed; only before the first ``next()``. The process must exit afterwards.
    func failInit(_ document: ErrorDocument) async throws {
        try await post(
            "init/error", Self.runtime, "init", Self.tail("/error", commonLines, Self.lines(of: document)), document.json)
    }

    private static func lines(of document: ErrorDocument) -> String {
        "Content-Type: application/json\r\n\(ErrorDocument.typeHeader): \(document.type)\r\nContent-Length: "
    }

    /// A message that is smaller than this travels in one piece, head and body: a copy is less than a second buffer.
    static let joined = 16_384

    private func post(
        _ call: String, _ start: StaticString, _ id: String, _ tail: [UInt8], _ body: [UInt8]
    ) async throws {
        var head = head(start, id, tail, room: body.count < Self.joined ? body.count : 0)
        head.append(decimal: body.count)
        head += Self.headEnd
        let pieces: [ArraySlice<UInt8>]
        if body.count < Self.joined {
            head += body
            pieces = [head[...]]
        } else {
            pieces = [head[...], body[...]]
        }
        try Self.check(call, try await exchange(call, .init(pieces: pieces), attempts: .ifStale, cancellable: false))
    }

    static func check(_ call: String, _ response: RuntimeConnection.APIResponse) throws {
        switch RuntimeRule.post(response.status) {
        case .accepted: return
        case .goOn: throw ReplyRefused(status: response.status, body: response.text)
        case .exit: throw RuntimeAPIError.status(call: call, response.status, body: response.text)
        }
    }

    // MARK: Streams

    /// The head of a streamed response: the mode, and the trailers that an error would need.
    ///
    /// - Parameter room: Of what follows in the same message.
    func streamHead(_ id: String, room: Int) -> [UInt8] { head(Self.invocations, id, streamTail, room: room) }

    private static let streamLines = """
        Content-Type: \(prelude)\r
        Lambda-Runtime-Function-Response-Mode: streaming\r
        Transfer-Encoding: chunked\r
        Trailer: \(ErrorDocument.typeHeader), \(ErrorDocument.bodyHeader)\r

        """

    /// A connection for a streamed response: the one that `next` came on. Given back or closed afterwards.
    ///
    /// - Parameter mustLive: Whether one that is dead by now is no use: what is larger than a message cannot be sent again.
    /// - Throws: ``RuntimeAPIError`` when there is none to be had.
    func takeStreamConnection(mustLive: Bool) throws -> (connection: RuntimeConnection, isKept: Bool) {
        defer { kept = nil }
        if let kept, !mustLive || kept.socket.isIdleAndAlive { return (kept, true) }
        return (try freshStreamConnection(), false)
    }

    /// Takes a connection back whose streamed response is over.
    func giveBack(_ connection: RuntimeConnection, after response: RuntimeConnection.APIResponse) {
        if keepsStreams, response.head.keepsAlive, connection.isClean { kept = connection }
    }

    func freshStreamConnection() throws -> RuntimeConnection { try connect("response") }

    // MARK: Exchange

    private enum Attempts { case again, ifStale }

    private static let runtime: StaticString = "POST /2018-06-01/runtime/"
    private static let invocations: StaticString = "POST /2018-06-01/runtime/invocation/"
    private static let headEnd: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]

    /// A POST's head in the parts that stay the same, and the id between them.
    ///
    /// - Parameter room: Of what the caller appends, besides a length.
    private func head(_ start: StaticString, _ id: String, _ tail: [UInt8], room: Int) -> [UInt8] {
        let id = PercentEncoding.component(id)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(start.utf8CodeUnitCount + id.utf8.count + tail.count + 32 + room)
        bytes.append(contentsOf: UnsafeBufferPointer(start: start.utf8Start, count: start.utf8CodeUnitCount))
        bytes.append(contentsOf: id.utf8)
        bytes += tail
        return bytes
    }

    private static func tail(_ path: String, _ commonLines: [UInt8], _ lines: String) -> [UInt8] {
        Array("\(path) HTTP/1.1\r\n".utf8) + commonLines + Array(lines.utf8)
    }

    private func connect(_ call: String) throws(RuntimeAPIError) -> RuntimeConnection {
        do throws(SystemError) {
            return try RuntimeConnection(loop, to: address)
        } catch {
            throw RuntimeAPIError.unreachable(call: call, reason: error.description)
        }
    }

    /// One request and its response, repeated once where that is safe: a GET always, a POST only on a kept connection that
    /// was closed before a byte of the response came. The service takes a response under an id once, so a repeat cannot double it.
    private func exchange(
        _ call: String, _ message: RuntimeConnection.Message, attempts: Attempts, cancellable: Bool
    ) async throws -> RuntimeConnection.APIResponse {
        var repeats = 0
        while true {
            let wasKept = kept != nil
            let connection = try kept ?? connect(call)
            kept = nil
            do {
                let response = try await connection.exchange(message, cancellable: cancellable)
                if response.head.keepsAlive, connection.isClean { kept = connection }
                return response
            } catch let error as RuntimeConnection.Lost {
                let mayRepeat = attempts == .again || (wasKept && error.nothingCame)
                guard mayRepeat, repeats == 0 else {
                    throw RuntimeAPIError.unreachable(call: call, reason: error.reason)
                }
                repeats += 1
            }
        }
    }
}
