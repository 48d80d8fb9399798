internal import Logging
internal import SluiceCore
internal import SluiceReporting

/// One structured log.
///
/// - SeeAlso: Sentry's developer documentation, "Logs".
struct SentryLog: Sendable {
    var level: Logger.Level
    var body: String
    var traceID: String
    var attributes: [String: ReportValue]
    var timestamp = WallClock.Instant.now

    var json: [UInt8] {
        var json = JSONWriter(reserving: 512)
        json.object { json in
            json.key("timestamp")
            json.number(timestamp.secondsSinceEpoch)
            json.field("trace_id", traceID)
            let (name, severity) = Self.severity(level)
            json.field("level", name)
            json.field("severity_number", severity)
            json.field("body", Trim.text(body, to: Trim.message))
            json.key("attributes")
            json.object { json in
                for (key, value) in attributes.inOrder { value.writeAttribute(key, to: &json) }
            }
        }
        return json.bytes
    }

    private static func severity(_ level: Logger.Level) -> (String, Int) {
        switch level {
        case .trace: ("trace", 1)
        case .debug: ("debug", 5)
        case .info, .notice: ("info", 9)
        case .warning: ("warn", 13)
        case .error: ("error", 17)
        case .critical: ("fatal", 21)
        }
    }
}

extension ReportValue {
    /// `"key":{"value":…,"type":…}`.
    fileprivate func writeAttribute(_ key: String, to json: inout JSONWriter) {
        json.key(key)
        json.object { json in
            json.key("value")
            let type: String
            switch self {
            case .bool: type = "boolean"
            case .integer: type = "integer"
            case .double: type = "double"
            default: type = "string"
            }
            switch self {
            case .bool, .integer, .double, .string: write(to: &json)
            default:
                var nested = JSONWriter()
                write(to: &nested)
                json.string(nested.bytes)
            }
            json.field("type", type)
        }
    }
}
