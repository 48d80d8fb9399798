public import SluiceCore

/// An event of EventBridge.
public struct BusEvent<Body: Sendable>: Sendable {
    /// Its `detail`: JSON as a type of yours; as `String` its JSON text as it is, as `[UInt8]` that text's bytes.
    public let body: Body
    private let envelope: BusEnvelope

    init(_ envelope: BusEnvelope, _ reader: BodyReader<Body>) throws {
        guard let detail = envelope.detail else { throw missing("detail") }
        self.envelope = envelope
        body = try reader.body(from: detail)
    }

    /// EventBridge's id for it.
    public var id: String { envelope.id }
    /// What else EventBridge says of it, by its names: `version`, `replay-name`…
    public var attributes: [String: String] { envelope.attributes }
    /// The event's own JSON.
    public var raw: LambdaEvent { envelope.raw }

    /// Who sent it, as `aws.ec2` or `com.example.orders`.
    public var source: String { envelope.sender ?? "" }
    /// What it tells of, as `Order Placed`.
    public var detailType: String { envelope.detailType ?? "" }
    /// The account that it is from, twelve digits.
    public var account: String? { envelope.account }
    /// The region that it is from.
    public var region: String? { envelope.region }
    /// When it was sent.
    public var time: WallClock.Instant? { envelope.time }
    /// ARNs of what it is about.
    public var resources: [String] { envelope.resources }
}
