/// Ids that nobody else makes: of failures, traces and spans.
package enum RandomID {
    /// A version 4 UUID as 32 lower-case hexadecimal digits.
    package static func uuid() -> String {
        let high = UInt64.random(in: .min ... .max) & ~0xF000 | 0x4000
        let low = UInt64.random(in: .min ... .max) & ~(3 << 62) | (2 << 62)
        return hex(high) + hex(low)
    }

    /// 32 random digits, not all zero.
    package static func trace() -> String { hex(UInt64.random(in: 1 ... .max)) + hex(UInt64.random(in: .min ... .max)) }

    /// 16 random digits, not all zero.
    package static func span() -> String { hex(UInt64.random(in: 1 ... .max)) }

    /// 16 lower-case hexadecimal digits.
    package static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
