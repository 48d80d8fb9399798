@_spi(JSON) internal import SluiceCore

/// A record of Kinesis or of a DynamoDB stream.
struct StreamEnvelope: EventEnvelope {
    let raw: LambdaEvent
    private(set) var source = EventSource.kinesis
    private(set) var identifier: String?
    private(set) var attributes: [String: String] = [:]
    private(set) var streamARN: String?
    private(set) var time: WallClock.Instant?
    private(set) var partitionKey: String?
    private(set) var change: StreamChange?
    /// Attribute values, as they came.
    private(set) var keys: [UInt8]?
    private(set) var newImage: [UInt8]?
    private(set) var oldImage: [UInt8]?
    private var eventID: String?
    private var data: [UInt8]?

    init(_ raw: LambdaEvent, requestID: String) throws(JSONError) {
        self.raw = raw
        try JSONReader.read(raw.json) { (reader) throws(JSONError) in
            try reader.objectIfAny { (reader, key) throws(JSONError) in try read(key, &reader) }
        }
    }

    private mutating func read(_ key: JSONText, _ reader: inout JSONReader) throws(JSONError) {
        switch key {
        case "eventID": eventID = try reader.stringIfAny()
        case "eventSourceARN": streamARN = try reader.stringIfAny()
        case "eventName": change = try reader.stringIfAny().flatMap(StreamChange.init)
        case "kinesis":
            try reader.objectIfAny { (reader, key) throws(JSONError) in try readKinesis(key, &reader) }
        case "dynamodb":
            source = .dynamoDB
            try reader.objectIfAny { (reader, key) throws(JSONError) in try readChange(key, &reader) }
        default: try attributes.read(key, &reader)
        }
    }

    private mutating func readKinesis(_ key: JSONText, _ reader: inout JSONReader) throws(JSONError) {
        switch key {
        case "sequenceNumber": identifier = try sequenceNumber(&reader)
        case "partitionKey": partitionKey = try reader.stringIfAny()
        case "data": data = try reader.base64IfAny()
        case "approximateArrivalTimestamp": time = try reader.secondsIfAny()
        default: try attributes.read(key, &reader)
        }
    }

    private mutating func readChange(_ key: JSONText, _ reader: inout JSONReader) throws(JSONError) {
        switch key {
        case "SequenceNumber": identifier = try sequenceNumber(&reader)
        case "ApproximateCreationDateTime": time = try reader.secondsIfAny()
        case "Keys": keys = try image(&reader)
        case "NewImage": newImage = try image(&reader)
        case "OldImage": oldImage = try image(&reader)
        default: try attributes.read(key, &reader)
        }
    }

    private func sequenceNumber(_ reader: inout JSONReader) throws(JSONError) -> String? {
        try reader.stringIfAny().flatMap { $0.isEmpty ? nil : $0 }
    }

    private func image(_ reader: inout JSONReader) throws(JSONError) -> [UInt8]? {
        guard try reader.peek() == .object else {
            try reader.skip()
            return nil
        }
        return try reader.slice(of: raw.json)
    }

    var id: String { eventID ?? identifier ?? "" }
    var place: String { "stream \(name)" }
    var what: String { "record \(id) of \(place)" }

    /// The stream's name, or the table's.
    private var name: String {
        // arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/TIME, and the time has colons.
        let parts = streamARN?.split(at: "/") ?? []
        return parts.count > 1 ? String(parts[1]) : ""
    }

    /// The body's text.
    ///
    /// - Throws: `DecodingError`.
    func text() throws -> [UInt8] {
        guard source == .dynamoDB else {
            guard let data else { throw missing("kinesis.data") }
            return data
        }
        let image = change == .remove ? oldImage : newImage
        guard let item = image ?? keys else { throw missing("dynamodb.\(change == .remove ? "OldImage" : "NewImage")") }
        return try AttributeValue.json(item)
    }

    /// An item as JSON; nil where there is none, or one that cannot be read.
    func item(_ image: [UInt8]?) -> LambdaEvent? {
        // Whoever wants to know why it cannot be read decodes the body.
        image.flatMap { try? AttributeValue.json($0) }.map { LambdaEvent(json: $0) }
    }
}
