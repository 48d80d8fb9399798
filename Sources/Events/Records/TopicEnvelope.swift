@_spi(JSON) internal import SluiceCore

/// A record of SNS.
struct TopicEnvelope: EventEnvelope {
    let raw: LambdaEvent
    private(set) var id: String
    private(set) var body: [UInt8]?
    private(set) var messageAttributes: [String: MessageAttribute] = [:]
    private(set) var subject: String?
    private(set) var topicARN: String?
    private(set) var subscriptionARN: String?
    private(set) var timestamp: WallClock.Instant?

    init(_ raw: LambdaEvent, requestID: String) throws(JSONError) {
        self.raw = raw
        id = requestID
        try JSONReader.read(raw.json) { (reader) throws(JSONError) in
            try reader.objectIfAny { (reader, key) throws(JSONError) in
                switch key {
                case "EventSubscriptionArn": subscriptionARN = try reader.stringIfAny()
                case "Sns": try reader.objectIfAny { (reader, key) throws(JSONError) in try read(key, &reader) }
                default: try reader.skip()
                }
            }
        }
    }

    private mutating func read(_ key: JSONText, _ reader: inout JSONReader) throws(JSONError) {
        switch key {
        case "MessageId": id = try reader.stringIfAny() ?? id
        case "Message": body = try reader.bytesIfAny()
        case "MessageAttributes": messageAttributes = try MessageAttribute.all(&reader)
        case "Subject": subject = try reader.stringIfAny()
        case "TopicArn": topicARN = try reader.stringIfAny()
        case "Timestamp": timestamp = try reader.timeIfAny()
        default: try reader.skip()
        }
    }

    var source: EventSource { .topic }
    var place: String { "topic \(topicARN?.nameInARN ?? "")" }
    var what: String { "message \(id) of \(place)" }
}
