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
package final class HTTPParser {  // a class, because C keeps a pointer into it
    package enum Kind { case request, response }

    /// Lines and target together; a longer head is refused (nginx and Node.js have 8 to 16 KiB).
    static let headLimit = 65_536

    /// What the callbacks change. On the heap, where Swift's exclusivity checks cost nothing.
    fileprivate struct State {
        var head: HTTPMessageHead?
        var trailers = HTTPLines()
        var isComplete = false
        var body: [UInt8] = []
        var pending = HTTPMessageHead()
        var target: [UInt8] = []
        var size = 0
        var leavesBody = false
        var bodyLength = 0
    }

    package var head: HTTPMessageHead? { state.pointee.head }
    package var trailers: [HTTPLine] { state.pointee.trailers.lines }
    package var isComplete: Bool { state.pointee.isComplete }
    /// Body bytes that have come since the last ``takeBody()``.
    package var body: [UInt8] { state.pointee.body }
    /// How many bytes of the body follow the head, where the parser leaves them to its owner.
    package var bodyLength: Int { state.pointee.bodyLength }

    // On the heap too: llhttp calls back while it is being changed.
    private let parser: UnsafeMutablePointer<llhttp_t>
    private let settings: UnsafeMutablePointer<llhttp_settings_t>
    private let state: UnsafeMutablePointer<State>

    /// - Parameter leavesBody: Whether a body whose length is declared is the owner's to read, behind ``isComplete``: so it
    ///   can go to its place without a copy.
    package init(_ kind: Kind, leavesBody: Bool = false) {
        settings = .allocate(capacity: 1)
        llhttp_settings_init(settings)
        Self.install(settings)
        state = .allocate(capacity: 1)
        state.initialize(to: State(leavesBody: leavesBody))
        parser = .allocate(capacity: 1)
        parser.initialize(to: llhttp_t())
        llhttp_init(parser, kind == .request ? HTTP_REQUEST : HTTP_RESPONSE, settings)
        parser.pointee.data = UnsafeMutableRawPointer(state)
    }

    deinit {
        parser.deallocate()
        settings.deallocate()
        state.deinitialize(count: 1)
        state.deallocate()
    }

    /// Parses up to the end of the current message; the bytes behind it are the next message's.
    ///
    /// - Returns: How many bytes were used.
    package func parse(_ bytes: ArraySlice<UInt8>) throws(HTTPParseError) -> Int {
        try bytes.withUnsafeBytes { raw in Result { () throws(HTTPParseError) in try parse(raw) } }.get()
    }

    /// Parses as ``parse(_:)-(ArraySlice<UInt8>)`` does.
    package func parse(_ raw: UnsafeRawBufferPointer) throws(HTTPParseError) -> Int {
        guard let base = raw.bindMemory(to: CChar.self).baseAddress, raw.count > 0 else { return 0 }
        var code = llhttp_execute(parser, base, raw.count)
        if code == HPE_PAUSED_UPGRADE {
            // The message before this one asked for an upgrade, which nobody has granted: HTTP/1.1 goes on.
            let position = llhttp_get_error_pos(parser).map { $0 - base } ?? 0
            llhttp_resume_after_upgrade(parser)
            code = llhttp_execute(parser, base + position, raw.count - position)
        }
        switch code {
        case HPE_OK:
            return raw.count
        case HPE_PAUSED:
            let used = llhttp_get_error_pos(parser).map { $0 - base } ?? raw.count
            llhttp_resume(parser)
            return used
        default:
            let reason = llhttp_get_error_reason(parser).map { String(cString: $0) } ?? ""
            let name = llhttp_errno_name(code).map { String(cString: $0) } ?? "HPE"
            throw HTTPParseError(reason: "not HTTP/1.1: \(name) \(reason)")
        }
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
        if state.pointee.body.isEmpty { return [] }
        defer { state.pointee.body = [] }
        return state.pointee.body
    }

    /// Whether no byte of a message has come yet.
    package var isAtStart: Bool {
        state.pointee.head == nil && state.pointee.size == 0 && state.pointee.pending.text.bytes.isEmpty
            && state.pointee.target.isEmpty
    }

    /// Forgets the message that is complete.
    package func reset() { state.pointee.reset() }

    /// Forgets the message that is complete, and hands its head over.
    package func takeHead() -> HTTPMessageHead? {
        var head: HTTPMessageHead?
        swap(&head, &state.pointee.head)
        reset()
        return head
    }

    // MARK: What llhttp calls

    private static func install(_ settings: UnsafeMutablePointer<llhttp_settings_t>) {
        settings.pointee.on_url = { parser, bytes, count in
            HTTPParser.of(parser) { state in
                state.target.append(contentsOf: HTTPParser.span(bytes, count))
                return state.grow(count)
            }
        }
        settings.pointee.on_header_field = { parser, bytes, count in
            HTTPParser.of(parser) { state in
                state.changeLines { $0.append(HTTPParser.span(bytes, count)) }
                return state.grow(count)
            }
        }
        settings.pointee.on_header_field_complete = { parser in
            HTTPParser.of(parser) { state in
                state.changeLines { $0.end() }
                return 0
            }
        }
        settings.pointee.on_header_value = { parser, bytes, count in
            HTTPParser.of(parser) { state in
                state.changeLines { $0.append(HTTPParser.span(bytes, count)) }
                return state.grow(count)
            }
        }
        settings.pointee.on_header_value_complete = { parser in
            HTTPParser.of(parser) { state in
                state.changeLines { $0.end() }
                return 0
            }
        }
        settings.pointee.on_headers_complete = { parser in
            HTTPParser.of(parser) { state in parser.map { state.endHead($0) } ?? -1 }
        }
        settings.pointee.on_body = { parser, bytes, count in
            HTTPParser.of(parser) { state in
                state.body.append(contentsOf: HTTPParser.span(bytes, count))
                return 0
            }
        }
        settings.pointee.on_message_complete = { parser in
            HTTPParser.of(parser) { state in
                state.isComplete = true
                return CInt(HPE_PAUSED.rawValue)
            }
        }
    }

    private static func of(_ parser: UnsafeMutablePointer<llhttp_t>?, _ body: (inout State) -> CInt) -> CInt {
        guard let data = parser?.pointee.data else { return -1 }
        return body(&data.assumingMemoryBound(to: State.self).pointee)
    }

    private static func span(_ bytes: UnsafePointer<CChar>?, _ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes, count: count)
    }
}

extension HTTPParser.State {
    /// As it was before the first byte. Most of it is already.
    fileprivate mutating func reset() {
        if head != nil { head = nil }
        if !trailers.isEmpty { trailers = HTTPLines() }
        if !body.isEmpty { body = [] }
        (isComplete, size, bodyLength) = (false, 0, 0)
    }

    fileprivate mutating func grow(_ count: Int) -> CInt {
        size += count
        return size > HTTPParser.headLimit ? -1 : 0
    }

    /// The lines of the head, or of the trailers once the head is there.
    fileprivate mutating func changeLines(_ change: (inout HTTPLines) -> Void) {
        guard head == nil else { return change(&trailers) }
        if pending.text.bytes.isEmpty { pending.text.reserve() }
        change(&pending.text)
    }

    /// 0 to go on; 1 to leave the body alone; -1 for a message of another version, as llhttp takes an HTTP/0.9 request too.
    fileprivate mutating func endHead(_ parser: UnsafeMutablePointer<llhttp_t>) -> CInt {
        if !target.isEmpty { pending.target = String(decoding: target, as: UTF8.self) }
        target = []
        pending.status = Int(llhttp_get_status_code(parser))
        if pending.status == 0, let method = llhttp_method_name(llhttp_method(UInt32(llhttp_get_method(parser)))) {
            pending.method = String(cString: method)
        }
        pending.keepsAlive = llhttp_should_keep_alive(parser) == 1
        pending.minorVersion = Int(llhttp_get_http_minor(parser))
        head = pending
        pending = HTTPMessageHead()
        size = 0
        guard llhttp_get_http_major(parser) == 1 else { return -1 }
        let flags = UInt32(parser.pointee.flags)
        let isDeclared = flags & F_CONTENT_LENGTH.rawValue != 0 && flags & F_CHUNKED.rawValue == 0
        guard leavesBody, isDeclared, parser.pointee.content_length > 0, let status = head?.status,
            status >= 200, status != 204, status != 304, let length = Int(exactly: parser.pointee.content_length)
        else { return 0 }
        bodyLength = length
        return 1
    }
}
