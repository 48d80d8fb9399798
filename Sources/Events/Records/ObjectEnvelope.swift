@_spi(JSON) internal import SluiceCore

/// A record of S3.
struct ObjectEnvelope: EventEnvelope {
    let raw: LambdaEvent
    private let requestID: String
    private(set) var attributes: [String: String] = [:]
    private(set) var bucket: String?
    private(set) var bucketARN: String?
    private(set) var rawKey: String?
    private(set) var eventName: String?
    private(set) var time: WallClock.Instant?
    private(set) var size: Int?
    private(set) var eTag: String?
    private(set) var versionID: String?
    private(set) var sequencer: String?

    init(_ raw: LambdaEvent, requestID: String) throws(JSONError) {
        self.raw = raw
        self.requestID = requestID
        try JSONReader.read(raw.json) { (reader) throws(JSONError) in
            try reader.objectIfAny { (reader, key) throws(JSONError) in try read(key, &reader) }
        }
    }

    private mutating func read(_ key: JSONText, _ reader: inout JSONReader) throws(JSONError) {
        switch key {
        case "eventName": eventName = try reader.stringIfAny()
        case "eventTime": time = try reader.timeIfAny()
        case "userIdentity", "requestParameters", "responseElements":
            try reader.objectIfAny { (reader, name) throws(JSONError) in try attributes.read(name, &reader) }
        case "s3":
            try reader.objectIfAny { (reader, key) throws(JSONError) in
                switch key {
                case "bucket":
                    try reader.objectIfAny { (reader, key) throws(JSONError) in
                        switch key {
                        case "name": bucket = try reader.stringIfAny()
                        case "arn": bucketARN = try reader.stringIfAny()
                        default: try reader.skip()
                        }
                    }
                case "object":
                    try reader.objectIfAny { (reader, key) throws(JSONError) in try readObject(key, &reader) }
                default: try attributes.read(key, &reader)
                }
            }
        default: try attributes.read(key, &reader)
        }
    }

    private mutating func readObject(_ key: JSONText, _ reader: inout JSONReader) throws(JSONError) {
        switch key {
        case "key": rawKey = try reader.stringIfAny()
        case "size": size = try reader.integerIfAny()
        case "eTag": eTag = try reader.stringIfAny()
        case "versionId": versionID = try reader.stringIfAny()
        case "sequencer": sequencer = try reader.stringIfAny()
        default: try reader.skip()
        }
    }

    var key: String? { rawKey.map { PercentEncoding.decodeForm($0.utf8) } }

    var source: EventSource { .object }
    var id: String {
        guard let bucket, let key else { return requestID }
        return "\(bucket)/\(key)"
    }
    var place: String { "bucket \(bucket ?? "")" }
    var what: String { "object \(id)" }
}
