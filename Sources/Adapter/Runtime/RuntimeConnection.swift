internal import SluiceStreaming

/// One kept connection to the Runtime API: a socket, its parser, and what it has read ahead.
final class RuntimeConnection {
    struct Answer {
        let head: HTTPMessageHead
        let body: [UInt8]
        var status: Int { head.status }
        var text: String { String(decoding: body.prefix(1024), as: UTF8.self) }
    }

    /// The peer closed before the first byte of an answer: on a kept connection, a sign that it was dead already.
    struct Lost: Error, CustomStringConvertible {
        let reason: String
        let nothingCame: Bool
        var description: String { reason }
    }

    let socket: Socket
    private let loop: EventLoop
    private let parser = HTTPParser(.response)
    private var buffer: [UInt8] = []

    init(_ loop: EventLoop, to address: HostPort) throws(SystemError) {
        self.loop = loop
        socket = try Socket(connectingTo: address.host, port: address.port)
    }

    /// - Throws: ``Lost`` when the connection is gone.
    func send(_ pieces: [ArraySlice<UInt8>]) async throws {
        do {
            try await loop.send(pieces, on: socket)
        } catch let error as SystemError {
            throw Lost(reason: error.description, nothingCame: true)
        }
    }

    /// Sends a message and waits for its answer.
    ///
    /// - Throws: As ``receive(cancellable:)``.
    func exchange(_ pieces: [ArraySlice<UInt8>], cancellable: Bool) async throws -> Answer {
        do {
            try await send(pieces)
        } catch let broken as Lost {
            // A service that refuses a large message answers and closes while it is still being sent.
            guard let answer = try? await receive(cancellable: cancellable) else { throw broken }
            return answer
        }
        return try await receive(cancellable: cancellable)
    }

    /// Waits for one answer, for ever if need be: the process may be frozen meanwhile.
    ///
    /// - Throws: ``Lost``; `CancellationError` when `cancellable`.
    func receive(cancellable: Bool) async throws -> Answer {
        var body: [UInt8] = []
        var nothingCame = true
        do {
            while true {
                if !buffer.isEmpty {
                    nothingCame = false
                    let used = try parser.parse(buffer[...])
                    buffer.removeFirst(used)
                }
                let part = parser.takeBody()
                if body.isEmpty { body = part } else { body += part }
                if parser.isComplete, let head = parser.head {
                    parser.reset()
                    return Answer(head: head, body: body)
                }
                guard try await loop.receive(appendingTo: &buffer, from: socket, cancellable: cancellable) else {
                    if !nothingCame { try parser.finish() }
                    if parser.isComplete { continue }
                    throw Lost(reason: "the peer closed the connection", nothingCame: nothingCame)
                }
            }
        } catch let error as SystemError {
            throw Lost(reason: error.description, nothingCame: nothingCame)
        } catch let error as HTTPParseError {
            throw Lost(reason: error.description, nothingCame: false)
        }
    }
}
