internal import SluiceCore
internal import SluiceReporting

/// What the protocol accepts in named fields; what it would reject is nil here, and so left out.
enum Field {
    /// At most 200 characters, no `/`, `\`, line break or tab; not `.`, `..` or `latest`.
    static func release(_ text: String?) -> String? {
        guard let text = trimmed(text), text.unicodeScalars.count <= 200, ![".", "..", "latest"].contains(text),
            !text.unicodeScalars.contains(where: { "/\\\n\r\t\u{0C}".unicodeScalars.contains($0) })
        else { return nil }
        return text
    }

    /// At most 64 characters, no `/`, line break or tab; not `none`.
    static func environment(_ text: String?) -> String? {
        guard let text = trimmed(text), text.unicodeScalars.count <= 64, text.lowercased() != "none",
            !text.unicodeScalars.contains(where: { "/\n\r\t\u{0C}".unicodeScalars.contains($0) })
        else { return nil }
        return text
    }

    /// At most 64 characters.
    static func dist(_ text: String?) -> String? {
        guard let text = trimmed(text), text.unicodeScalars.count <= 64,
            text.utf8.allSatisfy({ isTagByte($0) })
        else { return nil }
        return text
    }

    /// A key of `[a-zA-Z0-9_.:-]`, 200 at most, and a value of one line that is not empty, cut at 200; nil when it cannot be sent.
    static func tag(_ key: String, _ value: String) -> (String, String)? {
        guard !key.isEmpty, key.utf8.count <= 200, key.utf8.allSatisfy(isTagByte), !value.isEmpty,
            !value.unicodeScalars.contains(where: { $0 == "\n" || $0 == "\r" })
        else { return nil }
        return (key, Trim.text(value, to: Trim.tag))
    }

    private static func isTagByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x3A, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }

    private static func trimmed(_ text: String?) -> String? {
        guard var text = text.map({ Substring($0) }) else { return nil }
        while text.first?.isWhitespace == true { text = text.dropFirst() }
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return text.isEmpty ? nil : String(text)
    }
}
