/// A Sentry envelope as it came: what its header says of the event, and its items.
struct ReceivedEnvelope: Sendable, Equatable {
    /// Wins over the id in the event's payload.
    let eventID: String?
    let items: [EnvelopeItem]
}

/// One item of an envelope.
struct EnvelopeItem: Sendable, Equatable {
    let type: String
    /// The bytes, as they came.
    let payload: [UInt8]
}

/// Why bytes are no envelope, and where.
struct EnvelopeError: Error, Equatable, CustomStringConvertible {
    let problem: String
    let offset: Int
    var description: String { "malformed envelope: \(problem), at byte \(offset)" }
}
