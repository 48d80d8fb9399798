@_spi(JSON) internal import SluiceCore

/// Where an event that is no HTTP request comes from.
package enum EventSource: String, Sendable, CaseIterable {
    case queue = "aws:sqs"
    case kinesis = "aws:kinesis"
    case dynamoDB = "aws:dynamodb"
    case topic = "aws:sns"
    case object = "aws:s3"
    /// EventBridge's scheduled rules, and EventBridge Scheduler where its schedule names no payload of its own.
    case schedule
    /// Every other event of EventBridge.
    case bus
    /// A direct invocation, or a service that is not known here.
    case other = "invoke"

    /// How a handler for it is registered.
    package var registration: String {
        switch self {
        case .queue: "events.queue(of:)"
        case .kinesis, .dynamoDB: "events.stream(of:)"
        case .topic: "events.topic(of:)"
        case .object: "events.object(_:)"
        case .schedule: "events.schedule(_:)"
        case .bus: "events.bus(of:)"
        case .other: "events.any(of:)"
        }
    }
}

/// An event that is no HTTP request: its source, and where its records stand, read in one pass.
package struct IncomingEvent: Sendable {
    package let json: [UInt8]
    package private(set) var source = EventSource.other
    private var places: [Range<Int>] = []

    /// Nil where the text is no JSON.
    package init?(_ json: [UInt8]) {
        self.json = json
        var marks = Marks()
        do throws(JSONError) {
            try JSONReader.read(json) { (reader) throws(JSONError) in
                if try reader.peek() == .object {
                    try reader.object { (reader, key) throws(JSONError) in try marks.read(key, &reader) }
                } else {
                    try reader.skip()
                }
                try reader.end()
            }
        } catch {
            return nil
        }
        (source, places) = (marks.source, marks.places)
    }

    /// The texts of its records.
    var records: [LambdaEvent] { places.map { LambdaEvent(json: Array(json[$0])) } }

    private struct Marks {
        var places: [Range<Int>] = []
        private var service: String?
        private var detailType: String?
        private var hasSource = false

        mutating func read(_ key: JSONText, _ reader: inout JSONReader) throws(JSONError) {
            switch key {
            case "Records":
                places = []
                try reader.arrayIfAny { (reader) throws(JSONError) in
                    let kind = try reader.peek()
                    let start = reader.offset
                    if places.isEmpty, kind == .object {
                        try reader.object { (reader, key) throws(JSONError) in
                            switch key {
                            case "eventSource", "EventSource": service = try reader.stringIfAny() ?? service
                            default: try reader.skip()
                            }
                        }
                    } else {
                        try reader.skip()
                    }
                    places.append(start..<reader.offset)
                }
            case "detail-type": detailType = try reader.stringIfAny()
            case "source": hasSource = try reader.stringIfAny() != nil
            default: try reader.skip()
            }
        }

        var source: EventSource {
            if let service, service.begins(with: "aws:"), let source = EventSource(rawValue: service) { return source }
            guard let detailType else { return .other }
            if detailType == "Scheduled Event" { return .schedule }
            return hasSource ? .bus : .other
        }
    }
}
