public import SluiceCore

/// One message of an SQS queue.
public struct QueueMessage<Body: Sendable>: Sendable {
    /// What was sent: JSON as a type of yours; as `String` the text as it is, as `[UInt8]` its bytes.
    public let body: Body
    private let envelope: QueueEnvelope

    init(_ envelope: QueueEnvelope, _ reader: BodyReader<Body>) throws {
        guard let text = envelope.body else { throw missing("body") }
        self.envelope = envelope
        body = try reader.body(from: text)
    }

    /// The queue's id for it; the same each time the message is received.
    public var id: String { envelope.id }
    /// What SQS says of it, by SQS's names: `SentTimestamp`, `SenderId`, `ApproximateReceiveCount`…
    public var attributes: [String: String] { envelope.attributes }
    /// The record's own JSON.
    public var raw: LambdaEvent { envelope.raw }

    /// What its sender has put beside the body.
    public var messageAttributes: [String: MessageAttribute] { envelope.messageAttributes }
    /// Names this receipt of it, to change its visibility say. Lambda deletes the message itself.
    public var receiptHandle: String? { envelope.receiptHandle }
    /// The queue's ARN.
    public var queueARN: String? { envelope.queueARN }
    /// The group in whose order it is, in a FIFO queue.
    public var groupID: String? { attributes["MessageGroupId"] }
    /// By which a FIFO queue knows it from a message that was sent again.
    public var deduplicationID: String? { attributes["MessageDeduplicationId"] }
    /// How often it has been received, this time included.
    public var receiveCount: Int? { attributes["ApproximateReceiveCount"].flatMap { Int($0) } }
    /// When it was sent.
    public var sentAt: WallClock.Instant? {
        attributes["SentTimestamp"].flatMap { Int64($0) }.map { .init(millisecondsSinceEpoch: $0) }
    }
}
