internal import SluiceStreaming
internal import SluiceCore

/// One kept connection to the Runtime API: a socket, its parser, and what it has read ahead. Confined to its event loop.
final class RuntimeConnection {
    struct APIResponse {
        let head: HTTPMessageHead
        let body: [UInt8]
        var status: Int { head.status }
        var text: String { String(decoding: body.prefix(1024), as: UTF8.self) }
    }

    /// The peer closed before the first byte of a response: on a kept connection, a sign that it was dead already.
    struct Lost: Error, CustomStringConvertible {
        let reason: String
        let nothingCame: Bool
        var description: String { reason }
    }

    /// More than any event has; what declares more is no Runtime API.
    private static let bodyLimit = 64 * 1024 * 1024

    let socket: Socket
    private let loop: EventLoop
    private let parser = HTTPParser(.response, leavesBody: true)
    /// Room for a head and a small body; large bodies go to their own place.
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16_384, alignment: 8)
    private var unread = 0..<0

    init(_ loop: EventLoop, to address: HostPort) throws(SystemError) {
        self.loop = loop
        socket = try Socket(connectingTo: address.host, port: address.port)
        socket.keepSendBufferSmall()
    }

    deinit { buffer.deallocate() }

    /// Whether nothing came behind the last response: stray bytes would be taken for the next one.
    var isClean: Bool { unread.isEmpty }

    /// - Throws: ``Lost`` when the connection is gone.
    func send(_ pieces: [ArraySlice<UInt8>]) async throws {
        do {
            try await loop.send(pieces, on: socket)
        } catch let error as SystemError {
            throw Lost(reason: error.description, nothingCame: true)
        }
    }

    /// What is sent: pieces, and perhaps a body that becomes base64 on its way, with what follows it.
    struct Message {
        var pieces: [ArraySlice<UInt8>]
        var encoded: (bytes: [UInt8], end: ArraySlice<UInt8>)?
    }

    private func send(_ message: Message) async throws {
        try await send(message.pieces)
        guard let encoded = message.encoded else { return }
        // In parts: the whole text would be a third of a large invocation's memory, and further from the processor when it is sent.
        // Not zeroed first: what is sent of it was written.
        var text = [UInt8](unsafeUninitializedCapacity: Base64.size(of: Self.part)) { space, count in count = space.count }
        for start in stride(from: 0, to: encoded.bytes.count, by: Self.part) {
            let part = encoded.bytes[start..<min(start + Self.part, encoded.bytes.count)]
            let size = Base64.encode(part, into: &text)
            try await send([text[..<size]])
        }
        try await send([encoded.end])
    }

    /// Of a body, in bytes: a multiple of three.
    private static let part = 1536 * 1024

    /// Sends a message and waits for its response.
    ///
    /// - Throws: As ``receive(cancellable:)``.
    func exchange(_ message: Message, cancellable: Bool) async throws -> APIResponse {
        do {
            try await send(message)
        } catch let broken as Lost {
            // A service that refuses a large message answers and closes while it is still being sent.
            guard let response = try? await receive(cancellable: cancellable) else { throw broken }
            return response
        }
        return try await receive(cancellable: cancellable)
    }

    /// Waits for one response, for ever if need be: the process may be frozen meanwhile.
    ///
    /// - Throws: ``Lost``; `CancellationError` when `cancellable` and nothing of it has come: an event that is here is not thrown away.
    func receive(cancellable: Bool) async throws -> APIResponse {
        var body: [UInt8] = []
        var nothingCame = unread.isEmpty
        do {
            while true {
                if !unread.isEmpty {
                    nothingCame = false
                    let used = try parser.parse(UnsafeRawBufferPointer(rebasing: buffer[unread]))
                    unread = unread.lowerBound + used..<unread.upperBound
                }
                let part = parser.takeBody()
                if !part.isEmpty { body += part }
                if parser.isComplete {
                    let length = parser.bodyLength
                    guard let head = parser.takeHead() else { continue }
                    if length > 0 { body = try await readBody(length) }
                    return APIResponse(head: head, body: body)
                }
                guard try await fill(cancellable && nothingCame, expectsWait: nothingCame) else {
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

    /// False at the end of the stream. All that was read must have been parsed.
    private func fill(_ cancellable: Bool, expectsWait: Bool) async throws -> Bool {
        unread = 0..<0
        do {
            guard
                let count = try await loop.receive(
                    from: socket, expectsWait: expectsWait, cancellable: cancellable, into: { buffer })
            else { return false }
            unread = 0..<count
        } catch is CancellationError {
            // Both at once: what has come wins.
            guard case .bytes(let count) = try socket.receive(into: buffer) else { throw CancellationError() }
            unread = 0..<count
        }
        return true
    }

    /// The body of a known length: what was read ahead, and the rest from the socket right to its place.
    private func readBody(_ length: Int) async throws -> [UInt8] {
        guard length <= Self.bodyLimit else {
            throw Lost(reason: "the peer announces \(length) bytes, the limit is \(Self.bodyLimit)", nothingCame: false)
        }
        let ahead = min(unread.count, length)
        if ahead == length {
            defer { unread = unread.lowerBound + ahead..<unread.upperBound }
            return Array(buffer[unread.lowerBound..<unread.lowerBound + ahead])
        }
        // Not zeroed first: every byte is written before the array leaves this function.
        var body = [UInt8](unsafeUninitializedCapacity: length) { space, count in
            UnsafeMutableRawBufferPointer(space).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: buffer[unread.lowerBound..<unread.lowerBound + ahead]))
            count = length
        }
        unread = unread.lowerBound + ahead..<unread.upperBound
        var filled = ahead
        while filled < length {
            let received = try body.withUnsafeMutableBytes { (bytes) throws(SystemError) in
                try socket.receive(into: UnsafeMutableRawBufferPointer(rebasing: bytes[filled...]))
            }
            switch received {
            case .bytes(let count): filled += count
            case .end: throw Lost(reason: "the peer closed in mid-message", nothingCame: false)
            case .wouldBlock: try await loop.wait(until: .readable, on: socket.descriptor, cancellable: false)
            }
        }
        return body
    }
}
