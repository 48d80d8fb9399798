internal import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// One header or trailer line; the name in lower case, the value as it came.
package struct HTTPLine: Sendable, Equatable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What stands before a message's body.
package struct HTTPMessageHead: Sendable {
    /// A request's method; empty in a response.
    package var method = ""
    /// A request's target, as it was sent; empty in a response.
    package var target = ""
    /// A response's status; 0 in a request.
    package var status = 0
    /// 1 of HTTP/1.1, 0 of HTTP/1.0.
    package var minorVersion = 1
    /// Whether the connection can carry another message after this one (RFC 9112, section 9.3).
    package var keepsAlive = true
    var text = HTTPLines()

    package init() {}

    package var lines: [HTTPLine] {
        get { text.lines }
        set { text = HTTPLines(newValue) }
    }

    /// The first line with this name, in whatever case.
    package subscript(name: StaticString) -> String? { text[name] }

    /// Lends each line in turn: for who wants several.
    package func forEachLine(_ body: (LentLine) -> Void) { text.forEach(body) }
}

/// A line where it stands in its message, for as long as it is lent.
package struct LentLine {
    fileprivate let name: UnsafeBufferPointer<UInt8>
    fileprivate let bytes: UnsafeBufferPointer<UInt8>

    /// The value; nil where it is empty.
    package var value: String? { bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self) }

    /// Whether it has this name, in whatever case.
    package static func ~= (name: StaticString, line: LentLine) -> Bool {
        guard let base = line.name.baseAddress, line.name.count == name.utf8CodeUnitCount else { return false }
        return strncasecmp(base, name.utf8Start, line.name.count) == 0
    }
}

/// Lines as they came, in two arrays: most are never asked for, and become no strings.
struct HTTPLines: Sendable {
    /// Names and values as they came, by turns.
    private(set) var bytes: [UInt8] = []
    /// Where each name and each value ends.
    private(set) var ends: [Int] = []

    init() {}

    init(_ lines: [HTTPLine]) {
        for line in lines {
            append(line.name.utf8)
            end()
            append(line.value.utf8)
            end()
        }
    }

    var isEmpty: Bool { bytes.isEmpty }

    mutating func reserve() {
        // More than most heads have, and what malloc keeps at hand: from 1033 bytes on it searches.
        bytes.reserveCapacity(768)
        ends.reserveCapacity(32)
    }

    mutating func append(_ part: some Collection<UInt8>) { bytes.append(contentsOf: part) }

    /// The name or the value is whole.
    mutating func end() { ends.append(bytes.count) }

    var lines: [HTTPLine] {
        (0..<ends.count / 2).map { index in HTTPLine(text(at: 2 * index).asciiLowercased, text(at: 2 * index + 1)) }
    }

    private func range(at index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }
    private func text(at index: Int) -> String { String(decoding: bytes[range(at: index)], as: UTF8.self) }

    func forEach(_ body: (LentLine) -> Void) {
        bytes.withUnsafeBufferPointer { bytes in
            var start = 0
            for index in 0..<ends.count / 2 {
                let (end, valueEnd) = (ends[2 * index], ends[2 * index + 1])
                body(
                    LentLine(
                        name: UnsafeBufferPointer(rebasing: bytes[start..<end]),
                        bytes: UnsafeBufferPointer(rebasing: bytes[end..<valueEnd])))
                start = valueEnd
            }
        }
    }

    subscript(name: StaticString) -> String? {
        var value: String?
        forEach { line in if value == nil, name ~= line { value = String(decoding: line.bytes, as: UTF8.self) } }
        return value
    }
}
