/// The content of a request or a response: bytes, or a closure that writes them as they come to be.
public struct Body: Sendable {
    /// Writes a body's bytes to the writer that it is lent.
    public typealias Producer = @Sendable (BodyWriter) async throws -> Void
    /// Runs around the writing of a body: calls it once, waits for its end, and passes its error on.
    public typealias Wrapper = @Sendable (_ writer: BodyWriter, _ body: Producer) async throws -> Void

    enum Content: Sendable {
        case bytes([UInt8])
        case stream(Producer)
    }

    let content: Content

    /// No content.
    public static let empty = Body(content: .bytes([]))

    /// Bytes that are all there.
    public static func bytes(_ bytes: [UInt8]) -> Body { Body(content: .bytes(bytes)) }

    /// Text, as UTF-8.
    public static func text(_ text: String) -> Body { Body(content: .bytes(Array(text.utf8))) }

    /// Bytes that come to be while they are sent.
    public static func stream(_ producer: @escaping Producer) -> Body { Body(content: .stream(producer)) }

    /// The bytes, where they are all there; nil for a stream, whose bytes come to be while they are sent: see ``collect(upTo:)``.
    public var bytes: [UInt8]? {
        if case .bytes(let bytes) = content { bytes } else { nil }
    }

    /// The bytes of a body that is known to be no stream; none of a stream's.
    package var plainBytes: [UInt8] {
        if case .bytes(let bytes) = content { bytes } else { [] }
    }

    /// All of the bytes; a stream is written into memory.
    ///
    /// - Parameter limit: How many bytes there may be at most.
    /// - Throws: ``BodyWriterError/tooLarge(size:limit:)``, or what the stream's closure throws.
    public func collect(upTo limit: Int = .max) async throws -> [UInt8] {
        if case .bytes(let bytes) = content {
            guard bytes.count <= limit else { throw BodyWriterError.tooLarge(size: bytes.count, limit: limit) }
            return bytes
        }
        let sink = CollectingSink(limit: limit)
        do {
            try await write(to: BodyWriter(sink))
        } catch {
            _ = sink.finish()
            throw error
        }
        return sink.finish()
    }

    /// Whether the bytes come to be while they are sent.
    public var isStream: Bool {
        if case .stream = content { return true }
        return false
    }

    /// Writes the body, and `wrappers` around it: the last one is the outermost.
    ///
    /// - Throws: What the body or a wrapper throws, and ``BodyWrapperError`` where a wrapper did not do as it must.
    package func write(to writer: BodyWriter, in wrappers: [Wrapper] = []) async throws {
        var producer: Producer =
            switch content {
            case .bytes(let bytes): { writer in if !bytes.isEmpty { try await writer.write(bytes) } }
            case .stream(let producer):
                { writer in
                    try await writer.lent { writer in
                        try await producer(writer)
                        try writer.checkComplete()
                    }
                }
            }
        for wrapper in wrappers { producer = LentBody.wrap(producer, in: wrapper) }
        try await producer(writer)
        // A wrapper may have kept a refusal of its own writes to itself.
        try writer.checkComplete()
    }
}

extension Body: ExpressibleByStringLiteral {
    /// Text, as UTF-8.
    public init(stringLiteral value: String) { self = .text(value) }
}
