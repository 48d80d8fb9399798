@_spi(JSON) internal import SluiceCore

/// An event that has no other handler: a direct invocation, or one of a service that has no kind of its own here.
public struct DirectEvent<Body: Sendable>: Sendable {
    /// The whole event: JSON as a type of yours; as `String` its JSON text as it is, as `[UInt8]` that text's bytes.
    public let body: Body
    /// The invocation's request id.
    public let id: String
    /// The event's own JSON.
    public let raw: LambdaEvent

    init(_ envelope: DirectEnvelope, _ reader: BodyReader<Body>) throws {
        (id, raw) = (envelope.id, envelope.raw)
        body = try reader.body(from: raw.json)
    }

    /// Empty: nothing stands around it.
    public var attributes: [String: String] { [:] }
}

/// An event as it came.
struct DirectEnvelope: EventEnvelope {
    let raw: LambdaEvent
    let id: String

    let source: EventSource

    init(_ raw: LambdaEvent, requestID: String) throws(JSONError) { self.init(raw, .other, requestID: requestID) }

    init(_ raw: LambdaEvent, _ source: EventSource, requestID: String) {
        (self.raw, self.source, id) = (raw, source, requestID)
    }

    var place: String { "invoke" }
    var what: String { "the event" }
}
