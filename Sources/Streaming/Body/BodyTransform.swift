/// Changes a body on its way out, chunk by chunk: compression, encryption, a checksum at the end.
///
/// One value is made for each body. Its calls come one after the other, never at once, whatever tasks the body writes from. What it
/// returns is sent; nothing is sent for an empty array. What it throws is the body's error.
public protocol BodyTransform {
    /// Takes what the body wrote, which may be empty, and gives what can be sent of it by now.
    mutating func transform(_ chunk: [UInt8]) throws -> [UInt8]

    /// The body wants all that it has written to reach the client now: gives what was held back.
    mutating func flush() throws -> [UInt8]

    /// The body has ended well: gives the rest. Not called where it failed.
    mutating func finish() throws -> [UInt8]
}

extension BodyTransform {
    /// Holds nothing back.
    public mutating func flush() throws -> [UInt8] { [] }
    /// Has nothing to add.
    public mutating func finish() throws -> [UInt8] { [] }
}

extension Body {
    /// This body with a transform around it: bytes are transformed at once, a stream while it is written.
    package func transformed(by make: @escaping @Sendable () -> any BodyTransform) -> Body {
        switch content {
        case .bytes(let bytes):
            do {
                var transform = make()
                return .bytes(try transform.transform(bytes) + transform.finish())
            } catch {
                // Who writes the body hears of it: nothing has left yet.
                return .stream { _ in throw error }
            }
        case .stream(let producer):
            return .stream { writer in
                let sink = TransformingSink(writer, make())
                try await BodyWriter(sink).lent { writer in
                    try await producer(writer)
                    try writer.checkComplete()
                }
                try await sink.finish()
            }
        }
    }
}
