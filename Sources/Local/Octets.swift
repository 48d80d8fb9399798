/// Text split by octets, as HTTP means it: Swift's `Character` joins a separator and a combining mark. Our own code, as all of this module.
extension StringProtocol where SubSequence == Substring {
    /// The parts between the octets of this ASCII character; empty ones count.
    func parts(at separator: Unicode.Scalar, atMost count: Int = .max) -> [Substring] {
        self[...].utf8.split(
            separator: UInt8(ascii: separator), maxSplits: count - 1, omittingEmptySubsequences: false
        ).map(Substring.init)
    }

    /// The text without the spaces and tabs around it.
    var withoutBlanks: String {
        func isBlank(_ octet: UInt8) -> Bool { octet == 0x20 || octet == 0x09 }
        let octets = Array(utf8)
        let start = octets.firstIndex { !isBlank($0) } ?? octets.endIndex
        let end = octets.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? start
        return String(decoding: octets[start..<end], as: UTF8.self)
    }
}
