internal import FoundationEssentials

/// The fields of an envelope or a prelude, each read with a reason for what cannot be used.
struct ReplyFields {
    private let fields: [String: JSONTree]

    /// Nil for what is no object.
    init?(_ tree: JSONTree?) {
        guard case .object(let fields)? = tree else { return nil }
        self.fields = fields
    }

    /// Nil for what is no JSON object.
    init?(_ bytes: [UInt8]) { self.init(JSONTree(bytes)) }

    /// - Throws: ``UnusableReply``, for what is no JSON object.
    init(object bytes: [UInt8]) throws(UnusableReply) {
        guard let fields = Self(bytes) else { throw UnusableReply("it is no JSON object") }
        self = fields
    }

    /// In order.
    var names: [String] { fields.keys.sorted() }
    func has(_ name: String) -> Bool { fields[name] != nil && !isNull(name) }
    func isNull(_ name: String) -> Bool { fields[name] == .null }

    func status() throws(UnusableReply) -> Int {
        guard case .integer(let status)? = fields["statusCode"] else { throw UnusableReply("statusCode is no whole number") }
        guard (200...999).contains(status) else { throw UnusableReply("statusCode \(status) is no final HTTP status") }
        return Int(status)
    }

    /// The words of `statusDescription`, which is the status, a space and the words.
    func statusReason() throws(UnusableReply) -> String? {
        guard let field = fields["statusDescription"] else { return nil }
        guard case .string(let text) = field, Self.isSafe(text) else { throw UnusableReply("statusDescription is no text") }
        let parts = text.parts(at: " ", atMost: 2)
        guard parts.count == 2, parts[0].utf8.count == 3, Int(parts[0]) == (try status()), !parts[1].isEmpty else {
            throw UnusableReply("statusDescription '\(text)' is not the status, a space and words")
        }
        return String(parts[1])
    }

    /// The body's bytes.
    func body() throws(UnusableReply) -> [UInt8] {
        var isBase64 = false
        switch fields["isBase64Encoded"] {
        case nil, .null?: break
        case .bool(let flag)?: isBase64 = flag
        default: throw UnusableReply("isBase64Encoded is neither true nor false")
        }
        switch fields["body"] {
        case nil, .null?: return []
        case .string(let text)?:
            guard isBase64 else { return Array(text.utf8) }
            guard let bytes = Data(base64Encoded: text) else { throw UnusableReply("the body is no base64") }
            return [UInt8](bytes)
        default: throw UnusableReply("the body is no text")
        }
    }

    func cookies() throws(UnusableReply) -> [String] {
        guard let field = fields["cookies"], field != .null else { return [] }
        return try Self.values(field, of: "cookies", where: .isList)
    }

    /// An object of texts, by name.
    func texts(_ name: String) throws(UnusableReply) -> [(String, String)] {
        try headers(name, where: .isText).flatMap { header, values in values.map { (header, $0) } }
    }

    /// An object of lists of texts, by name.
    func lists(_ name: String) throws(UnusableReply) -> [(String, [String])] { try headers(name, where: .isList) }

    /// An object of texts and lists of texts, by name.
    func textsOrLists(_ name: String) throws(UnusableReply) -> [(String, [String])] { try headers(name, where: .isEither) }

    private enum Shape { case isText, isList, isEither }

    private func headers(_ name: String, where shape: Shape) throws(UnusableReply) -> [(String, [String])] {
        guard let field = fields[name], field != .null else { return [] }
        guard case .object(let headers) = field else { throw UnusableReply("'\(name)' is no object") }
        var result: [(String, [String])] = []
        for header in headers.keys.sorted() {
            guard !header.isEmpty, header.utf8.allSatisfy(Self.isTokenByte) else {
                throw UnusableReply("'\(header)' is no header name")
            }
            result.append((header, try Self.values(headers[header] ?? .null, of: header, where: shape)))
        }
        return result
    }

    private static func values(_ field: JSONTree, of name: String, where shape: Shape) throws(UnusableReply) -> [String] {
        let texts: [JSONTree]
        switch (field, shape) {
        case (.string, .isText), (.string, .isEither): texts = [field]
        case (.array(let list), .isList), (.array(let list), .isEither): texts = list
        default: throw UnusableReply("'\(name)' is \(shape == .isText ? "no text" : "no list of texts")")
        }
        var values: [String] = []
        for text in texts {
            guard case .string(let value) = text else { throw UnusableReply("'\(name)' has a value that is no text") }
            guard isSafe(value) else { throw UnusableReply("'\(name)' holds CR, LF or NUL") }
            values.append(value)
        }
        return values
    }

    private static func isSafe(_ text: String) -> Bool { !text.utf8.contains { $0 == 13 || $0 == 10 || $0 == 0 } }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
