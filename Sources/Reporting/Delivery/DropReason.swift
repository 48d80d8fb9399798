/// Why something was not sent, in the words that trackers know. More may come.
public struct DropReason: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The reason's name in ledgers, and in what the server is told.
    public let rawValue: String

    /// - Parameter rawValue: Lower case, with underscores.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The same as ``rawValue``.
    public var description: String { rawValue }

    /// `sampleRate` left it out.
    public static let sampleRate = Self(rawValue: "sample_rate")
    /// `beforeSend` returned nil, threw, or hung.
    public static let beforeSend = Self(rawValue: "before_send")
    /// `ignoreErrors` or an event processor.
    public static let eventProcessor = Self(rawValue: "event_processor")
    /// The server had asked not to send this kind of item for now.
    public static let rateLimitBackoff = Self(rawValue: "ratelimit_backoff")
    /// More was captured than a queue holds.
    public static let queueOverflow = Self(rawValue: "queue_overflow")
    /// More was spooled than the spool holds, or for longer.
    public static let cacheOverflow = Self(rawValue: "cache_overflow")
    /// More breadcrumbs or logs than a buffer holds.
    public static let bufferOverflow = Self(rawValue: "buffer_overflow")
    /// No response came, and the item has no id under which it may be repeated.
    public static let networkError = Self(rawValue: "network_error")
    /// The server refused it.
    public static let sendError = Self(rawValue: "send_error")
    /// A mistake of ours.
    public static let internalError = Self(rawValue: "internal_sdk_error")
}
