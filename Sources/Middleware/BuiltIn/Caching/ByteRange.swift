internal import SluiceCore

/// The part of a content that a `Range` header asks for (RFC 9110, section 14).
enum ByteRange: Equatable {
    /// No range, one in another unit, one that cannot be read, or several: the whole is sent. Several would be parts of a multipart, which
    /// nobody but old readers of documents asks for, and which many small parts make expensive.
    case whole
    case part(Range<Int>)
    /// None of it lies within the content: a 416.
    case unsatisfiable

    init(_ text: String?, of size: Int) {
        guard let text, let (unit, set) = text.cut(at: "="), unit.trimmed.isSame(ignoringCase: "bytes"),
            !set.utf8.contains(0x2C), let (first, last) = set.trimmed.cut(at: "-")
        else {
            self = .whole
            return
        }
        switch (Self.number(first), Self.number(last)) {
        case (.none, .some(let count)) where first.isEmpty:
            // A suffix of nothing is all of it.
            self = count == 0 ? .unsatisfiable : size == 0 ? .whole : .part(max(0, size - count)..<size)
        case (.some(let first), .none) where last.isEmpty:
            self = first < size ? .part(first..<size) : .unsatisfiable
        case (.some(let first), .some(let last)) where first <= last:
            self = first < size ? .part(first..<(last >= size ? size : last + 1)) : .unsatisfiable
        default: self = .whole
        }
    }

    /// Digits alone; a number that is too large is larger than any content.
    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text) ?? .max
    }
}
