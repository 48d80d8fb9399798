internal import CSluiceRuntime

@_spi(JSON)
extension JSONReader {
    /// A string, as a value of Swift's own.
    @inlinable
    public mutating func string() throws(JSONError) -> String { try text().string }

    /// A string's content, checked. A lone surrogate escape becomes U+FFFD.
    public mutating func text() throws(JSONError) -> JSONText {
        if byte != 0x22 { try expect(.string) }
        if let plain = plainText() { return plain }
        offset += 1
        let start = offset
        var isASCII = true
        if try !runs(&isASCII) { return try builtText(from: start, isASCII) }
        return try checked(from: start, isASCII)
    }

    /// A string's content as it stands in the text; nil where it has escapes. These are checked, and stand for nothing.
    public mutating func textInPlace() throws(JSONError) -> JSONText? {
        if byte != 0x22 { try expect(.string) }
        if let plain = plainText() { return plain }
        offset += 1
        let start = offset
        var (isASCII, hasEscapes) = (true, false)
        while try !runs(&isASCII) {
            hasEscapes = true
            _ = try escape()
        }
        let content = try checked(from: start, isASCII)
        return hasEscapes ? nil : content
    }

    /// What most strings are: short ASCII without escapes. Nil for any other, of which nothing is read then.
    @inline(__always)
    private mutating func plainText() -> JSONText? {
        guard let base = bytes.baseAddress else { return nil }
        let start = offset + 1
        let count = sluice_json_string(base + start, min(bytes.count - start, 1024))
        guard count >= 0 else { return nil }
        offset = start + count + 1
        return JSONText(UnsafeBufferPointer(start: base + start, count: count))
    }

    /// What lies before the closing quote, which has just been read.
    private func checked(from start: Int, _ isASCII: Bool) throws(JSONError) -> JSONText {
        let content = UnsafeBufferPointer(rebasing: bytes[start..<offset - 1])
        if !isASCII { try validate(content, at: start) }
        return JSONText(content)
    }

    /// Past the closing quote: true. Before a backslash: false.
    private mutating func runs(_ isASCII: inout Bool) throws(JSONError) -> Bool {
        while let base = bytes.baseAddress, offset < bytes.count {
            var plain: CInt = 0
            offset += sluice_json_plain(base + offset, bytes.count - offset, &plain)
            if plain == 0 { isASCII = false }
            guard let byte else { break }
            if byte == 0x22 { offset += 1; return true }
            if byte == 0x5C { return false }
            guard byte == 0x7F else { throw fail("a control character stands in a string") }
            offset += 1
        }
        throw fail("a string does not end")
    }

    /// A string with escapes, from its first byte on; the offset is at the first backslash.
    private mutating func builtText(from start: Int, _ startIsASCII: Bool) throws(JSONError) -> JSONText {
        var isASCII = startIsASCII
        var built = Array(bytes[start..<offset])
        while true {
            built.append(try escape())
            let pending = offset
            let ended = try runs(&isASCII)
            built += bytes[pending..<(ended ? offset - 1 : offset)]
            if ended { break }
        }
        // Escapes are ASCII, and what they stand for is written as UTF-8.
        if !isASCII { try validate(UnsafeBufferPointer(rebasing: bytes[start..<offset]), at: start) }
        let kept = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: built.count)
        _ = kept.initialize(fromContentsOf: built)
        self.built.append(kept)
        return JSONText(UnsafeBufferPointer(kept))
    }

    private func validate(_ text: UnsafeBufferPointer<UInt8>, at start: Int) throws(JSONError) {
        guard String(validating: text, as: UTF8.self) != nil else {
            throw JSONError(problem: "a string is not UTF-8", offset: start)
        }
    }

    /// Reads an escape, from its backslash on: what it stands for.
    private mutating func escape() throws(JSONError) -> Unicode.Scalar {
        offset += 1
        guard let byte else { throw fail("a string does not end") }
        offset += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: return Unicode.Scalar(byte)
        case 0x62: return "\u{08}"
        case 0x66: return "\u{0C}"
        case 0x6E: return "\n"
        case 0x72: return "\r"
        case 0x74: return "\t"
        case 0x75: return try escapedScalar()
        default: throw fail("an unknown escape stands in a string")
        }
    }

    /// The scalar of four hexadecimal digits, or of two such escapes that are a surrogate pair.
    private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
        var scalar = UInt32(try hex4())
        if scalar & 0xFC00 == 0xD800, byte == 0x5C, offset + 1 < bytes.count, bytes[offset + 1] == 0x75 {
            let before = offset
            offset += 2
            let low = UInt32(try hex4())
            if low & 0xFC00 == 0xDC00 {
                scalar = 0x10000 + (scalar & 0x3FF) << 10 + (low & 0x3FF)
            } else {
                offset = before
            }
        }
        return Unicode.Scalar(scalar) ?? "\u{FFFD}"
    }

    private mutating func hex4() throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw fail("four hexadecimal digits expected")
            }
            value = value << 4 | UInt16(digit)
            offset += 1
        }
        return value
    }
}

extension [UInt8] {
    /// Appends the UTF-8 of a scalar.
    fileprivate mutating func append(_ scalar: Unicode.Scalar) {
        append(contentsOf: String(Character(scalar)).utf8)
    }
}
