internal import FoundationEssentials
internal import SluiceStreaming

/// One HTTP request, as every front end sees it before it makes an event of it.
struct GatewayRequest {
    struct Field {
        /// In lower case.
        let name: String
        /// In the client's case.
        let sentName: String
        let value: String
    }

    /// What a client on this machine has.
    static let clientAddress = "127.0.0.1"

    let method: String
    /// As it was sent, without the query; `/` where the target is no path.
    let path: String
    /// As it was sent, without the question mark; empty for none.
    let query: String
    /// In their order, without those that belong to the connection.
    let fields: [Field]
    let body: [UInt8]
    /// The invocation's.
    let id: String
    /// The front door's.
    let port: UInt16
    let time: Date

    /// - Parameter names: The headers' names in the client's case, one for each line of `head`; lower case where they are others.
    init(
        _ head: HTTPMessageHead, names: [String] = [], body: [UInt8], requestID: String, port: UInt16, now: Date = Date()
    ) {
        let parts = head.target.parts(at: "?", atMost: 2)
        let path = parts.first.map(String.init) ?? "/"
        self.path = path.utf8.first == UInt8(ascii: "/") ? path : "/"
        query = parts.count > 1 ? String(parts[1]) : ""
        let lines = head.lines
        let sent = names.map { $0.lowercased() } == lines.map(\.name) ? names : lines.map(\.name)
        fields = zip(lines, sent).compactMap { line, sent in
            Self.ofConnection.contains(line.name) ? nil : Field(name: line.name, sentName: sent, value: line.value)
        }
        (method, self.body, id, self.port, time) = (head.method, body, requestID, port, now)
    }

    private static let ofConnection: Set<String> = ["connection", "transfer-encoding", "keep-alive", "te", "upgrade"]

    /// The first value of a header; the name is in lower case.
    func header(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    // MARK: Headers

    /// The headers by their lower-case names, each with all its values in order, and those that every front end sets.
    var headers: [String: [String]] {
        var headers: [String: [String]] = [:]
        for field in fields { headers[field.name, default: []].append(field.value) }
        for (name, value) in added { headers[name] = [value] }
        return headers
    }

    /// What every front end sets, whoever else has set it before.
    var added: [String: String] {
        [
            "x-forwarded-for": forwardedFor, "x-forwarded-port": String(port), "x-forwarded-proto": "http",
            "x-amzn-trace-id": "Root=1-\(String(Int(time.timeIntervalSince1970), radix: 16))-\(id.suffix(24))",
        ]
    }

    /// What the client claims, and behind it where it really is.
    private var forwardedFor: String {
        (fields.filter { $0.name == "x-forwarded-for" }.map(\.value) + [Self.clientAddress]).joined(separator: ", ")
    }

    /// The `name=value` pairs of all cookie headers, as they were sent.
    var cookies: [String] {
        fields.filter { $0.name == "cookie" }.flatMap { field in
            field.value.parts(at: ";").filter { !$0.isEmpty }.map(\.withoutBlanks)
        }
    }

    // MARK: Query

    /// Names and values in order, as they were sent; a name alone has an empty value.
    var parameters: [(name: String, value: String)] {
        query.parts(at: "&").filter { !$0.isEmpty }.map { field in
            let parts = field.parts(at: "=", atMost: 2)
            return (parts.first.map(String.init) ?? "", parts.count > 1 ? String(parts[1]) : "")
        }
    }

    /// ``parameters`` decoded, a plus being a space.
    var decodedParameters: [(name: String, value: String)] {
        func decoded(_ text: String) -> String {
            let spaced = String(decoding: text.utf8.map { $0 == UInt8(ascii: "+") ? 0x20 : $0 }, as: UTF8.self)
            return spaced.percentDecoded ?? spaced
        }
        return parameters.map { (decoded($0.name), decoded($0.value)) }
    }

    // MARK: Body

    /// Whether the content type is one of those that front ends take for text.
    var isText: Bool {
        guard let type = header("content-type")?.lowercased() else { return false }
        return type.hasPrefix("text/") || type.hasPrefix("application/json") || type.hasPrefix("application/xml")
            || type.hasPrefix("application/javascript")
    }

    /// The body as an event has it, and whether that is base64. What is no UTF-8 is never text.
    func body(asText: Bool) -> (text: String, isBase64: Bool) {
        if body.isEmpty { return ("", false) }
        if asText, let text = String(validating: body, as: UTF8.self) { return (text, false) }
        return (Data(body).base64EncodedString(), true)
    }

    // MARK: Time

    var milliseconds: Int64 { Int64(time.timeIntervalSince1970 * 1000) }

    /// As `04/Mar/2020:19:03:58 +0000`.
    var timeText: String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let part = calendar.dateComponents([.day, .month, .year, .hour, .minute, .second], from: time)
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int?) -> String { (number ?? 0) < 10 ? "0\(number ?? 0)" : "\(number ?? 0)" }
        let month = part.month.flatMap { months.indices.contains($0 - 1) ? months[$0 - 1] : nil } ?? "Jan"
        return "\(two(part.day))/\(month)/\(part.year ?? 1970):\(two(part.hour)):\(two(part.minute)):\(two(part.second)) +0000"
    }
}

extension [(name: String, value: String)] {
    /// All values of each name.
    var lists: [String: [String]] { reduce(into: [:]) { $0[$1.name, default: []].append($1.value) } }
    /// The last value of each name.
    var lasts: [String: String] { Dictionary(map { ($0.name, $0.value) }) { _, last in last } }
}
