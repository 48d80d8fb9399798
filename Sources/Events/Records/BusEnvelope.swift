@_spi(JSON) internal import SluiceCore

/// An event of EventBridge, schedules included.
struct BusEnvelope: EventEnvelope {
    let raw: LambdaEvent
    private(set) var id: String
    private(set) var attributes: [String: String] = [:]
    private(set) var sender: String?
    private(set) var detailType: String?
    private(set) var account: String?
    private(set) var region: String?
    private(set) var time: WallClock.Instant?
    private(set) var resources: [String] = []
    /// Its JSON; nil also where it is null.
    private(set) var detail: [UInt8]?
    /// Where it is a string.
    private var detailString: String?

    init(_ raw: LambdaEvent, requestID: String) throws(JSONError) {
        self.raw = raw
        id = requestID
        try JSONReader.read(raw.json) { (reader) throws(JSONError) in
            try reader.objectIfAny { (reader, key) throws(JSONError) in try read(key, &reader) }
        }
    }

    private mutating func read(_ key: JSONText, _ reader: inout JSONReader) throws(JSONError) {
        switch key {
        case "id": id = try reader.stringIfAny() ?? id
        case "source": sender = try reader.stringIfAny()
        case "detail-type": detailType = try reader.stringIfAny()
        case "account": account = try reader.stringIfAny()
        case "region": region = try reader.stringIfAny()
        case "time": time = try reader.timeIfAny()
        case "resources": resources = try reader.stringsIfAny()
        case "detail":
            if try reader.null() { return }
            let start = reader.offset
            detail = try reader.slice(of: raw.json)
            guard detail?.first == 0x22 else { return }
            let end = reader.offset
            reader.offset = start
            detailString = try reader.stringIfAny()
            reader.offset = end
        default: try attributes.read(key, &reader)
        }
    }

    /// The detail as JSON text. EventBridge Scheduler writes it into a string.
    var detailText: String { detailString ?? detail.map { String(decoding: $0, as: UTF8.self) } ?? "{}" }

    var source: EventSource { detailType == "Scheduled Event" ? .schedule : .bus }
    var place: String {
        guard source == .schedule else { return "bus \(sender ?? "")" }
        let name = resources.first?.split(at: "/").last.map(String.init)
        return "schedule \(name ?? "")"
    }
    var what: String { source == .schedule ? "\(place)" : "event \(id) of \(place)" }
}
