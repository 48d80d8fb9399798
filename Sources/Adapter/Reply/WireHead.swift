internal import HTTPTypes
internal import SluiceMiddleware
internal import SluiceReporting
internal import SluiceCore

/// Status, headers and cookies of a response as both modes send them.
struct WireHead {
    let status: Int
    /// Names in lower case, as a rule each once: repeated headers are joined with a comma (RFC 9110, section 5.3).
    var headers: [(name: String, value: String)]
    /// Every `Set-Cookie`, in order, and nowhere else: a gateway would send the last one twice.
    let cookies: [String]
    /// Nil where there is none.
    let contentType: String?
    /// Whether no content encoding stands between the bytes and what they say.
    let isIdentity: Bool

    /// - Parameter joinsRepeats: False for a form that has a place for each of several values.
    init(_ response: Response, joinsRepeats: Bool = true) {
        status = response.status.code
        var headers: [(name: String, value: String)] = []
        headers.reserveCapacity(response.headers.count)
        var cookies: [String] = []
        // A bit for each length of a name so far: most names have no other of their length.
        var lengths: UInt64 = 0
        var (type, isIdentity): (String?, Bool) = (nil, true)
        for field in response.headers {
            let name = field.name.canonicalName
            let length = name.utf8.count
            if length == 10, name == "set-cookie" {
                cookies.append(field.value)
                continue
            }
            if Self.isDropped(name, length) { continue }
            if length == 12, name == "content-type" { type = type ?? field.value }
            if length == 16, name == "content-encoding" { isIdentity = isIdentity && BodyEncoding.isIdentity(field.value) }
            let bit: UInt64 = 1 << min(UInt64(length), 63)
            if lengths & bit != 0, joinsRepeats,
                let index = headers.firstIndex(where: { $0.name.utf8.count == length && $0.name == name })
            {
                headers[index].value += ",\(field.value)"
            } else {
                headers.append((name, field.value))
            }
            lengths |= bit
        }
        self.headers = headers
        self.cookies = cookies
        contentType = type
        self.isIdentity = isIdentity
    }

    /// Hop-by-hop headers mean nothing behind a front end, and a declared length that the body then lacks makes clients hang.
    private static func isDropped(_ name: String, _ length: Int) -> Bool {
        // Most have another length.
        switch length {
        case 10: if name == "connection" || name == "keep-alive" { return true }
        case 17: if name == "transfer-encoding" { return true }
        case 7: if name == "upgrade" || name == "trailer" { return true }
        case 2: if name == "te" { return true }
        case 14: if name == "content-length" { return true }
        default: break
        }
        return name.utf8.first == 0x70 && name.utf8.starts(with: "proxy-".utf8)
    }

    /// Writes the fields that prelude and envelope share. Empty ones are left out of a prelude only.
    func write(to json: inout JSONWriter, leavingOutEmpty: Bool) {
        json.key(plain: "statusCode")
        json.number(status)
        if !(leavingOutEmpty && headers.isEmpty) {
            json.key(plain: "headers")
            json.object { json in
                for (name, value) in headers { json.field(name, value) }
            }
        }
        if !(leavingOutEmpty && cookies.isEmpty) {
            json.key(plain: "cookies")
            json.array { json in
                for cookie in cookies { json.string(cookie.utf8) }
            }
        }
    }
}
