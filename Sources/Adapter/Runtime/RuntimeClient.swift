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
    private let nextRequest: [UInt8]

    init(_ loop: EventLoop, address: HostPort, keepsStreams: Bool = true) {
        self.keepsStreams = keepsStreams
        self.loop = loop
        self.address = address
        commonLines = Array("Host: \(address)\r\nUser-Agent: \(Self.userAgent)\r\n".utf8)
        nextRequest = Array("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n".utf8) + commonLines + HTTPWriter.crlf
    }

    // MARK: Calls

    /// Waits for the next invocation; the service holds the connection open until there is one.
    ///
    /// A wait of hours is normal, not an error: this call has no timeout of its own. A lost connection is replaced once.
    /// - Throws: ``RuntimeAPIError``, ``InvocationError``, `CancellationError`.
    func next() async throws -> Invocation {
        let call = "next"
        let response = try await exchange(call, [nextRequest[...]], attempts: .again, cancellable: true)
        guard RuntimeRule.next(response.status) == .accepted else {
            throw RuntimeAPIError.status(call: call, response.status, body: response.text)
        }
        return try Invocation(response.head, event: response.body)
    }

    /// Answers an invocation with bytes that are all there.
    ///
    /// - Throws: ``ReplyRefused`` when the loop can go on, ``RuntimeAPIError`` when it cannot.
    func respond(_ id: String, _ body: [UInt8]) async throws {
        try await post("response", invocation: id, body, "Content-Type: application/json\r\n")
    }

    /// Reports that an invocation failed; only before any byte of a response.
    ///
    /// - Throws: As ``respond(_:_:)``.
    func fail(_ id: String, _ document: ErrorDocument) async throws {
        try await post("error", invocation: id, document.json, Self.errorLines(document))
    }

    /// Reports that start-up failed; only before the first ``next()``. The process must exit afterwards.
    func failInit(_ document: ErrorDocument) async throws {
        try await post("init/error", invocation: nil, document.json, Self.errorLines(document))
    }

    private static func errorLines(_ document: ErrorDocument) -> String {
        "Content-Type: application/json\r\n\(ErrorDocument.typeHeader): \(document.type)\r\n"
    }

    /// A message that is smaller than this travels in one piece, head and body: a copy is less than a second buffer.
    static let joined = 16_384

    private func post(_ call: String, invocation id: String?, _ body: [UInt8], _ lines: String) async throws {
        var head = head(call, invocation: id, lines, room: body.count < Self.joined ? body.count : 0)
        head.append(contentsOf: "Content-Length: ".utf8)
        head.append(contentsOf: String(body.count).utf8)
        head.append(contentsOf: "\r\n\r\n".utf8)
        let pieces: [ArraySlice<UInt8>]
        if body.count < Self.joined {
            head += body
            pieces = [head[...]]
        } else {
            pieces = [head[...], body[...]]
        }
        try Self.check(call, try await exchange(call, pieces, attempts: .ifStale, cancellable: false))
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
    func streamHead(_ id: String) -> [UInt8] {
        var bytes = head("response", invocation: id, Self.streamLines, room: 2)
        if !keepsStreams { bytes.append(contentsOf: "Connection: close\r\n".utf8) }
        bytes += HTTPWriter.crlf
        return bytes
    }

    private static let streamLines = """
        Content-Type: \(prelude)\r
        Lambda-Runtime-Function-Response-Mode: streaming\r
        Transfer-Encoding: chunked\r
        Trailer: \(ErrorDocument.typeHeader), \(ErrorDocument.bodyHeader)\r

        """

    /// A connection for a streamed response: the one that `next` came on, if it looks alive. Given back or closed afterwards.
    ///
    /// - Throws: ``RuntimeAPIError`` when there is none to be had.
    func takeStreamConnection() throws -> (connection: RuntimeConnection, isKept: Bool) {
        defer { kept = nil }
        if let kept, kept.socket.isIdleAndAlive { return (kept, true) }
        return (try freshStreamConnection(), false)
    }

    /// Takes a connection back whose streamed response is over.
    func giveBack(_ connection: RuntimeConnection, after response: RuntimeConnection.APIResponse) {
        if keepsStreams, response.head.keepsAlive, connection.isClean { kept = connection }
    }

    func freshStreamConnection() throws -> RuntimeConnection { try connect("response") }

    // MARK: Exchange

    private enum Attempts { case again, ifStale }

    /// A POST's head without its last lines, and without the empty one.
    private func head(_ call: String, invocation id: String?, _ lines: String, room: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512 + room)
        bytes.append(contentsOf: "POST /2018-06-01/runtime/".utf8)
        if let id {
            bytes.append(contentsOf: "invocation/".utf8)
            bytes.append(contentsOf: PercentEncoding.component(id).utf8)
            bytes.append(0x2F)
        }
        bytes.append(contentsOf: call.utf8)
        bytes.append(contentsOf: " HTTP/1.1\r\n".utf8)
        bytes += commonLines
        bytes.append(contentsOf: lines.utf8)
        return bytes
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
        _ call: String, _ pieces: [ArraySlice<UInt8>], attempts: Attempts, cancellable: Bool
    ) async throws -> RuntimeConnection.APIResponse {
        var repeats = 0
        while true {
            let wasKept = kept != nil
            let connection = try kept ?? connect(call)
            kept = nil
            do {
                let response = try await connection.exchange(pieces, cancellable: cancellable)
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
