internal import SluiceCore
internal import SluiceStreaming

/// Takes what Lambda POSTs to an address of the sandbox. Confined to its event loop.
struct PlatformListener: Sendable {
    /// Lambda's batches have 256 KiB at most, as they were asked for.
    static let limit = 1 << 20

    private static let accepted = Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)
    private static let acceptedLast = Array("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".utf8)

    let loop: EventLoop
    private let socket: Socket
    /// Takes a message's body. It must not wait.
    private let take: @Sendable ([UInt8]) -> Void
    /// Told of what is no message.
    private let complain: @Sendable (String) -> Void

    /// Listens where Lambda delivers to, or else on the loopback address.
    ///
    /// - Throws: ``SystemError``.
    init(
        _ loop: EventLoop, take: @escaping @Sendable ([UInt8]) -> Void, complain: @escaping @Sendable (String) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.take = take
        self.complain = complain
        do throws(SystemError) {
            socket = try Socket.listen(onHost: "sandbox.localdomain")
        } catch {
            socket = try Socket.listen(onLoopbackPort: 0)
        }
    }

    var port: UInt16 { socket.localPort }

    /// Accepts connections until its task is cancelled, or its loop ends.
    func run() async {
        while true {
            do {
                while let accepted = try socket.accept() {
                    Task(executorPreference: loop) { await serve(accepted) }
                }
                try await loop.wait(until: .readable, on: socket.descriptor)
            } catch is SystemError {
                // No descriptor left, as a rule: others are closed soon. What ends the loop ends the pause, too.
                guard (try? await loop.pause(for: .milliseconds(50))) != nil else { return }
            } catch {
                return
            }
        }
    }

    private func serve(_ connection: Socket) async {
        let parser = HTTPParser(.request)
        var buffer: [UInt8] = []
        do {
            while let body = try await message(parser, &buffer, connection) {
                let keepsAlive = parser.head?.keepsAlive == true && body.count <= Self.limit
                parser.reset()
                if body.count <= Self.limit {
                    take(body)
                } else {
                    complain("a batch of more than \(Self.limit) bytes")
                }
                try await loop.send(keepsAlive ? Self.accepted : Self.acceptedLast, on: connection)
                guard keepsAlive else { return connection.finishSending() }
            }
        } catch let error as HTTPParseError {
            complain(error.description)
        } catch {
            // The connection is gone, and Lambda repeats what it has no response to.
        }
    }

    /// The body of the next message, or more of it than is permitted; nil at the end of the connection.
    private func message(_ parser: HTTPParser, _ buffer: inout [UInt8], _ connection: Socket) async throws -> [UInt8]? {
        var body: [UInt8] = []
        while true {
            if !buffer.isEmpty { buffer.removeFirst(try parser.parse(buffer[...])) }
            body += parser.takeBody()
            if parser.isComplete || body.count > Self.limit { return body }
            guard try await loop.receive(appendingTo: &buffer, from: connection) else { return nil }
        }
    }
}
