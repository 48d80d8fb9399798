internal import CSluiceRuntime

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Looks at the names of a JSON text before a decoder does, which hashes and compares them: see ``NonStarters``.
@usableFromInline
package enum JSONNames {
    /// - Throws: `DecodingError` where a decoder must not see the text: who sends it chooses its names.
    @usableFromInline
    package static func check(_ json: [UInt8], of what: StaticString) throws {
        guard let problem = problem(in: json) else { return }
        throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "\(what) \(problem)"))
    }

    /// Why a decoder must not see the text; nil when it may. In one pass; whether it is JSON at all is for the decoder to say.
    package static func problem(in text: [UInt8]) -> String? {
        text.withUnsafeBufferPointer { text in
            guard let base = text.baseAddress else { return nil }
            // UTF-16 and UTF-32, which the decoder would take too, have NULs beside each bracket; no JSON in UTF-8 has any (RFC 8259, 8.1).
            if memchr(base, 0, text.count) != nil { return "is not UTF-8" }
            // Most texts: no mark can be written without one of these.
            if sluice_is_ascii(base, text.count) != 0, memchr(base, 0x5C, text.count) == nil { return nil }
            return scan(text) ? "has a field whose name has too many combining marks in a row" : nil
        }
    }

    private static func scan(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var offset = 0
        while offset < text.count {
            guard text[offset] == 0x22 else { offset += 1; continue }
            let start = offset + 1
            var isPlain = true
            offset = start
            while offset < text.count, text[offset] != 0x22 {
                if text[offset] == 0x5C { offset += 1 }
                if offset < text.count, text[offset] >= 0x80 || text[offset] == 0x75 { isPlain = false }
                offset += 1
            }
            let end = min(offset, text.count)
            offset += 1
            guard !isPlain else { continue }
            var next = offset
            while next < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[next]) { next += 1 }
            guard next < text.count, text[next] == 0x3A else { continue }
            if NonStarters.hasLongRun(scalars(of: text[start..<end])) { return true }
        }
        return false
    }

    /// The characters of a string between its quotes. A surrogate that stands alone counts as none.
    private static func scalars(of string: Slice<UnsafeBufferPointer<UInt8>>) -> [Unicode.Scalar] {
        var units: [UInt16] = []
        var offset = string.startIndex
        var plainStart = offset
        func takePlain() { units += Array(String(decoding: string[plainStart..<offset], as: UTF8.self).utf16) }
        while offset < string.endIndex {
            guard string[offset] == 0x5C, offset + 1 < string.endIndex else { offset += 1; continue }
            takePlain()
            offset += 2
            if string[offset - 1] == 0x75, offset + 4 <= string.endIndex {
                let digits = String(decoding: string[offset..<offset + 4], as: UTF8.self)
                units.append(UInt16(digits, radix: 16) ?? 0)
                offset += 4
            } else {
                units.append(0)
            }
            plainStart = offset
        }
        takePlain()
        return Array(String(decoding: units, as: UTF16.self).unicodeScalars)
    }
}
