/// One HTTP/1.1 message as it stood on the wire, read by hand: an independent witness of what was written.
package struct WireMessage: Sendable {
    package var firstLine = ""
    /// As sent, names in their own case.
    package var lines: [(name: String, value: String)] = []
    package var body: [UInt8] = []
    /// Of a chunked body, each chunk's bytes.
    package var chunks: [[UInt8]] = []
    package var trailers: [(name: String, value: String)] = []
    /// All bytes of the message, in order.
    package var raw: [UInt8] = []
    /// Why the bytes are no message; nil when they are one.
    package var problem: String?
    /// Whether the message ended before its last chunk or its declared length.
    package var isCut = false

    package subscript(name: String) -> String? {
        lines.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    package func trailer(_ name: String) -> String? {
        trailers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    package var method: String { firstLine.split(separator: " ").first.map(String.init) ?? "" }
    package var target: String { firstLine.split(separator: " ").dropFirst().first.map(String.init) ?? "" }
    package var status: Int { firstLine.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0 }
    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// Reads messages from a connection, strictly: CRLF everywhere, hexadecimal sizes, nothing else.
package final class WireReader {
    private let pull: () -> [UInt8]
    private var buffer: [UInt8] = []
    private var taken: [UInt8] = []

    package init(_ socket: RawSocket) { pull = { socket.read() } }

    package init(_ bytes: [UInt8]) {
        var left = bytes
        pull = {
            defer { left = [] }
            return left
        }
    }

    /// The next message; nil at the end of the connection.
    package func next(hasBody: Bool = true) -> WireMessage? {
        taken = []
        guard let first = line() else { return nil }
        var message = WireMessage()
        message.firstLine = first
        guard let lines = headerLines(&message) else { return cut(message) }
        message.lines = lines
        guard hasBody else { return finished(message) }
        if message["transfer-encoding"]?.lowercased() == "chunked" {
            return chunked(message)
        }
        guard let length = message["content-length"].flatMap(Int.init) else {
            if first.hasPrefix("HTTP/"), message["connection"]?.lowercased() == "close" {
                while more() {}
                message.body = take(buffer.count)
            }
            return finished(message)
        }
        while buffer.count < length { if !more() { message.body = take(buffer.count); return cut(message) } }
        message.body = take(length)
        return finished(message)
    }

    private func chunked(_ start: WireMessage) -> WireMessage {
        var message = start
        while true {
            guard let size = line() else { return cut(message) }
            guard let count = Int(size, radix: 16), !size.isEmpty, size.allSatisfy(\.isHexDigit) else {
                message.problem = "'\(size)' is no chunk size"
                return finished(message)
            }
            if count == 0 {
                guard let trailers = headerLines(&message) else { return cut(message) }
                message.trailers = trailers
                return finished(message)
            }
            while buffer.count < count + 2 { if !more() { message.body += take(buffer.count); return cut(message) } }
            let chunk = take(count)
            message.chunks.append(chunk)
            message.body += chunk
            if take(2) != [13, 10] { message.problem = "a chunk does not end with CRLF" }
        }
    }

    private func headerLines(_ message: inout WireMessage) -> [(name: String, value: String)]? {
        var lines: [(name: String, value: String)] = []
        while let text = line() {
            if text.isEmpty { return lines }
            guard let colon = text.firstIndex(of: ":"), colon != text.startIndex else {
                message.problem = "'\(text)' is no header line"
                continue
            }
            let value = text[text.index(after: colon)...].drop { $0 == " " }
            lines.append((String(text[..<colon]), String(value)))
        }
        return nil
    }

    private func line() -> String? {
        while true {
            if let end = buffer.indices.first(where: { $0 + 1 < buffer.count && buffer[$0] == 13 && buffer[$0 + 1] == 10 }) {
                let bytes = take(end)
                _ = take(2)
                return String(decoding: bytes, as: UTF8.self)
            }
            if !more() { return nil }
        }
    }

    private func more() -> Bool {
        let part = pull()
        buffer += part
        return !part.isEmpty
    }

    private func take(_ count: Int) -> [UInt8] {
        let part = Array(buffer.prefix(count))
        buffer.removeFirst(part.count)
        taken += part
        return part
    }

    private func finished(_ message: WireMessage) -> WireMessage {
        var message = message
        message.raw = taken
        return message
    }

    private func cut(_ message: WireMessage) -> WireMessage {
        var message = finished(message)
        message.isCut = true
        return message
    }
}
