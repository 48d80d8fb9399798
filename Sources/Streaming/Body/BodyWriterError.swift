/// Why a write was refused. More reasons may come: compare ``code``.
public struct BodyWriterError: Error, Equatable, CustomStringConvertible {
    /// The kind of refusal.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The kind's name.
        public let rawValue: String

        /// - Parameter rawValue: The kind's name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The body's closure has returned, or the invocation has been answered by somebody else.
        public static let finished = Self(rawValue: "finished")
        /// A buffered response may have no more bytes.
        public static let tooLarge = Self(rawValue: "tooLarge")
        /// The reader of the body is gone.
        public static let disconnected = Self(rawValue: "disconnected")
    }

    /// The kind of refusal.
    public let code: Code
    /// What happened, for the log.
    public let description: String

    private init(_ code: Code, _ description: String) { (self.code, self.description) = (code, description) }

    /// The body's closure has returned, or the invocation has been answered by somebody else.
    public static let finished = Self(.finished, "the body has already ended")

    /// A buffered response may have so many bytes at most.
    public static func tooLarge(size: Int, limit: Int) -> Self {
        Self(.tooLarge, "a buffered body of \(size) bytes and more is over the limit of \(limit)")
    }

    /// The reader of the body is gone.
    public static func disconnected(reason: String) -> Self {
        Self(.disconnected, "the reader of the body is gone: \(reason)")
    }

    /// Lets `catch BodyWriterError.finished` compare.
    public static func ~= (pattern: Self, error: any Error) -> Bool { error as? Self == pattern }
}
