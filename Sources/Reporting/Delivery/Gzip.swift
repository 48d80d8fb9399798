internal import CSluiceLibcurl

enum Gzip {
    /// Nil where it does not get smaller, or zlib is not there.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        var size = 0
        let compressed = [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
            size = bytes.withUnsafeBufferPointer { sluice_gzip($0.baseAddress, $0.count, buffer.baseAddress, buffer.count) }
            count = size
        }
        return size > 0 ? compressed : nil
    }
}
