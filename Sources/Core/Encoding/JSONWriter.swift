internal import CSluiceRuntime

/// Appends JSON to a byte array: what replies, error documents, logs and reports need, without an intermediate tree.
package struct JSONWriter {
    /// What has been written.
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init(reserving capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    private mutating func separate() {
        if needsComma { bytes.append(0x2C) }
        needsComma = true
    }

    package mutating func object(_ content: (inout JSONWriter) -> Void) { nest(0x7B, 0x7D, content) }
    package mutating func array(_ content: (inout JSONWriter) -> Void) { nest(0x5B, 0x5D, content) }

    private mutating func nest(_ open: UInt8, _ close: UInt8, _ content: (inout JSONWriter) -> Void) {
        separate()
        bytes.append(open)
        needsComma = false
        content(&self)
        bytes.append(close)
        needsComma = true
    }

    /// A key; the next call writes its value.
    package mutating func key(_ name: String) {
        separate()
        quote(name.utf8)
        bytes.append(0x3A)
        needsComma = false
    }

    /// A key of which no byte needs an escape.
    package mutating func key(plain name: StaticString) {
        separate()
        bytes.append(0x22)
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(0x22)
        bytes.append(0x3A)
        needsComma = false
    }

    package mutating func field(_ name: String, _ text: String) {
        // As a rule: short, and as it is.
        if writePlainField(name, text) { return }
        key(name)
        string(text.utf8)
    }

    /// Nothing is written where one of them is long or needs an escape.
    private mutating func writePlainField(_ name: String, _ text: String) -> Bool {
        let room = 512
        guard name.utf8.count + text.utf8.count + 5 <= room else { return false }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: room) { field in
            guard let base = field.baseAddress else { return false }
            let written = name.utf8.withContiguousStorageIfAvailable { name in
                text.utf8.withContiguousStorageIfAvailable { text in
                    sluice_json_field(base, name.baseAddress, name.count, text.baseAddress, text.count)
                }
            }
            guard case .some(.some(let count)) = written, count > 0 else { return false }
            separate()
            bytes.append(contentsOf: UnsafeBufferPointer(start: base, count: count))
            return true
        }
    }

    package mutating func field(_ name: String, _ number: Int) {
        key(name)
        self.number(number)
    }

    package mutating func field(_ name: String, _ flag: Bool) {
        key(name)
        separate()
        bytes.append(contentsOf: (flag ? "true" : "false").utf8)
    }

    /// A number that JSON can hold; what it cannot (NaN, infinities) is written as a string.
    package mutating func number(_ value: Double) {
        guard value.isFinite else { return string(String(value).utf8) }
        separate()
        // 1e20 and the like print as Swift does, which is JSON too; whole numbers without a fraction.
        if let whole = Int64(exactly: value) {
            bytes.append(contentsOf: String(whole).utf8)
        } else {
            bytes.append(contentsOf: value.description.utf8)
        }
    }

    package mutating func number(_ value: Int) {
        separate()
        bytes.append(decimal: value)
    }

    package mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

    package mutating func null() { raw("null") }

    private mutating func raw(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    /// A string; its bytes must be UTF-8.
    package mutating func string(_ text: some Collection<UInt8>) {
        separate()
        quote(text)
    }

    /// A string of which every byte is known to need no escape, as base64.
    package mutating func plainString(_ text: [UInt8]) {
        separate()
        bytes.append(0x22)
        bytes += text
        bytes.append(0x22)
    }

    private mutating func quote(_ text: some Collection<UInt8>) {
        bytes.append(0x22)
        if text.withContiguousStorageIfAvailable({ append(escaping: $0) }) == nil {
            Array(text).withUnsafeBufferPointer { append(escaping: $0) }
        }
        bytes.append(0x22)
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private mutating func append(escaping text: UnsafeBufferPointer<UInt8>) {
        guard let base = text.baseAddress else { return }
        var at = 0
        while true {
            var isASCII: CInt = 0
            let plain = sluice_json_plain(base + at, text.count - at, &isASCII)
            bytes.append(contentsOf: UnsafeBufferPointer(start: base + at, count: plain))
            at += plain
            if at == text.count { return }
            escape(text[at])
            at += 1
        }
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(0x5C)
        switch byte {
        case 0x22, 0x5C: bytes.append(byte)
        case 0x0A: bytes.append(0x6E)
        case 0x0D: bytes.append(0x72)
        case 0x09: bytes.append(0x74)
        default:
            bytes += [0x75, 0x30, 0x30, Self.digits[Int(byte >> 4)], Self.digits[Int(byte & 15)]]
        }
    }
}
