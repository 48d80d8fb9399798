/// Reads JSON (RFC 8259) in one pass over the bytes, taking only what is asked for and checking all of it.
///
/// Not recursive: hostile nesting costs memory, not the stack, and ends at ``depthLimit``.
@_spi(JSON)
public struct JSONReader {
    /// What a value may be.
    public enum Kind: String, Sendable {
        /// The kinds as JSON names them.
        case object, array, string, number, bool, null
    }

    /// Levels of nesting that are followed.
    public static let depthLimit = 512

    @usableFromInline let bytes: UnsafeBufferPointer<UInt8>
    /// Where the next byte is read.
    public var offset: Int
    /// Strings whose escapes had to be resolved; they live as long as the reader is lent.
    var built: [UnsafeMutableBufferPointer<UInt8>] = []

    @usableFromInline
    init(_ bytes: UnsafeBufferPointer<UInt8>, from offset: Int) {
        self.bytes = bytes
        self.offset = offset
    }

    @usableFromInline
    func free() { for string in built { string.deallocate() } }

    /// Lends a reader of a text. Neither it nor a ``JSONText`` that it gave may be used afterwards.
    @inlinable
    public static func read<Result, Failure: Error>(
        _ text: [UInt8], from offset: Int = 0, _ body: (inout JSONReader) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try text.withUnsafeBufferPointer { (bytes) throws(Failure) in
            var reader = JSONReader(bytes, from: offset)
            defer { reader.free() }
            return try body(&reader)
        }
    }

    /// Where a string that this reader gave stands in the text; nil where it had escapes.
    @inlinable @inline(__always)
    public func place(of text: JSONText) -> Int? {
        guard let base = bytes.baseAddress, let start = text.bytes.baseAddress else { return nil }
        let place = UInt(bitPattern: start) &- UInt(bitPattern: base)
        return place < UInt(bitPattern: bytes.count) ? Int(bitPattern: place) : nil
    }

    @inlinable
    var byte: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    /// An error here.
    public func fail(_ problem: String) -> JSONError { JSONError(problem: problem, offset: offset) }

    @inlinable
    mutating func skipSpace() {
        while let byte, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    /// The kind of the value that comes next.
    @inlinable
    public mutating func peek() throws(JSONError) -> Kind {
        skipSpace()
        switch byte {
        case 0x7B: return .object
        case 0x5B: return .array
        case 0x22: return .string
        case 0x74, 0x66: return .bool
        case 0x6E: return .null
        case nil: throw fail("the JSON text ends too early")
        case let byte? where byte == 0x2D || 0x30...0x39 ~= byte: return .number
        default: throw fail("no JSON value begins")
        }
    }

    @usableFromInline
    mutating func expect(_ kind: Kind) throws(JSONError) {
        let found = try peek()
        guard found != kind else { return }
        // Known by its first letter only, so far.
        let isWord = found == .null || found == .bool
        let isLiteral = ["null", "true", "false"].contains { bytes[offset...].starts(with: $0.utf8) }
        throw fail(isWord && !isLiteral ? "no JSON value begins" : "\(kind.rawValue) expected, found \(found.rawValue)")
    }

    @usableFromInline
    mutating func expect(_ literal: StaticString) throws(JSONError) {
        for index in 0..<literal.utf8CodeUnitCount {
            guard byte == literal.utf8Start[index] else { throw fail("no JSON value begins") }
            offset += 1
        }
    }

    /// Only white space may be left.
    public mutating func end() throws(JSONError) {
        skipSpace()
        guard byte == nil else { throw fail("something follows the JSON value") }
    }

    // MARK: Containers

    /// Calls `field` with each key; it must read or ``skip()`` the value.
    @inlinable
    public mutating func object(_ field: (inout JSONReader, JSONText) throws(JSONError) -> Void) throws(JSONError) {
        try expect(.object)
        offset += 1
        skipSpace()
        if byte == 0x7D { offset += 1; return }
        while true {
            let key = try key()
            try field(&self, key)
            if try !continues(until: 0x7D) { return }
        }
    }

    /// Calls `element` for each element; it must read or ``skip()`` it.
    @inlinable
    public mutating func array(_ element: (inout JSONReader) throws(JSONError) -> Void) throws(JSONError) {
        try expect(.array)
        offset += 1
        skipSpace()
        if byte == 0x5D { offset += 1; return }
        while true {
            try element(&self)
            if try !continues(until: 0x5D) { return }
        }
    }

    /// Past a comma: true. Past the closing bracket: false.
    @inlinable
    mutating func continues(until closing: UInt8) throws(JSONError) -> Bool {
        skipSpace()
        switch byte {
        case 0x2C: offset += 1; skipSpace(); return true
        case closing: offset += 1; return false
        default: throw fail("',' or a closing bracket expected")
        }
    }

    /// Checks and forgets one value of any kind.
    ///
    /// - Parameter depth: Levels that are followed; each takes a byte of memory.
    public mutating func skip(depth: Int = depthLimit) throws(JSONError) {
        skipSpace()
        if byte == 0x22 {
            _ = try textInPlace()
            return
        }
        var open: [UInt8] = []
        while true {
            switch try peek() {
            case .object:
                offset += 1
                skipSpace()
                if byte == 0x7D { offset += 1; break }
                open.append(0x7D)
                try skipKey()
                try check(open.count, depth)
                continue
            case .array:
                offset += 1
                skipSpace()
                if byte == 0x5D { offset += 1; break }
                open.append(0x5D)
                try check(open.count, depth)
                continue
            case .string: _ = try textInPlace()
            case .number: try skipNumber()
            case .bool: _ = try bool()
            case .null: try expect("null")
            }
            while let closing = open.last, try !continues(until: closing) { open.removeLast() }
            if open.isEmpty { return }
            if open.last == 0x7D { try skipKey() }
        }
    }

    private func check(_ depth: Int, _ limit: Int) throws(JSONError) {
        if depth > limit { throw fail("nested deeper than \(limit) levels") }
    }

    private mutating func skipKey() throws(JSONError) { _ = try key() }

    /// A name, and the colon behind it.
    @inlinable
    mutating func key() throws(JSONError) -> JSONText {
        skipSpace()
        guard byte == 0x22 else { throw fail("a name in quotes expected") }
        let key = try text()
        skipSpace()
        guard byte == 0x3A else { throw fail("':' expected") }
        offset += 1
        return key
    }

    // MARK: Values

    /// True when a null came, which is then read.
    @inlinable
    public mutating func null() throws(JSONError) -> Bool {
        skipSpace()
        guard byte == 0x6E else { return false }
        try expect("null")
        return true
    }

    /// `true` or `false`.
    @inlinable
    public mutating func bool() throws(JSONError) -> Bool {
        try expect(.bool)
        if byte == 0x74 { try expect("true"); return true }
        try expect("false")
        return false
    }

    /// A number's text, checked.
    public mutating func number() throws(JSONError) -> String {
        try expect(.number)
        let start = offset
        try skipNumber()
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    private mutating func skipNumber() throws(JSONError) {
        if byte == 0x2D { offset += 1 }
        if byte == 0x30 { offset += 1 } else { try digits() }
        if byte == 0x2E { offset += 1; try digits() }
        if byte == 0x65 || byte == 0x45 {
            offset += 1
            if byte == 0x2B || byte == 0x2D { offset += 1 }
            try digits()
        }
    }

    private mutating func digits() throws(JSONError) {
        guard let first = byte, 0x30...0x39 ~= first else { throw fail("a digit expected") }
        while let byte, 0x30...0x39 ~= byte { offset += 1 }
    }
}
