internal import CSluiceRuntime
internal import SluiceCore

/// Which bodies travel as text in a buffered response; all others are base64, which is never wrong for payload 2.0.
enum BodyEncoding {
    /// Text: a type on the list, no content encoding but identity, and bytes that are UTF-8.
    static func isText(_ contentType: String?, isIdentity: Bool, _ bytes: [UInt8]) -> Bool {
        bytes.isEmpty || isIdentity && isTextual(contentType) && isUTF8(bytes)
    }

    private static func isUTF8(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return true }
            return sluice_is_ascii(base, bytes.count) != 0 || String(validating: bytes, as: UTF8.self) != nil
        }
    }

    static func isIdentity(_ encoding: String?) -> Bool {
        guard let encoding else { return true }
        return encoding.split(at: ",").allSatisfy { part in
            let name = part.trimmed.lowercased()
            return name.isEmpty || name.isSame(as: "identity")
        }
    }

    /// `text/…`, and what is text by its subtype or its suffix (RFC 6838, section 4.2.8).
    static func isTextual(_ contentType: String?) -> Bool {
        guard var contentType else { return false }
        return contentType.withUTF8 { bytes in
            let type = trimmed(bytes.prefix { $0 != 0x3B })
            guard let slash = type.firstIndex(of: 0x2F) else { return false }
            let subtype = type[(slash + 1)...]
            if subtype.isEmpty || subtype.contains(0x2F) { return false }
            if isSame(type[..<slash], "text") { return true }
            let last = subtype.lastIndex(of: 0x2B).map { subtype[($0 + 1)...] } ?? subtype
            return textual.contains { isSame(last, $0) }
        }
    }

    private static let textual: [StaticString] = ["json", "xml", "yaml", "javascript", "x-www-form-urlencoded", "x-ndjson"]

    private static func trimmed(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Slice<UnsafeBufferPointer<UInt8>> {
        var bytes = bytes
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        return bytes
    }

    /// Whether the bytes are this lower-case word, in whatever case.
    private static func isSame(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, _ word: StaticString) -> Bool {
        bytes.count == word.utf8CodeUnitCount
            && zip(bytes, UnsafeBufferPointer(start: word.utf8Start, count: bytes.count)).allSatisfy { byte, letter in
                // Typed: an older compiler gives the expression up otherwise.
                let lower: UInt8 = byte &- 0x41 < 26 ? byte | 0x20 : byte
                return lower == letter
            }
    }
}
