internal import SluiceCore

/// Reads a JSON body (RFC 8259), to be filtered name by name: in one pass, in a time that grows with its length alone, and no deeper than
/// what is sent of it.
struct JSONParser {
    private let bytes: [UInt8]
    private var offset = 0

    private struct NotJSON: Error {}

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Nil where the bytes are no JSON.
    static func parse(_ bytes: [UInt8]) -> ReportValue? {
        var parser = JSONParser(bytes)
        do throws(NotJSON) {
            let value = try parser.value(depth: ReportValue.depthLimit)
            parser.skipSpace()
            // Not `nil`: that is a value of JSON here.
            return parser.offset == bytes.count ? .some(value) : .none
        } catch {
            return .none
        }
    }

    private var byte: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while let byte, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private mutating func take(_ expected: UInt8) -> Bool {
        skipSpace()
        guard byte == expected else { return false }
        offset += 1
        return true
    }

    private mutating func value(depth: Int) throws(NotJSON) -> ReportValue {
        skipSpace()
        switch byte {
        case 0x7B where depth > 0: return try object(depth)
        case 0x5B where depth > 0: return try array(depth)
        case 0x7B, 0x5B:
            try skipContainer()
            // As what is too deep is sent.
            return .string("…")
        case 0x22: return .string(try string())
        case 0x74: return try literal("true", .bool(true))
        case 0x66: return try literal("false", .bool(false))
        case 0x6E: return try literal("null", .null)
        default: return try number()
        }
    }

    private mutating func object(_ depth: Int) throws(NotJSON) -> ReportValue {
        offset += 1
        var values: [String: ReportValue] = [:]
        if take(0x7D) { return .object(values) }
        while true {
            skipSpace()
            let name = try string()
            guard take(0x3A) else { throw NotJSON() }
            let value = try value(depth: depth - 1)
            // No name that anybody uses, and one that takes long to compare.
            if NonStarters.hasLongRun(name.unicodeScalars) {
                values[Scrubber.filtered] = .string(Scrubber.filtered)
            } else {
                values[name] = value
            }
            if take(0x7D) { return .object(values) }
            guard take(0x2C) else { throw NotJSON() }
        }
    }

    private mutating func array(_ depth: Int) throws(NotJSON) -> ReportValue {
        offset += 1
        var values: [ReportValue] = []
        if take(0x5D) { return .array(values) }
        while true {
            values.append(try value(depth: depth - 1))
            if take(0x5D) { return .array(values) }
            guard take(0x2C) else { throw NotJSON() }
        }
    }

    /// Only the brackets are looked at, and that strings end: nobody will see what is in between.
    private mutating func skipContainer() throws(NotJSON) {
        var open: [UInt8] = []
        while let byte {
            switch byte {
            case 0x22:
                _ = try string()
                continue
            case 0x7B, 0x5B: open.append(byte)
            case 0x7D, 0x5D:
                // '{' and '}' are two apart, '[' and ']' likewise.
                guard open.popLast() == byte - 2 else { throw NotJSON() }
            default: break
            }
            offset += 1
            if open.isEmpty { return }
        }
        throw NotJSON()
    }

    private mutating func literal(_ text: StaticString, _ value: ReportValue) throws(NotJSON) -> ReportValue {
        for index in 0..<text.utf8CodeUnitCount {
            guard byte == text.utf8Start[index] else { throw NotJSON() }
            offset += 1
        }
        return value
    }

    private mutating func number() throws(NotJSON) -> ReportValue {
        let start = offset
        if byte == 0x2D { offset += 1 }
        let isZero = byte == 0x30
        let whole = digits()
        guard whole == 1 || whole > 1 && !isZero else { throw NotJSON() }
        var isWhole = true
        if byte == 0x2E {
            offset += 1
            isWhole = false
            guard digits() > 0 else { throw NotJSON() }
        }
        if byte == 0x65 || byte == 0x45 {
            offset += 1
            isWhole = false
            if byte == 0x2B || byte == 0x2D { offset += 1 }
            guard digits() > 0 else { throw NotJSON() }
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isWhole, let value = Int(text) { return .integer(value) }
        // What no number of ours can hold is sent as it came.
        guard let value = Double(text), value.isFinite else { return .string(text) }
        return .double(value)
    }

    private mutating func digits() -> Int {
        let start = offset
        while let byte, 0x30...0x39 ~= byte { offset += 1 }
        return offset - start
    }

    private mutating func string() throws(NotJSON) -> String {
        guard byte == 0x22 else { throw NotJSON() }
        offset += 1
        var text: [UInt8] = []
        while let byte {
            offset += 1
            switch byte {
            case 0x22:
                guard let text = String(validating: text, as: UTF8.self) else { throw NotJSON() }
                return text
            case 0x5C: try escape(into: &text)
            case 0..<0x20: throw NotJSON()
            default: text.append(byte)
            }
        }
        throw NotJSON()
    }

    private mutating func escape(into text: inout [UInt8]) throws(NotJSON) {
        guard let byte else { throw NotJSON() }
        offset += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: text.append(byte)
        case 0x62: text.append(0x08)
        case 0x66: text.append(0x0C)
        case 0x6E: text.append(0x0A)
        case 0x72: text.append(0x0D)
        case 0x74: text.append(0x09)
        case 0x75:
            var code = try unit()
            if 0xD800...0xDBFF ~= code, byteAt(0) == 0x5C, byteAt(1) == 0x75 {
                offset += 2
                let low = try unit()
                guard 0xDC00...0xDFFF ~= low else { throw NotJSON() }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw NotJSON() }
            text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default: throw NotJSON()
        }
    }

    private func byteAt(_ distance: Int) -> UInt8? { offset + distance < bytes.count ? bytes[offset + distance] : nil }

    /// Four hexadecimal digits.
    private mutating func unit() throws(NotJSON) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch byte {
            case let byte? where 0x30...0x39 ~= byte: digit = byte - 0x30
            case let byte? where 0x41...0x46 ~= byte: digit = byte - 0x37
            case let byte? where 0x61...0x66 ~= byte: digit = byte - 0x57
            default: throw NotJSON()
            }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }
}
