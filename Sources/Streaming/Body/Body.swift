/// The content of a request or a response: bytes, or a closure that writes them as they come to be.
public struct Body: Sendable {
    /// Writes a body's bytes to the writer that it is lent.
    public typealias Producer = @Sendable (BodyWriter) async throws -> Void
    /// Runs around the writing of a body; see ``wrap(_:)``.
    public typealias Wrapper = @Sendable (_ writer: BodyWriter, _ body: Producer) async throws -> Void

    enum Content: Sendable {
        case bytes([UInt8])
        case stream(Producer)
    }

    var content: Content
    var wrappers: [Wrapper] = []

    /// No content.
    public static let empty = Body(content: .bytes([]))

    /// Bytes that are all there.
    public static func bytes(_ bytes: [UInt8]) -> Body { Body(content: .bytes(bytes)) }

    /// Text, as UTF-8.
    public static func text(_ text: String) -> Body { Body(content: .bytes(Array(text.utf8))) }

    /// Bytes that come to be while they are sent.
    public static func stream(_ producer: @escaping Producer) -> Body { Body(content: .stream(producer)) }

    /// The bytes, where they are all there; a streamed body has none until it has been collected.
    public var bytes: [UInt8] {
        if case .bytes(let bytes) = content { return bytes }
        return []
    }

    /// Whether the bytes come to be while they are sent.
    public var isStream: Bool {
        if case .stream = content { return true }
        return false
    }

    /// Whether ``bytes`` is all there is to it: no stream, and nobody waits for its end.
    package var isPlain: Bool { !isStream && wrappers.isEmpty }

    /// Puts `wrapper` around the writing of this body, outside of what wraps it already.
    ///
    /// A response has ended when its body has ended, not when `next` returned: whoever measures, or binds something for
    /// the length of a request, wraps the body. The wrapper must call the body once and pass its error on.
    public mutating func wrap(_ wrapper: @escaping Wrapper) { wrappers.append(wrapper) }

    /// Replaces what is written, keeping everyone who waits for the end.
    package mutating func dropContent() { content = .bytes([]) }

    /// Writes the body, wrappers included.
    package func write(to writer: BodyWriter) async throws {
        var producer: Producer =
            switch content {
            case .bytes(let bytes): { writer in if !bytes.isEmpty { try await writer.write(bytes) } }
            case .stream(let producer):
                { writer in
                    try await producer(writer)
                    try writer.checkComplete()
                }
            }
        for wrapper in wrappers {
            let inner = producer
            producer = { writer in try await wrapper(writer, inner) }
        }
        try await producer(writer)
    }
}

extension Body: ExpressibleByStringLiteral {
    /// Text, as UTF-8.
    public init(stringLiteral value: String) { self = .text(value) }
}
