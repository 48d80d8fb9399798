/// Percent-encoding of RFC 3986.
package enum PercentEncoding {
    /// Decodes once. Nil when a `%` lacks its two digits, or when the bytes are not UTF-8.
    package static func decode(_ text: Substring) -> String? {
        var text = text
        return text.withUTF8(decode)
    }

    /// As ``decode(_:)-(Substring)``, of bytes that are UTF-8. Not generic: each request's path comes by here.
    package static func decode(_ source: UnsafeBufferPointer<UInt8>) -> String? {
        guard source.contains(0x25) else { return String(decoding: source, as: UTF8.self) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(source.count)
        var iterator = source.makeIterator()
        while let byte = iterator.next() {
            if byte == 0x25 {
                guard let high = iterator.next().flatMap(digit), let low = iterator.next().flatMap(digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Decodes as a form's fields are: `+` is a space, a `%` without two digits is itself, what is not UTF-8 is replaced.
    ///
    /// - SeeAlso: WHATWG URL, "application/x-www-form-urlencoded parsing".
    @inlinable
    package static func decodeForm(_ octets: some Collection<UInt8>) -> String {
        // Inlined into its callers' modules: not specialised, it would be several calls a byte.
        octets.withContiguousStorageIfAvailable(decodeFormBytes) ?? Array(octets).withUnsafeBufferPointer(decodeFormBytes)
    }

    @usableFromInline
    package static func decodeFormBytes(_ octets: UnsafeBufferPointer<UInt8>) -> String {
        guard octets.contains(where: { $0 == 0x25 || $0 == 0x2B }) else { return String(decoding: octets, as: UTF8.self) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(octets.count)
        var place = octets.startIndex
        while place < octets.endIndex {
            let byte = octets[place]
            octets.formIndex(after: &place)
            if byte == 0x25, place < octets.endIndex, let high = digit(octets[place]) {
                let second = octets.index(after: place)
                if second < octets.endIndex, let low = digit(octets[second]) {
                    bytes.append(high << 4 | low)
                    place = octets.index(after: second)
                    continue
                }
            }
            bytes.append(byte == 0x2B ? 0x20 : byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    /// Escapes what a URL's path cannot hold (spaces, controls, non-ASCII, `"<>\^`{|}`), and leaves the rest as it came.
    ///
    /// - Parameter escapingLonePercent: Whether a `%` without two digits becomes `%25`: where the front end has decoded the path.
    package static func repair(_ path: String, escapingLonePercent: Bool = false) -> String {
        let path = escapingLonePercent && path.utf8.contains(0x25) ? escapeLonePercent(path) : path
        if hasOnly(isPathByte, path) { return path }
        return escape(path, keeping: isPathByte)
    }

    private static func escapeLonePercent(_ path: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(path.utf8)[...]
        while let byte = rest.popFirst() {
            bytes.append(byte)
            if byte == 0x25, rest.prefix(2).compactMap(digit).count < 2 { bytes += [0x32, 0x35] }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Escapes all but the unreserved characters `A-Z a-z 0-9 - _ . ! ~ * ' ( )`, as `encodeURIComponent` does.
    package static func component(_ text: String) -> String {
        hasOnly(isComponentByte, text) ? text : escape(text, keeping: isComponentByte)
    }

    /// Over the bytes in place: each invocation asks it of its path and its id.
    private static func hasOnly(_ isKept: (UInt8) -> Bool, _ text: String) -> Bool {
        var text = text
        return text.withUTF8 { $0.allSatisfy(isKept) }
    }

    /// Escapes all but the unreserved characters of RFC 3986, section 2.3: `A-Z a-z 0-9 - . _ ~`.
    package static func unreserved(_ text: String) -> String {
        escape(
            text,
            keeping: { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
                default: false
                }
            })
    }

    /// Escapes what the fragment of a URI cannot hold (RFC 3986, section 3.5), `%` included.
    package static func fragment(_ text: String) -> String {
        escape(text, keeping: { isPathByte($0) && $0 != 0x25 && $0 != 0x5B && $0 != 0x5D || $0 == 0x3F })
    }

    private static func isComponentByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x2D, 0x5F, 0x2E, 0x21, 0x7E, 0x2A, 0x27, 0x28, 0x29: true  // - _ . ! ~ * ' ( )
        default: false
        }
    }

    private static func isPathByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, 0x7F...: false
        case 0x22, 0x3C, 0x3E, 0x5C, 0x5E, 0x60, 0x7B, 0x7C, 0x7D, 0x3F, 0x23: false  // " < > \ ^ ` { | } ? #
        default: true
        }
    }

    private static func escape(_ text: String, keeping isKept: (UInt8) -> Bool) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isKept(byte) {
                bytes.append(byte)
            } else {
                bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
