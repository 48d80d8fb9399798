internal import Logging
internal import SluiceReporting
internal import SluiceCore

/// One record, its two forms.
struct LogRecord {
    let time: String
    let level: String
    let label: String
    let message: String
    let error: (any Error)?
    let metadata: Logger.Metadata
    let scope: InvocationScope?

    /// One JSON object and a line feed. Field names are those of Lambda's own runtimes.
    var json: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("timestamp", time)
            json.field("level", level)
            if let scope {
                json.field("requestId", scope.requestID)
                if let tenant = scope.tenantID { json.field("tenantId", tenant) }
            }
            json.field("message", message)
            if let error { write(error, to: &json) }
            json.field("logger", label)
            if !metadata.isEmpty {
                json.key("metadata")
                Self.write(.dictionary(metadata), to: &json)
            }
        }
        return json.bytes + [0x0A]
    }

    /// `time TAB request TAB LEVEL TAB message`, with an error `TAB JSON`. Control characters are escaped, so that one record
    /// is one line and nobody can forge another.
    var text: [UInt8] {
        var line = "\(time)\t\(Self.escape(scope?.requestID ?? "-"))\t\(level)\t\(Self.escape(message))"
        for (key, value) in metadata.inOrder {
            line += " \(Self.escape(key))=\(Self.escape(value.description))"
        }
        var bytes = Array(line.utf8)
        if let error {
            var json = JSONWriter()
            json.object { write(error, to: &$0) }
            bytes.append(0x09)
            bytes += json.bytes
        }
        return bytes + [0x0A]
    }

    private func write(_ error: any Error, to json: inout JSONWriter) {
        json.field("errorType", ErrorDocument.name(of: error))
        json.field("errorMessage", String(describing: error))
        json.key("stackTrace")
        json.array { json in
            for frame in scope?.stack(of: error) ?? [] { json.string(frame.utf8) }
        }
    }

    private static func write(_ value: Logger.MetadataValue, to json: inout JSONWriter) {
        switch value {
        case .string(let text): json.string(text.utf8)
        case .stringConvertible(let value): json.string(value.description.utf8)
        case .array(let values): json.array { json in for value in values { write(value, to: &json) } }
        case .dictionary(let values):
            json.object { json in
                for (key, value) in values.inOrder {
                    json.key(key)
                    write(value, to: &json)
                }
            }
        }
    }

    private static func escape(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
