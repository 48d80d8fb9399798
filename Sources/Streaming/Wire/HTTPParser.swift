internal import CSluiceLlhttp

/// Why bytes are not HTTP/1.1, in llhttp's words.
package struct HTTPParseError: Error, CustomStringConvertible {
    package let reason: String
    package init(reason: String) { self.reason = reason }
    package var description: String { reason }
}

/// Reads HTTP/1.1 messages from one connection, byte by byte as they come: the one owner of an llhttp parser.
///
/// Feed bytes, look at ``head``, take the body; when ``isComplete``, call ``reset()`` for the next message.
package final class HTTPParser {  // a class, because C keeps a pointer back to it
    package enum Kind { case request, response }

    /// Lines and target together; a longer head is refused (nginx and Node.js have 8 to 16 KiB).
    static let headLimit = 65_536

    package private(set) var head: HTTPMessageHead?
    package private(set) var trailers: [HTTPLine] = []
    package private(set) var isComplete = false
    /// Body bytes that have come since the last ``takeBody()``.
    package private(set) var body: [UInt8] = []

    // On the heap: llhttp calls back while it is being changed, which Swift's exclusivity would not have of a property.
    private let parser: UnsafeMutablePointer<llhttp_t>
    private let settings: UnsafeMutablePointer<llhttp_settings_t>
    private var pending = HTTPMessageHead()
    private var name: [UInt8] = []
    private var value: [UInt8] = []
    private var valueSeen = false
    private var target: [UInt8] = []
    private var size = 0

    package init(_ kind: Kind) {
        settings = .allocate(capacity: 1)
        llhttp_settings_init(settings)
        Self.install(settings)
        parser = .allocate(capacity: 1)
        parser.initialize(to: llhttp_t())
        llhttp_init(parser, kind == .request ? HTTP_REQUEST : HTTP_RESPONSE, settings)
        parser.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        parser.deallocate()
        settings.deallocate()
    }

    /// Parses up to the end of the current message; the bytes behind it are the next message's.
    ///
    /// - Returns: How many bytes were used.
    package func parse(_ bytes: ArraySlice<UInt8>) throws(HTTPParseError) -> Int {
        var used = 0
        var failure: HTTPParseError?
        bytes.withUnsafeBytes { raw in
            guard let base = raw.bindMemory(to: CChar.self).baseAddress, raw.count > 0 else { return }
            var code = llhttp_execute(parser, base, raw.count)
            if code == HPE_PAUSED_UPGRADE {
                // The message before this one asked for an upgrade, which nobody has granted: HTTP/1.1 goes on.
                let position = llhttp_get_error_pos(parser).map { $0 - base } ?? 0
                llhttp_resume_after_upgrade(parser)
                code = llhttp_execute(parser, base + position, raw.count - position)
            }
            switch code {
            case HPE_OK:
                used = raw.count
            case HPE_PAUSED:
                used = llhttp_get_error_pos(parser).map { $0 - base } ?? raw.count
                llhttp_resume(parser)
            default:
                let reason = llhttp_get_error_reason(parser).map { String(cString: $0) } ?? ""
                let name = llhttp_errno_name(code).map { String(cString: $0) } ?? "HPE"
                failure = HTTPParseError(reason: "not HTTP/1.1: \(name) \(reason)")
            }
        }
        if let failure { throw failure }
        return used
    }

    /// Tells the parser that the peer has closed: the end of a body that has no length of its own.
    ///
    /// - Throws: ``HTTPParseError`` in the middle of a message.
    package func finish() throws(HTTPParseError) {
        let code = llhttp_finish(parser)
        // The callback at a message's end pauses the parser.
        guard code == HPE_OK || (code == HPE_PAUSED && isComplete) else {
            throw HTTPParseError(reason: "the peer closed in mid-message")
        }
    }

    /// Takes the body bytes that have come so far.
    package func takeBody() -> [UInt8] {
        defer { body = [] }
        return body
    }

    /// Whether no byte of a message has come yet.
    package var isAtStart: Bool { head == nil && size == 0 && name.isEmpty && target.isEmpty }

    /// Forgets the message that is complete.
    package func reset() {
        head = nil
        trailers = []
        isComplete = false
        body = []
        pending = HTTPMessageHead()
        size = 0
    }

    // MARK: What llhttp calls

    private static func install(_ settings: UnsafeMutablePointer<llhttp_settings_t>) {
        settings.pointee.on_url = { parser, bytes, count in
            HTTPParser.of(parser) {
                $0.target.append(contentsOf: HTTPParser.span(bytes, count)); return $0.grow(count)
            }
        }
        settings.pointee.on_header_field = { parser, bytes, count in
            HTTPParser.of(parser) { reader in
                if reader.valueSeen { reader.endLine() }
                for byte in HTTPParser.span(bytes, count) {
                    reader.name.append(byte &- 0x41 < 26 ? byte | 0x20 : byte)
                }
                return reader.grow(count)
            }
        }
        settings.pointee.on_header_value = { parser, bytes, count in
            HTTPParser.of(parser) { reader in
                reader.valueSeen = true
                reader.value.append(contentsOf: HTTPParser.span(bytes, count))
                return reader.grow(count)
            }
        }
        settings.pointee.on_header_value_complete = { parser in
            HTTPParser.of(parser) { reader in
                reader.valueSeen = true
                return 0
            }
        }
        settings.pointee.on_headers_complete = { parser in
            HTTPParser.of(parser) { $0.endHead() }
        }
        settings.pointee.on_body = { parser, bytes, count in
            HTTPParser.of(parser) {
                $0.body.append(contentsOf: HTTPParser.span(bytes, count)); return 0
            }
        }
        settings.pointee.on_message_complete = { parser in
            HTTPParser.of(parser) { reader in
                reader.endLine()
                reader.isComplete = true
                return CInt(HPE_PAUSED.rawValue)
            }
        }
    }

    private static func of(_ parser: UnsafeMutablePointer<llhttp_t>?, _ body: (HTTPParser) -> CInt) -> CInt {
        guard let data = parser?.pointee.data else { return -1 }
        return body(Unmanaged<HTTPParser>.fromOpaque(data).takeUnretainedValue())
    }

    private static func span(_ bytes: UnsafePointer<CChar>?, _ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes, count: count)
    }

    private func grow(_ count: Int) -> CInt {
        size += count
        return size > Self.headLimit ? -1 : 0
    }

    private func endLine() {
        guard valueSeen || !name.isEmpty else { return }
        let line = HTTPLine(String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
        if head == nil { pending.lines.append(line) } else { trailers.append(line) }
        name.removeAll(keepingCapacity: true)
        value.removeAll(keepingCapacity: true)
        valueSeen = false
    }

    /// 0 to go on; -1 for a message of another version, as llhttp takes an HTTP/0.9 request too.
    private func endHead() -> CInt {
        endLine()
        pending.target = String(decoding: target, as: UTF8.self)
        target.removeAll(keepingCapacity: true)
        pending.status = Int(llhttp_get_status_code(parser))
        if pending.status == 0, let method = llhttp_method_name(llhttp_method(UInt32(llhttp_get_method(parser)))) {
            pending.method = String(cString: method)
        }
        pending.keepsAlive = llhttp_should_keep_alive(parser) == 1
        pending.minorVersion = Int(llhttp_get_http_minor(parser))
        head = pending
        size = 0
        return llhttp_get_http_major(parser) == 1 ? 0 : -1
    }
}
