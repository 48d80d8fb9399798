@_spi(JSON) internal import SluiceCore

/// What the platform says of the end of one invocation.
///
/// - SeeAlso: Lambda Telemetry API event schema, <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html>
struct PlatformRecord: Sendable, Equatable {
    enum Kind: String, Sendable, CaseIterable {
        case runtimeDone = "platform.runtimeDone"
        case report = "platform.report"
        case fault = "platform.fault"
    }

    var kind: Kind
    var requestID: String
    /// `success`, `error`, `failure` or `timeout`; nil where the record has none, as a fault.
    var status: String?
    var errorType: String?
    /// Until the first byte of the response, and from there to its last one, in milliseconds.
    var spans: [String: Double] = [:]
    /// The whole, in milliseconds.
    var duration: Double?
    var producedBytes: Int?

    /// Whether the platform counts it as an error.
    var isTrouble: Bool { kind == .fault || ["error", "failure", "timeout"].contains(status) }

    /// The same, with what an earlier record of this invocation said besides.
    func adding(_ earlier: PlatformRecord) -> PlatformRecord {
        var all = self
        all.status = status ?? earlier.status
        all.errorType = errorType ?? earlier.errorType
        all.spans = spans.merging(earlier.spans) { own, _ in own }
        all.duration = duration ?? earlier.duration
        all.producedBytes = producedBytes ?? earlier.producedBytes
        return all
    }

    // MARK: Reading

    /// Reads one batch: an array of `{time, type, record}`, of which those are taken that tell of an invocation's end.
    static func all(in batch: [UInt8]) throws(JSONError) -> [PlatformRecord] {
        var found: [PlatformRecord] = []
        try JSONReader.read(batch) { (json) throws(JSONError) in
            try json.array { (json) throws(JSONError) in
                var kind: Kind?
                var place: Int?
                try json.object { (json, key) throws(JSONError) in
                    if key == "type" {
                        kind = Kind(rawValue: try json.string())
                    } else {
                        if key == "record" { place = json.offset }
                        try json.skip()
                    }
                }
                // Keys come in any order.
                guard let kind, let place else { return }
                if let record = try record(kind, in: batch, at: place) { found.append(record) }
            }
            try json.end()
        }
        return found
    }

    private static func record(_ kind: Kind, in batch: [UInt8], at place: Int) throws(JSONError) -> PlatformRecord? {
        try JSONReader.read(batch, from: place) { (json) throws(JSONError) -> PlatformRecord? in
            if try json.peek() == .string { return fault(kind, try json.string()) }
            var record = PlatformRecord(kind: kind, requestID: "")
            try json.object { (json, key) throws(JSONError) in
                switch key {
                case "requestId": record.requestID = try json.string()
                case "status": record.status = try json.string()
                case "errorType" where try json.peek() == .string: record.errorType = try json.string()
                case "spans": try readSpans(&json, &record)
                case "metrics": try readMetrics(&json, &record)
                default: try json.skip()
                }
            }
            return record.requestID.isEmpty ? nil : record
        }
    }

    private static func readSpans(_ json: inout JSONReader, _ record: inout PlatformRecord) throws(JSONError) {
        var spans: [String: Double] = [:]
        guard try json.peek() == .array else { return try json.skip() }
        try json.array { (json) throws(JSONError) in
            var (name, time) = ("", 0.0)
            try json.object { (json, key) throws(JSONError) in
                switch key {
                case "name": name = try json.string()
                case "durationMs": time = Double(try json.number()) ?? 0
                default: try json.skip()
                }
            }
            spans[name] = time
        }
        record.spans = spans
    }

    private static func readMetrics(_ json: inout JSONReader, _ record: inout PlatformRecord) throws(JSONError) {
        guard try json.peek() == .object else { return try json.skip() }
        var (duration, bytes): (Double?, Int?) = (nil, nil)
        try json.object { (json, key) throws(JSONError) in
            switch key {
            case "durationMs": duration = Double(try json.number())
            case "producedBytes": bytes = Double(try json.number()).flatMap { Int(exactly: $0) }
            default: try json.skip()
            }
        }
        (record.duration, record.producedBytes) = (duration, bytes)
    }

    /// A fault may be text: `RequestId: 8f5f… Error: Runtime exited …`, and the error's type in its second line.
    private static func fault(_ kind: Kind, _ text: String) -> PlatformRecord? {
        let words = text.split(at: " ")
        guard words.first == "RequestId:", words.count > 1 else { return nil }
        var record = PlatformRecord(kind: kind, requestID: String(words[1]))
        record.errorType = text.split(at: "\n").dropFirst().first.map(String.init)
        return record
    }
}
