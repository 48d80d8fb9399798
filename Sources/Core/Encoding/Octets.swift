internal import CSluiceRuntime

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Text whose protocol means octets. Swift's `Character` joins what a protocol keeps apart (`;` and a combining mark), and its `==` finds
/// equal what is not (U+037E and `;`, the Kelvin sign and `K`).
extension StringProtocol where SubSequence == Substring {
    /// The parts between the octets of this ASCII character.
    package func split(
        at octet: Unicode.Scalar, maxSplits: Int = .max, omittingEmptySubsequences: Bool = true
    ) -> [Substring] {
        self[...].utf8.split(
            separator: UInt8(ascii: octet), maxSplits: maxSplits, omittingEmptySubsequences: omittingEmptySubsequences
        ).map(Substring.init)
    }

    /// What stands before and behind the first octet of this ASCII character; nil where there is none.
    package func cut(at octet: Unicode.Scalar) -> (before: Substring, after: Substring)? {
        let octets = self[...].utf8
        guard let place = octets.firstIndex(of: UInt8(ascii: octet)) else { return nil }
        return (Substring(octets[..<place]), Substring(octets[octets.index(after: place)...]))
    }

    /// What stands before the first octet of any of these ASCII characters, or all of it.
    package func prefix(before stops: StaticString) -> Substring {
        Substring(
            self[...].utf8.prefix { octet in
                !UnsafeBufferPointer(start: stops.utf8Start, count: stops.utf8CodeUnitCount).contains(octet)
            })
    }

    /// The text without the spaces and tabs around it.
    package var trimmed: Substring {
        var octets = self[...].utf8
        while let first = octets.first, first == 0x20 || first == 0x09 { octets.removeFirst() }
        while let last = octets.last, last == 0x20 || last == 0x09 { octets.removeLast() }
        return Substring(octets)
    }

    /// Whether it begins with the octets of this ASCII text.
    package func begins(with text: StaticString) -> Bool {
        utf8.starts(with: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Whether both have the same octets.
    package func isSame(as other: some StringProtocol) -> Bool { utf8.elementsEqual(other.utf8) }

    /// Whether both have the same octets, but for the case of ASCII letters.
    package func isSame(ignoringCase other: some StringProtocol) -> Bool {
        utf8.elementsEqual(other.utf8) { Octets.lower($0) == Octets.lower($1) }
    }

    /// The text with its ASCII letters in lower case.
    package var asciiLowercased: String { String(decoding: utf8.map(Octets.lower), as: UTF8.self) }
}

/// Single octets.
package enum Octets {
    /// The octet, an ASCII letter in lower case.
    package static func lower(_ octet: UInt8) -> UInt8 { octet &- 0x41 < 26 ? octet | 0x20 : octet }

    /// Whether it is `0-9`, `a-f` or `A-F`.
    package static func isHexDigit(_ octet: UInt8) -> Bool {
        (0x30...0x39).contains(octet) || (0x61...0x66).contains(octet | 0x20)
    }

    /// Where `wanted` first occurs from `start` on; nil where it does not. Linear in both.
    package static func place(of wanted: [UInt8], in octets: [UInt8], from start: Int = 0) -> Int? {
        octets.withUnsafeBufferPointer { hay in
            wanted.withUnsafeBufferPointer { needle in
                guard start >= 0, start <= hay.count, let base = hay.baseAddress, let text = needle.baseAddress,
                    let found = sluice_find(base + start, hay.count - start, text, needle.count)
                else { return nil }
                return found - base
            }
        }
    }
}

extension [UInt8] {
    /// Appends a number's digits.
    package mutating func append(decimal number: Int) {
        guard number >= 0 else { return append(contentsOf: String(number).utf8) }
        var unit = 1
        while number / unit >= 10 { unit *= 10 }
        while unit > 0 {
            append(0x30 + UInt8(truncatingIfNeeded: number / unit % 10))
            unit /= 10
        }
    }
}

extension String {
    /// Whether both have the same octets. Not generic: a route's look-up asks it for each request.
    package func isSame(as other: String) -> Bool {
        var (one, other) = (self, other)
        return one.withUTF8 { one in
            other.withUTF8 { other in
                guard one.count == other.count, let first = one.baseAddress, let second = other.baseAddress else {
                    return one.count == other.count
                }
                return memcmp(first, second, one.count) == 0
            }
        }
    }
}
