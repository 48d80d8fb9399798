internal import HTTPTypes
internal import SluiceMiddleware
internal import SluiceReporting
internal import SluiceCore

/// Status, headers and cookies of a response as both modes send them.
struct WireHead {
    let status: Int
    /// Names in lower case, each once: repeated headers are joined with a comma (RFC 9110, section 5.3).
    var headers: [(name: String, value: String)]
    /// Every `Set-Cookie`, in order, and nowhere else: a gateway would send the last one twice.
    let cookies: [String]

    init(_ response: Response) {
        status = response.status.code
        var headers: [(name: String, value: String)] = []
        var cookies: [String] = []
        for field in response.headers {
            let name = field.name.canonicalName
            if name == "set-cookie" {
                cookies.append(field.value)
            } else if Self.isDropped(name) {
                continue
            } else if let index = headers.firstIndex(where: { $0.name == name }) {
                headers[index].value += ",\(field.value)"
            } else {
                headers.append((name, field.value))
            }
        }
        self.headers = headers
        self.cookies = cookies
    }

    /// Hop-by-hop headers mean nothing behind a front end, and a declared length that the body then lacks makes clients hang.
    private static func isDropped(_ name: String) -> Bool {
        switch name {
        case "connection", "keep-alive", "transfer-encoding", "upgrade", "trailer", "te", "content-length": true
        default: name.utf8.starts(with: "proxy-".utf8)
        }
    }

    /// Writes the fields that prelude and envelope share. Empty ones are left out of a prelude only.
    func write(to json: inout JSONWriter, leavingOutEmpty: Bool) {
        json.field("statusCode", status)
        if !(leavingOutEmpty && headers.isEmpty) {
            json.key("headers")
            json.object { json in
                for (name, value) in headers { json.field(name, value) }
            }
        }
        if !(leavingOutEmpty && cookies.isEmpty) {
            json.key("cookies")
            json.array { json in
                for cookie in cookies { json.string(cookie.utf8) }
            }
        }
    }
}
