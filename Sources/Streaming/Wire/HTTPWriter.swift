/// Writes HTTP/1.1 heads and chunks as bytes (RFC 9112). Callers give names and values that are legal already.
package enum HTTPWriter {
    /// `HTTP/1.1 status reason`, the lines as given, and the empty line.
    package static func responseHead(_ status: Int, _ reason: String, _ lines: [(String, String)]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        bytes.append(contentsOf: "HTTP/1.1 \(status) \(reason)".utf8)
        bytes.append(contentsOf: crlf)
        for (name, value) in lines {
            bytes.append(contentsOf: name.utf8)
            bytes.append(0x3A)
            bytes.append(0x20)
            bytes.append(contentsOf: value.utf8)
            bytes.append(contentsOf: crlf)
        }
        bytes.append(contentsOf: crlf)
        return bytes
    }

    package static let crlf: [UInt8] = [0x0D, 0x0A]

    /// The size line of a chunk. A size of 0 would end the body, so callers never pass it.
    package static func chunkSize(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(18)
        append(chunkSize: count, to: &bytes)
        return bytes
    }

    private static func append(chunkSize count: Int, to bytes: inout [UInt8]) {
        // Four bits a digit, from the highest one that is not 0 on.
        var place = (Int.bitWidth - 1 - count.leadingZeroBitCount) / 4 * 4
        while place >= 0 {
            let digit = UInt8(truncatingIfNeeded: count >> place & 15)
            bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
            place -= 4
        }
        bytes.append(0x0D)
        bytes.append(0x0A)
    }

    /// Appends a chunk: its size, its bytes and the line's end. Nothing for no bytes, as that would end the body.
    package static func append(chunk content: [UInt8], to message: inout [UInt8]) {
        if content.isEmpty { return }
        append(chunkSize: content.count, to: &message)
        message += content
        message += crlf
    }

    /// The last chunk: no trailers after a success, the given ones after an error.
    package static func lastChunk(_ trailers: [(String, String)] = []) -> [UInt8] {
        var bytes: [UInt8] = [0x30, 0x0D, 0x0A]
        for (name, value) in trailers { bytes.append(contentsOf: "\(name): \(value)\r\n".utf8) }
        bytes.append(contentsOf: crlf)
        return bytes
    }
}
