@_spi(JSON) internal import SluiceCore

/// Reads a JSON body, to be filtered name by name: in a time that grows with its length alone, and no deeper than what is sent of it.
enum JSONParser {
    /// Nil where the bytes are no JSON.
    static func parse(_ bytes: [UInt8]) -> ReportValue? {
        do throws(JSONError) {
            return try JSONReader.read(bytes) { (reader) throws(JSONError) in
                let value = try value(&reader, depth: ReportValue.depthLimit)
                try reader.end()
                // Not `nil`: that is a value of JSON here.
                return .some(value)
            }
        } catch {
            return .none
        }
    }

    private static func value(_ reader: inout JSONReader, depth: Int) throws(JSONError) -> ReportValue {
        switch try reader.peek() {
        case .object where depth > 0: return try object(&reader, depth)
        case .array where depth > 0:
            var values: [ReportValue] = []
            try reader.array { (reader) throws(JSONError) in values.append(try value(&reader, depth: depth - 1)) }
            return .array(values)
        case .object, .array:
            try reader.skip(depth: .max)
            // As what is too deep is sent.
            return .string("…")
        case .string: return .string(try reader.string())
        case .number: return number(try reader.number())
        case .bool: return .bool(try reader.bool())
        case .null:
            _ = try reader.null()
            return .null
        }
    }

    private static func object(_ reader: inout JSONReader, _ depth: Int) throws(JSONError) -> ReportValue {
        var values: [String: ReportValue] = [:]
        try reader.object { (reader, name) throws(JSONError) in
            let name = name.string
            let value = try value(&reader, depth: depth - 1)
            // No name that anybody uses, and one that takes long to compare.
            if NonStarters.hasLongRun(name.unicodeScalars) {
                values[Scrubber.filtered] = .string(Scrubber.filtered)
            } else {
                values[name] = value
            }
        }
        return .object(values)
    }

    private static func number(_ text: String) -> ReportValue {
        if let value = Int(text) { return .integer(value) }
        // What no number of ours can hold is sent as it came.
        guard let value = Double(text), value.isFinite else { return .string(text) }
        return .double(value)
    }
}
