internal import SluiceStreaming
internal import SluiceCore

/// One accepted HTTP/1.1 connection: requests in, bytes out. Confined to the event loop.
final class ServerConnection: @unchecked Sendable {  // used on the loop's thread only
    let loop: EventLoop
    let socket: Socket
    private let parser = HTTPParser(.request)
    private var buffer: [UInt8] = []
    private var headBytes: [UInt8] = []
    /// Called when bytes have come, before they are looked at; what it throws ends the reading.
    var onBytes: () throws -> Void = {}

    init(_ loop: EventLoop, _ socket: Socket) {
        self.loop = loop
        self.socket = socket
    }

    /// The head of the next request; nil when the peer has closed between requests.
    ///
    /// - Throws: `HTTPParseError`, `SystemError`.
    func nextHead() async throws -> HTTPMessageHead? {
        parser.reset()
        headBytes = []
        while true {
            headBytes += try parse()
            if let head = parser.head { return head }
            if try await !read() {
                if buffer.isEmpty, parser.isAtStart { return nil }
                throw HTTPParseError(reason: "the peer closed in the head of a request")
            }
        }
    }

    /// The next bytes of the body; nil at its end.
    ///
    /// - Throws: `HTTPParseError` when the body is cut off.
    func nextPart() async throws -> [UInt8]? {
        while true {
            let part = parser.takeBody()
            if !part.isEmpty { return part }
            if parser.isComplete { return nil }
            if buffer.isEmpty, try await !read() {
                throw HTTPParseError(reason: "the body ended before its final chunk or its declared length")
            }
            try parse()
        }
    }

    /// All of the body; nil when it is longer than `limit`: then the connection cannot be used again.
    func wholeBody(limit: Int) async throws -> [UInt8]? {
        var body: [UInt8] = []
        while let part = try await nextPart() {
            body += part
            if body.count > limit { return nil }
        }
        return body
    }

    /// The lines behind the last chunk.
    var trailers: [HTTPLine] { parser.trailers }

    /// Whether ``headNames`` are wanted.
    var keepsNames = false

    /// The names of the last head's lines in the client's case: the parser has them in lower case.
    var headNames: [String] {
        headBytes.split(separator: 0x0A, omittingEmptySubsequences: false).drop { $0.isEmpty || $0.elementsEqual([0x0D]) }
            .dropFirst().prefix { !$0.isEmpty && !$0.elementsEqual([0x0D]) }
            .map { String(decoding: $0.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self) }
    }

    /// Returns the bytes that were used.
    @discardableResult
    private func parse() throws -> ArraySlice<UInt8> {
        guard !buffer.isEmpty, !parser.isComplete else { return [] }
        let used = try parser.parse(buffer[...])
        defer { buffer.removeFirst(used) }
        return keepsNames ? buffer[..<used] : []
    }

    private func read() async throws -> Bool {
        guard try await loop.receive(appendingTo: &buffer, from: socket) else { return false }
        try onBytes()
        return true
    }

    func send(_ pieces: [UInt8]...) async throws { try await loop.send(pieces.map { $0[...] }, on: socket) }
}
