internal import CSluiceRuntime

@_spi(JSON)
extension JSONReader {
    /// From how many characters on a string is looked at twice at a price: it fits into no first cache.
    package static let longString = 32 * 1024

    /// A long string that is base64 as it stands, and what that stands for: read once, where ``text()`` and then ``Base64`` read it twice.
    /// Nil where it is short or anything else; nothing is read then.
    ///
    /// - Parameter least: How many characters are long.
    package mutating func longBase64(from least: Int = longString) -> (text: JSONText, decoded: [UInt8])? {
        guard bytes.count - offset > least, byte == 0x22, let base = bytes.baseAddress else { return nil }
        let start = offset + 1
        var end = start
        var decoded = [UInt8](unsafeUninitializedCapacity: (bytes.count - start) / 4 * 3 + 2) { output, count in
            guard let to = output.baseAddress else { return }
            let taken = sluice_base64_prefix(base + start, bytes.count - start, to)
            end += taken
            count = taken / 4 * 3
        }
        // The last group, with its padding.
        if end + 4 < bytes.count, bytes[end] != 0x22 {
            guard let last = Base64.decode(UnsafeBufferPointer(rebasing: bytes[end..<end + 4])) else { return nil }
            decoded += last
            end += 4
        }
        guard end < bytes.count, bytes[end] == 0x22, end - start >= least else { return nil }
        // Where much follows the string, the room was for that as well.
        if decoded.capacity > 2 * decoded.count { decoded = decoded.withUnsafeBufferPointer { Array($0) } }
        offset = end + 1
        return (JSONText(UnsafeBufferPointer(rebasing: bytes[start..<end])), decoded)
    }
}
