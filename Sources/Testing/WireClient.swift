internal import HTTPTypes
internal import SluiceCore
internal import SluiceMiddleware
internal import SluiceStreaming

/// One request over one connection to a port of this machine. Confined to its event loop.
final class WireClient {
    private let loop: EventLoop
    private let socket: Socket
    private let parser = HTTPParser(.response)
    private var buffer: [UInt8] = []

    init(_ loop: EventLoop, port: UInt16) throws {
        self.loop = loop
        socket = try Socket(connectingTo: "127.0.0.1", port: port)
    }

    func send(_ request: Request) async throws {
        let body = try await request.body.collect()
        let target = request.rawPath + (request.rawQuery.isEmpty ? "" : "?\(request.rawQuery)")
        var text = "\(request.method.rawValue) \(target) HTTP/1.1\r\n"
        if request.headers[.host] == nil { text += "Host: 127.0.0.1\r\n" }
        for field in request.headers where field.name != .contentLength && field.name != .connection {
            text += "\(field.name.rawName): \(field.value)\r\n"
        }
        text += "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n"
        try await loop.send([Array(text.utf8)[...], body[...]], on: socket)
    }

    /// - Throws: `HTTPParseError`, where the connection ended before.
    func head() async throws -> (HTTPResponse.Status, HTTPFields) {
        while true {
            if let head = parser.head {
                var fields = HTTPFields()
                for line in head.lines {
                    if let name = HTTPField.Name(line.name) { fields.append(HTTPField(name: name, value: line.value)) }
                }
                return (HTTPResponse.Status(code: head.status), fields)
            }
            guard try await read() else { throw HTTPParseError(reason: "the connection ended before a response came") }
        }
    }

    /// Passes the body on, part by part as it comes. True where it broke off.
    func body(to pipe: ChunkPipe) async -> Bool {
        do {
            while true {
                let part = parser.takeBody()
                if !part.isEmpty { try await pipe.write(part) }
                if parser.isComplete { return false }
                guard try await read() else {
                    try parser.finish()
                    return !parser.isComplete
                }
            }
        } catch is ChunkPipe.ReaderIsGone {
            socket.resetOnClose()
            return true
        } catch {
            return true
        }
    }

    private func read() async throws -> Bool {
        guard try await loop.receive(appendingTo: &buffer, from: socket) else { return false }
        let used = try parser.parse(buffer[...])
        buffer.removeFirst(used)
        return true
    }
}
