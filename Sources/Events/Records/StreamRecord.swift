public import SluiceCore

/// One record of a Kinesis stream, or one change of a DynamoDB table.
public struct StreamRecord<Body: Sendable>: Sendable {
    /// What the record holds. Kinesis: its data; as `String` its text, as `[UInt8]` its bytes, else JSON.
    /// DynamoDB: the item as it is now, or was, where it has been removed; its keys alone, where the stream's view has no such image.
    /// An item is ordinary JSON: numbers are numbers, sets are arrays, bytes are base64.
    public let body: Body
    private let envelope: StreamEnvelope
    private let reader: BodyReader<Body>

    init(_ envelope: StreamEnvelope, _ reader: BodyReader<Body>) throws {
        self.envelope = envelope
        self.reader = reader
        body = try reader.body(from: try envelope.text())
    }

    /// What a stream's records are.
    public enum Source: Sendable, Hashable {
        /// Records of Kinesis Data Streams.
        case kinesis
        /// Changes of a DynamoDB table.
        case dynamoDB
    }

    /// The record's id: of a Kinesis record its shard and its sequence number, of a change DynamoDB's own.
    public var id: String { envelope.id }
    /// What else AWS says of it, by AWS's names: `awsRegion`, `eventVersion`, `invokeIdentityArn`, `StreamViewType`…
    public var attributes: [String: String] { envelope.attributes }
    /// The record's own JSON.
    public var raw: LambdaEvent { envelope.raw }

    /// What the stream's records are.
    public var source: Source { envelope.source == .kinesis ? .kinesis : .dynamoDB }
    /// Its place in the shard, a decimal number.
    public var sequenceNumber: String { envelope.identifier ?? "" }
    /// The ARN of the stream.
    public var streamARN: String? { envelope.streamARN }
    /// When it came into the stream, or when the item was changed; about.
    public var time: WallClock.Instant? { envelope.time }

    /// Which decided its shard; nil in DynamoDB.
    public var partitionKey: String? { envelope.partitionKey }

    /// What happened to the item; nil in Kinesis.
    public var change: StreamChange? { envelope.change }
    /// The item's keys, as JSON; nil in Kinesis, and where they cannot be read.
    public var keys: LambdaEvent? { envelope.item(envelope.keys) }
    /// The item after the change, as JSON; nil where there is none, or where the stream's view leaves it out.
    public var newImage: LambdaEvent? { envelope.item(envelope.newImage) }
    /// The item before the change, as JSON; nil where there was none, or where the stream's view leaves it out.
    public var oldImage: LambdaEvent? { envelope.item(envelope.oldImage) }

    /// The item before the change as the body's type; nil as ``oldImage``.
    ///
    /// - Throws: `DecodingError`.
    public func oldBody() throws -> Body? where Body: Decodable {
        try envelope.oldImage.map { try reader.body(from: try AttributeValue.json($0)) }
    }
}

/// What happened to an item of a DynamoDB table.
public enum StreamChange: String, Sendable, Hashable {
    /// It is new.
    case insert = "INSERT"
    /// It was changed.
    case modify = "MODIFY"
    /// It was removed.
    case remove = "REMOVE"
}
