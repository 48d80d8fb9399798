internal import CSluiceZlib
internal import SluiceStreaming

/// How a content is compressed on its way (RFC 9110, section 8.4.1).
enum ContentCoding: String, CaseIterable {
    case gzip
    /// zlib's form (RFC 1950), which the name means; not the bare one (RFC 1951) that some have sent under it.
    case deflate

    /// zlib's number for it: a window of 32 KiB, and its own header or that of gzip.
    fileprivate var windowBits: CInt { self == .gzip ? 31 : 15 }
}

/// Why nothing could be compressed: no memory, in practice.
struct DeflateError: Error, CustomStringConvertible {
    let code: CInt
    var description: String { "zlib failed with \(code)" }
}

/// One compressed body. zlib keeps a pointer to its own state: a class, which has one place.
final class Deflate {
    private let stream: UnsafeMutablePointer<z_stream>

    init(_ coding: ContentCoding) throws(DeflateError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let code = deflateInit2_(
            stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, coding.windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            CInt(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            stream.deallocate()
            throw DeflateError(code: code)
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// - Parameter isLast: Whether this is all; else what was given can be read by the client at once.
    func compress(_ bytes: [UInt8], isLast: Bool) throws(DeflateError) -> [UInt8] {
        var out: [UInt8] = []
        var failure: CInt?
        bytes.withUnsafeBufferPointer { input in
            stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.pointee.avail_in = UInt32(input.count)
            while true {
                let room = isLast ? Int(deflateBound(stream, UInt(stream.pointee.avail_in))) + 32 : 16_384
                var code = Z_OK
                let part = [UInt8](unsafeUninitializedCapacity: room) { space, filled in
                    stream.pointee.next_out = space.baseAddress
                    stream.pointee.avail_out = UInt32(room)
                    code = deflate(stream, isLast ? Z_FINISH : Z_SYNC_FLUSH)
                    filled = room - Int(stream.pointee.avail_out)
                }
                // Copied where it is much smaller than its room, which would be kept with it.
                if out.isEmpty, part.count > room / 2 { out = part } else { out += part }
                if code == Z_STREAM_END { return }
                // No room was left: there may be more. With room left all is out; Z_BUF_ERROR says that there was nothing to do.
                if code == Z_OK, isLast || stream.pointee.avail_out == 0 { continue }
                if code != Z_OK, code != Z_BUF_ERROR || isLast { failure = code }
                return
            }
        }
        if let failure { throw DeflateError(code: failure) }
        return out
    }

    static func compress(_ bytes: [UInt8], _ coding: ContentCoding) throws(DeflateError) -> [UInt8] {
        try Deflate(coding).compress(bytes, isLast: true)
    }
}

/// Compresses a stream: each write can be read by the client when it comes.
struct DeflateTransform: BodyTransform {
    let coding: ContentCoding
    private var deflate: Deflate?

    init(_ coding: ContentCoding) { self.coding = coding }

    private mutating func open() throws -> Deflate {
        if let deflate { return deflate }
        let made = try Deflate(coding)
        deflate = made
        return made
    }

    mutating func transform(_ chunk: [UInt8]) throws -> [UInt8] {
        chunk.isEmpty ? [] : try open().compress(chunk, isLast: false)
    }

    mutating func finish() throws -> [UInt8] { try open().compress([], isLast: true) }
}
