/// Base64 of RFC 4648, section 4: with padding, without line breaks.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 0xFF, count: 256)
        for (value, byte) in alphabet.enumerated() { table[Int(byte)] = UInt8(value) }
        return table
    }()

    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        let size = (bytes.count + 2) / 3 * 4
        return [UInt8](unsafeUninitializedCapacity: size) { output, written in
            bytes.withUnsafeBufferPointer { input in
                alphabet.withUnsafeBufferPointer { alphabet in
                    var from = 0
                    var to = 0
                    while from + 2 < input.count {
                        let group = UInt32(input[from]) << 16 | UInt32(input[from + 1]) << 8 | UInt32(input[from + 2])
                        output[to] = alphabet[Int(group >> 18)]
                        output[to + 1] = alphabet[Int(group >> 12 & 63)]
                        output[to + 2] = alphabet[Int(group >> 6 & 63)]
                        output[to + 3] = alphabet[Int(group & 63)]
                        from += 3
                        to += 4
                    }
                    let left = input.count - from
                    if left > 0 {
                        let group = UInt32(input[from]) << 16 | (left == 2 ? UInt32(input[from + 1]) << 8 : 0)
                        output[to] = alphabet[Int(group >> 18)]
                        output[to + 1] = alphabet[Int(group >> 12 & 63)]
                        output[to + 2] = left == 2 ? alphabet[Int(group >> 6 & 63)] : 0x3D
                        output[to + 3] = 0x3D
                    }
                }
            }
            written = size
        }
    }

    /// Nil when the text is not base64: a foreign character, a length that is no multiple of 4, padding in the middle.
    static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        guard !text.isEmpty else { return [] }
        let padding = text.suffix(2).filter { $0 == 0x3D }.count
        if padding == 2, text.last != 0x3D || text.dropLast().last != 0x3D { return nil }
        if padding == 1, text.last != 0x3D { return nil }
        let content = text.dropLast(padding)
        var valid = true
        let result = [UInt8](unsafeUninitializedCapacity: text.count / 4 * 3) { output, written in
            content.withUnsafeBufferPointer { input in
                values.withUnsafeBufferPointer { values in
                    var bits: UInt32 = 0
                    var held = 0
                    for byte in input {
                        let value = values[Int(byte)]
                        if value == 0xFF { valid = false; return }
                        bits = bits << 6 | UInt32(value)
                        held += 6
                        if held >= 8 {
                            held -= 8
                            output[written] = UInt8(truncatingIfNeeded: bits >> UInt32(held))
                            written += 1
                        }
                    }
                }
            }
        }
        return valid ? result : nil
    }
}
