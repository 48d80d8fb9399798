internal import SluiceCore

/// MurmurHash3, x64, 128 bits: the same for the same bytes in every process. It tells contents apart, and protects from nobody.
enum ContentHash {
    /// 32 hexadecimal digits.
    static func text(_ bytes: [UInt8]) -> String {
        let (one, two) = murmur(bytes)
        return hex(one) + hex(two)
    }

    /// The entity tag that says: the same bytes, and perhaps another form of them.
    static func weakTag(_ bytes: [UInt8]) -> String {
        let (one, two) = murmur(bytes)
        return String(unsafeUninitializedCapacity: 36) { text in
            text[0] = 0x57
            text[1] = 0x2F
            text[2] = 0x22
            for (start, number) in [(3, one), (19, two)] {
                for digit in 0..<16 {
                    let value = UInt8(truncatingIfNeeded: number >> (60 - 4 * digit)) & 15
                    text[start + digit] = value < 10 ? 0x30 + value : 0x57 + value
                }
            }
            text[35] = 0x22
            return 36
        }
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    static func murmur(_ bytes: [UInt8]) -> (UInt64, UInt64) {
        let (c1, c2): (UInt64, UInt64) = (0x87c3_7b91_1142_53d5, 0x4cf5_ad43_2745_937f)
        var (h1, h2): (UInt64, UInt64) = (0, 0)
        func rotated(_ x: UInt64, _ by: UInt64) -> UInt64 { x << by | x >> (64 - by) }
        func mixed(_ x: UInt64) -> UInt64 {
            var x = x
            x ^= x >> 33
            x = x &* 0xff51_afd7_ed55_8ccd
            x ^= x >> 33
            x = x &* 0xc4ce_b9fe_1a85_ec53
            return x ^ (x >> 33)
        }
        bytes.withUnsafeBytes { raw in
            let whole = raw.count / 16 * 16
            for start in stride(from: 0, to: whole, by: 16) {
                let k1 = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: start, as: UInt64.self))
                let k2 = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: start + 8, as: UInt64.self))
                h1 ^= rotated(k1 &* c1, 31) &* c2
                h1 = (rotated(h1, 27) &+ h2) &* 5 &+ 0x52dc_e729
                h2 ^= rotated(k2 &* c2, 33) &* c1
                h2 = (rotated(h2, 31) &+ h1) &* 5 &+ 0x3849_5ab5
            }
            var (k1, k2): (UInt64, UInt64) = (0, 0)
            for (place, byte) in raw[whole...].enumerated() {
                if place < 8 { k1 |= UInt64(byte) << (8 * place) } else { k2 |= UInt64(byte) << (8 * (place - 8)) }
            }
            h2 ^= rotated(k2 &* c2, 33) &* c1
            h1 ^= rotated(k1 &* c1, 31) &* c2
        }
        h1 ^= UInt64(bytes.count)
        h2 ^= UInt64(bytes.count)
        h1 = h1 &+ h2
        h2 = h2 &+ h1
        h1 = mixed(h1)
        h2 = mixed(h2)
        h1 = h1 &+ h2
        return (h1, h2 &+ h1)
    }
}
