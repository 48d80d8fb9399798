internal import HTTPTypes
internal import SluiceMiddleware

/// Which bodies travel as text in a buffered answer; all others are base64, which is never wrong for payload 2.0.
enum BodyEncoding {
    /// Text: a type on the list, no content encoding but identity, and bytes that are UTF-8.
    static func isText(_ headers: HTTPFields, _ bytes: [UInt8]) -> Bool {
        if bytes.isEmpty { return true }
        guard isIdentity(headers[.contentEncoding]), isTextual(headers[.contentType]) else { return false }
        return bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
    }

    static func isIdentity(_ encoding: String?) -> Bool {
        guard let encoding else { return true }
        return encoding.split(separator: ",").allSatisfy { part in
            let name = part.filter { $0 != " " && $0 != "\t" }.lowercased()
            return name.isEmpty || name == "identity"
        }
    }

    static func isTextual(_ contentType: String?) -> Bool {
        guard let type = contentType?.split(separator: ";").first else { return false }
        let parts = type.filter { $0 != " " && $0 != "\t" }.lowercased().split(separator: "/")
        guard parts.count == 2 else { return false }
        if parts[0] == "text" { return true }
        let subtype = parts[1].split(separator: "+").last.map(String.init) ?? ""
        return ["json", "xml", "yaml", "javascript", "x-www-form-urlencoded", "x-ndjson"].contains(subtype)
    }
}
