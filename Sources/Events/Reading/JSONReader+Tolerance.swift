@_spi(JSON) internal import SluiceCore

/// Envelopes are AWS's to change: each value is read if it is of the kind that is asked for, and skipped where it is not.
extension JSONReader {
    mutating func stringIfAny() throws(JSONError) -> String? {
        guard try peek() == .string else { return try skipped() }
        return try string()
    }

    /// A string's content as UTF-8.
    mutating func bytesIfAny() throws(JSONError) -> [UInt8]? {
        guard try peek() == .string else { return try skipped() }
        return Array(try text().bytes)
    }

    /// A string's content, decoded from base64; nil also where it is none.
    mutating func base64IfAny() throws(JSONError) -> [UInt8]? {
        guard try peek() == .string else { return try skipped() }
        return Base64.decode(try text().bytes)
    }

    /// A whole number, also one that is written as text.
    mutating func integerIfAny() throws(JSONError) -> Int? { try scalarIfAny().flatMap { Int($0) } }

    /// A number of seconds since 1970, with or without a fraction, as a moment.
    mutating func secondsIfAny() throws(JSONError) -> WallClock.Instant? {
        guard let seconds = try scalarIfAny().flatMap({ Double($0) }) else { return nil }
        return Int64(exactly: (seconds * 1000).rounded()).map { WallClock.Instant(millisecondsSinceEpoch: $0) }
    }

    /// A moment as in RFC 3339.
    mutating func timeIfAny() throws(JSONError) -> WallClock.Instant? {
        try stringIfAny().flatMap(Timestamp.parse)
    }

    /// A string, or a number or a boolean as it is written.
    mutating func scalarIfAny() throws(JSONError) -> String? {
        switch try peek() {
        case .string: return try string()
        case .number: return try number()
        case .bool: return try bool() ? "true" : "false"
        case .object, .array, .null: return try skipped()
        }
    }

    /// The strings of an array, whatever else is in it left out.
    mutating func stringsIfAny() throws(JSONError) -> [String] {
        var strings: [String] = []
        try arrayIfAny { (reader) throws(JSONError) in
            if let string = try reader.stringIfAny() { strings.append(string) }
        }
        return strings
    }

    mutating func objectIfAny(_ field: (inout JSONReader, JSONText) throws(JSONError) -> Void) throws(JSONError) {
        guard try peek() == .object else { return try skip() }
        try object(field)
    }

    mutating func arrayIfAny(_ element: (inout JSONReader) throws(JSONError) -> Void) throws(JSONError) {
        guard try peek() == .array else { return try skip() }
        try array(element)
    }

    /// The text of a value of any kind.
    ///
    /// - Parameter text: The text that is being read.
    mutating func slice(of text: [UInt8]) throws(JSONError) -> [UInt8] {
        _ = try peek()
        let start = offset
        try skip()
        return Array(text[start..<offset])
    }

    private mutating func skipped<Value>() throws(JSONError) -> Value? {
        try skip()
        return nil
    }
}

extension [String: String] {
    /// Reads a value under its name, if it is a scalar.
    mutating func read(_ name: JSONText, _ reader: inout JSONReader) throws(JSONError) {
        guard let value = try reader.scalarIfAny(), name.isHarmless else { return }
        self[name.string] = value
    }
}

extension JSONText {
    /// Whether it may be the key of a dictionary: hashing sorts combining marks, and senders choose some names.
    var isHarmless: Bool {
        bytes.allSatisfy { $0 < 0x80 } || !NonStarters.hasLongRun(string.unicodeScalars)
    }
}
