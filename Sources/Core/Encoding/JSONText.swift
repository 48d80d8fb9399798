internal import CSluiceRuntime

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A string's content in a text that is being read: UTF-8, escapes resolved. Only valid inside of ``JSONReader/read(_:from:_:)``.
@_spi(JSON)
public struct JSONText {
    /// The content.
    public let bytes: UnsafeBufferPointer<UInt8>

    @inlinable
    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// Whether there is none.
    @inlinable
    public var isEmpty: Bool { bytes.isEmpty }
    /// A string of Swift's own, which may be kept.
    @inlinable
    public var string: String { String(decoding: bytes, as: UTF8.self) }

    /// Whether these bytes occur in it.
    public func contains(_ part: StaticString) -> Bool {
        bytes.baseAddress.map { sluice_find($0, bytes.count, part.utf8Start, part.utf8CodeUnitCount) != nil } ?? false
    }

    /// Whether it has these bytes.
    @inlinable @inline(__always)
    public static func == (text: JSONText, other: StaticString) -> Bool {
        guard text.bytes.count == other.utf8CodeUnitCount else { return false }
        // In place, and not by memcmp: keys are short, and most differ at once.
        for index in 0..<text.bytes.count where text.bytes[index] != other.utf8Start[index] { return false }
        return true
    }

    /// Whether it is this header name, in any case.
    @inlinable @inline(__always)
    public func isName(_ name: StaticString) -> Bool {
        bytes.count == name.utf8CodeUnitCount && isSameInAnyCase(name)
    }

    /// Compares texts of the same length.
    @usableFromInline
    func isSameInAnyCase(_ name: StaticString) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        return strncasecmp(base, name.utf8Start, bytes.count) == 0
    }

    /// Lets a `switch` compare keys without their becoming a `String`.
    @inlinable @inline(__always)
    public static func ~= (pattern: StaticString, text: JSONText) -> Bool { text == pattern }
}
