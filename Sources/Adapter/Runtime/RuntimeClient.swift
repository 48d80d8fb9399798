internal import SluiceMiddleware
internal import SluiceStreaming

/// Speaks the Runtime API over one kept connection. Confined to its event loop.
///
/// - SeeAlso: Lambda Runtime API 2018-06-01, <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
final class RuntimeClient {
    static let userAgent = "Sluice/0.1"
    static let prelude = "application/vnd.awslambda.http-integration-response"

    let loop: EventLoop
    private let address: HostPort
    private var kept: RuntimeConnection?

    init(_ loop: EventLoop, address: HostPort) {
        self.loop = loop
        self.address = address
    }

    // MARK: Calls

    /// Waits for the next invocation; the service holds the connection open until there is one.
    ///
    /// A wait of hours is normal, not an error: this call has no timeout of its own. A lost connection is replaced once.
    /// - Throws: ``RuntimeAPIError``, ``InvocationError``, `CancellationError`.
    func next() async throws -> Invocation {
        let call = "next"
        let head = request("GET", "invocation/next", [])
        let answer = try await exchange(call, [head[...]], attempts: .again, cancellable: true)
        guard RuntimeRule.next(answer.status) == .accepted else {
            throw RuntimeAPIError.status(call: call, answer.status, body: answer.text)
        }
        return try Invocation(answer.head, event: answer.body)
    }

    /// Answers an invocation with bytes that are all there.
    ///
    /// - Throws: ``ReplyRefused`` when the loop can go on, ``RuntimeAPIError`` when it cannot.
    func respond(_ id: String, _ body: [UInt8]) async throws {
        try await post(
            "response", "invocation/\(PercentEncoding.component(id))/response", body,
            [
                ("Content-Type", "application/json")
            ])
    }

    /// Reports that an invocation failed; only before any byte of an answer.
    ///
    /// - Throws: As ``respond(_:_:)``.
    func fail(_ id: String, _ document: ErrorDocument) async throws {
        try await post(
            "error", "invocation/\(PercentEncoding.component(id))/error", document.json, Self.errorLines(document))
    }

    /// Reports that start-up failed; only before the first ``next()``. The process must exit afterwards.
    func failInit(_ document: ErrorDocument) async throws {
        try await post("init/error", "init/error", document.json, Self.errorLines(document))
    }

    private static func errorLines(_ document: ErrorDocument) -> [(String, String)] {
        [("Content-Type", "application/json"), (ErrorDocument.typeHeader, document.type.description)]
    }

    private func post(_ call: String, _ path: String, _ body: [UInt8], _ lines: [(String, String)]) async throws {
        let head = request("POST", path, lines + [("Content-Length", String(body.count))])
        let answer = try await exchange(call, [head[...], body[...]], attempts: .ifStale, cancellable: false)
        try Self.check(call, answer)
    }

    static func check(_ call: String, _ answer: RuntimeConnection.Answer) throws {
        switch RuntimeRule.post(answer.status) {
        case .accepted: return
        case .goOn: throw ReplyRefused(status: answer.status, body: answer.text)
        case .exit: throw RuntimeAPIError.status(call: call, answer.status, body: answer.text)
        }
    }

    // MARK: Streams

    /// The head of a streamed answer: the mode, and the trailers that an error would need.
    func streamHead(_ id: String) -> [UInt8] {
        request(
            "POST", "invocation/\(PercentEncoding.component(id))/response",
            [
                ("Content-Type", Self.prelude),
                ("Lambda-Runtime-Function-Response-Mode", "streaming"),
                ("Transfer-Encoding", "chunked"),
                ("Trailer", "\(ErrorDocument.typeHeader), \(ErrorDocument.bodyHeader)"),
                ("Connection", "close"),
            ])
    }

    /// A connection for a streamed answer, which is closed after it: the one that `next` came on, if it looks alive.
    ///
    /// - Throws: ``RuntimeAPIError`` when there is none to be had.
    func takeStreamConnection() throws -> (connection: RuntimeConnection, isKept: Bool) {
        defer { kept = nil }
        if let kept, kept.socket.isIdleAndAlive { return (kept, true) }
        return (try freshStreamConnection(), false)
    }

    func freshStreamConnection() throws -> RuntimeConnection { try connect("response") }

    // MARK: Exchange

    private enum Attempts { case again, ifStale }

    private func request(_ method: String, _ path: String, _ lines: [(String, String)]) -> [UInt8] {
        HTTPWriter.requestHead(
            method, "/2018-06-01/runtime/\(path)",
            [("Host", address.description), ("User-Agent", Self.userAgent)] + lines)
    }

    private func connect(_ call: String) throws(RuntimeAPIError) -> RuntimeConnection {
        do throws(SystemError) {
            return try RuntimeConnection(loop, to: address)
        } catch {
            throw RuntimeAPIError.unreachable(call: call, reason: error.description)
        }
    }

    /// One request and its answer, repeated once where that is safe: a GET always, a POST only on a kept connection that
    /// was closed before a byte of the answer came. The service takes an answer under an id once, so a repeat cannot double it.
    private func exchange(
        _ call: String, _ pieces: [ArraySlice<UInt8>], attempts: Attempts, cancellable: Bool
    ) async throws -> RuntimeConnection.Answer {
        var repeats = 0
        while true {
            let wasKept = kept != nil
            let connection = try kept ?? connect(call)
            kept = nil
            do {
                let answer = try await connection.exchange(pieces, cancellable: cancellable)
                if answer.head.keepsAlive { kept = connection }
                return answer
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
