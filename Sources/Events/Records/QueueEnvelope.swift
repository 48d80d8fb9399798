@_spi(JSON) internal import SluiceCore

/// A record of SQS.
struct QueueEnvelope: EventEnvelope {
    let raw: LambdaEvent
    private(set) var identifier: String?
    private(set) var body: [UInt8]?
    private(set) var attributes: [String: String] = [:]
    private(set) var messageAttributes: [String: MessageAttribute] = [:]
    private(set) var receiptHandle: String?
    private(set) var queueARN: String?

    init(_ raw: LambdaEvent, requestID: String) throws(JSONError) {
        self.raw = raw
        try JSONReader.read(raw.json) { (reader) throws(JSONError) in
            try reader.objectIfAny { (reader, key) throws(JSONError) in try read(key, &reader) }
        }
    }

    private mutating func read(_ key: JSONText, _ reader: inout JSONReader) throws(JSONError) {
        switch key {
        case "messageId": identifier = try reader.stringIfAny().flatMap { $0.isEmpty ? nil : $0 }
        case "receiptHandle": receiptHandle = try reader.stringIfAny()
        case "body": body = try reader.bytesIfAny()
        case "attributes":
            try reader.objectIfAny { (reader, name) throws(JSONError) in try attributes.read(name, &reader) }
        case "messageAttributes": messageAttributes = try MessageAttribute.all(&reader)
        case "eventSourceARN": queueARN = try reader.stringIfAny()
        default: try reader.skip()
        }
    }

    var source: EventSource { .queue }
    var id: String { identifier ?? "" }
    var place: String { "queue \(queueARN?.nameInARN ?? "")" }
    var what: String { "message \(id) of \(place)" }

    /// Whether its group's order is to be kept.
    var isFIFO: Bool { queueARN?.utf8.reversed().starts(with: ".fifo".utf8.reversed()) == true }
    /// The group in whose order it is, as octets.
    var group: [UInt8] { Array((attributes["MessageGroupId"] ?? "").utf8) }
}
