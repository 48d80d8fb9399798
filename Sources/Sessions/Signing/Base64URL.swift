/// Base64 with the alphabet of URLs and without padding (RFC 4648, section 5): each of its characters may stand in a cookie.
enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        var (pending, bits) = (UInt32(0), UInt32(0))
        for byte in bytes {
            pending = (pending << 8) | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(alphabet[Int((pending >> bits) & 63)])
            }
        }
        if bits > 0 { text.append(alphabet[Int((pending << (6 - bits)) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for everything that ``encode(_:)`` does not write: one value has one text, so that no bit of a cookie is without a meaning.
    static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var (pending, bits) = (UInt32(0), UInt32(0))
        for octet in text {
            guard let value = value(of: octet) else { return nil }
            pending = (pending << 6) | value
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: pending >> bits))
            }
        }
        // Six bits that are left are a character that says nothing; the others fill the last one up, with zeros.
        guard bits < 6, pending & ((1 << bits) - 1) == 0 else { return nil }
        return bytes
    }

    private static func value(of octet: UInt8) -> UInt32? {
        switch octet {
        case 0x41...0x5A: UInt32(octet) - 0x41
        case 0x61...0x7A: UInt32(octet) - 0x61 + 26
        case 0x30...0x39: UInt32(octet) - 0x30 + 52
        case 0x2D: 62
        case 0x5F: 63
        default: nil
        }
    }
}
