internal import CSluiceRuntime

/// Base64 of RFC 4648, section 4: with padding, without line breaks.
package enum Base64 {
    /// How many characters so many bytes become.
    package static func size(of count: Int) -> Int { (count + 2) / 3 * 4 }

    package static func encode(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: size(of: bytes.count)) { output, written in
            encode(bytes, into: UnsafeMutableBufferPointer(rebasing: output[...]))
            written = size(of: bytes.count)
        }
    }

    /// - Parameter text: Room for ``size(of:)`` the bytes.
    /// - Returns: How many characters they became.
    package static func encode(_ bytes: ArraySlice<UInt8>, into text: inout [UInt8]) -> Int {
        precondition(text.count >= size(of: bytes.count), "no room for the text")
        bytes.withUnsafeBufferPointer { input in
            text.withUnsafeMutableBufferPointer { text in
                guard let from = input.baseAddress, let to = text.baseAddress, !input.isEmpty else { return }
                sluice_base64_encode(from, input.count, to)
            }
        }
        return size(of: bytes.count)
    }

    /// - Parameter text: Room for ``size(of:)`` the bytes.
    package static func encode(_ bytes: [UInt8], into text: UnsafeMutableBufferPointer<UInt8>) {
        precondition(text.count >= size(of: bytes.count), "no room for the text")
        bytes.withUnsafeBufferPointer { input in
            guard let from = input.baseAddress, let to = text.baseAddress, !input.isEmpty else { return }
            sluice_base64_encode(from, input.count, to)
        }
    }

    /// Nil when the text is not base64: a foreign character, a length that is no multiple of 4, padding in the middle.
    package static func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        guard !text.isEmpty, let from = text.baseAddress else { return [] }
        // Anything but one or two at the end is a foreign character to the decoder.
        let padding = text[text.count - 1] != 0x3D ? 0 : text[text.count - 2] != 0x3D ? 1 : 2
        var isValid = false
        let bytes = [UInt8](unsafeUninitializedCapacity: text.count / 4 * 3 + 2) { output, written in
            guard let to = output.baseAddress else { return }
            isValid = sluice_base64_decode(from, text.count - padding, to) != 0
            written = isValid ? text.count / 4 * 3 - padding : 0
        }
        return isValid ? bytes : nil
    }
}
