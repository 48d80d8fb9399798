internal import SluiceCore

/// How a browser names what it saves (RFC 6266).
enum ContentDisposition {
    /// With the name in ASCII for old clients, and whole, percent-encoded as RFC 8187 has it, where that is not the same.
    static func attachment(_ filename: String) -> String {
        let plain = String(
            decoding: filename.utf8.filter { $0 & 0xC0 != 0x80 }.map { octet in
                (0x20..<0x7F).contains(octet) && octet != 0x22 && octet != 0x5C && octet != 0x25 ? octet : 0x5F
            }, as: UTF8.self)
        let quoted = "attachment; filename=\"\(plain)\""
        return plain == filename ? quoted : "\(quoted); filename*=UTF-8''\(PercentEncoding.unreserved(filename))"
    }
}
