/// Reads a Sentry envelope strictly, as servers do: shares no code with what writes it.
///
/// `Headers { "\n" Item } [ "\n" ]`, `Item = Headers "\n" Payload`; LF is the only line end.
package struct EnvelopeView {
    package struct Item {
        package var header: JSONView
        /// The header line as it stood.
        package var line: String
        package var payload: [UInt8]

        package var type: String { header["type"]?.text ?? "" }
        package var json: JSONView? { JSONView(payload) }
        package var text: String { String(decoding: payload, as: UTF8.self) }
    }

    package enum Problem: Error, Equatable {
        case header(line: String)
        case repeatedKey(line: String)
        case noType
        case noPayload
        case short
        case unterminated
        case notUTF8
    }

    package var header: JSONView
    /// The header line as it stood.
    package var line: String
    package var items: [Item] = []

    package init(_ bytes: [UInt8]) throws(Problem) {
        var rest = bytes[...]
        (header, line) = try Self.object(Self.untilFeed(&rest))
        while !rest.isEmpty { items.append(try Self.item(&rest)) }
    }

    package var types: [String] { items.map(\.type) }
    package subscript(type: String) -> Item? { items.first { $0.type == type } }

    private static func item(_ rest: inout ArraySlice<UInt8>) throws(Problem) -> Item {
        let hasPayload = rest.contains(10)
        let (header, line) = try object(untilFeed(&rest))
        guard let type = header["type"]?.text, !type.isEmpty else { throw .noType }
        guard header["length"] != nil else {
            guard hasPayload else { throw .noPayload }
            return Item(header: header, line: line, payload: untilFeed(&rest))
        }
        guard let length = header["length"]?.number, length >= 0 else { throw .header(line: line) }
        guard hasPayload || length == 0 else { throw .noPayload }
        guard rest.count >= length else { throw .short }
        let payload = Array(rest.prefix(length))
        rest = rest.dropFirst(length)
        guard rest.isEmpty || rest.first == 10 else { throw .unterminated }
        rest = rest.dropFirst()
        return Item(header: header, line: line, payload: payload)
    }

    /// The bytes up to the next LF or the end; the LF is taken too.
    private static func untilFeed(_ rest: inout ArraySlice<UInt8>) -> [UInt8] {
        let bytes = Array(rest.prefix { $0 != 10 })
        rest = rest.dropFirst(bytes.count + 1)
        return bytes
    }

    private static func object(_ bytes: [UInt8]) throws(Problem) -> (JSONView, String) {
        guard let line = String(validating: bytes, as: UTF8.self) else { throw .notUTF8 }
        guard let json = JSONView(bytes), json.value is [String: Any] else { throw .header(line: line) }
        // Foundation keeps the last of two equal keys; servers refuse the line.
        guard keyCount(bytes) == json.keys.count else { throw .repeatedKey(line: line) }
        return (json, line)
    }

    /// How many keys the outermost object has: the colons of depth one outside of strings.
    private static func keyCount(_ bytes: [UInt8]) -> Int {
        var (depth, count, isString, isEscaped) = (0, 0, false, false)
        for byte in bytes {
            if isString {
                if isEscaped {
                    isEscaped = false
                } else if byte == 0x5C {
                    isEscaped = true
                } else if byte == 0x22 {
                    isString = false
                }
                continue
            }
            switch byte {
            case 0x22: isString = true
            case 0x7B, 0x5B: depth += 1
            case 0x7D, 0x5D: depth -= 1
            case 0x3A where depth == 1: count += 1
            default: break
            }
        }
        return count
    }
}
