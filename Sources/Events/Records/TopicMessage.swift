public import SluiceCore

/// One message of an SNS topic.
public struct TopicMessage<Body: Sendable>: Sendable {
    /// What was published: JSON as a type of yours; as `String` the text as it is, as `[UInt8]` its bytes.
    public let body: Body
    private let envelope: TopicEnvelope

    init(_ envelope: TopicEnvelope, _ reader: BodyReader<Body>) throws {
        guard let text = envelope.body else { throw missing("Sns.Message") }
        self.envelope = envelope
        body = try reader.body(from: text)
    }

    /// The topic's id for it.
    public var id: String { envelope.id }
    /// Those of ``messageAttributes`` that are text.
    public var attributes: [String: String] { messageAttributes.compactMapValues(\.text) }
    /// The record's own JSON.
    public var raw: LambdaEvent { envelope.raw }

    /// What its publisher has put beside the body.
    public var messageAttributes: [String: MessageAttribute] { envelope.messageAttributes }
    /// What it is about, where its publisher said so.
    public var subject: String? { envelope.subject }
    /// The topic's ARN.
    public var topicARN: String? { envelope.topicARN }
    /// The ARN of the subscription through which it came.
    public var subscriptionARN: String? { envelope.subscriptionARN }
    /// When it was published.
    public var timestamp: WallClock.Instant? { envelope.timestamp }
}
