internal import FoundationEssentials
internal import SluiceStreaming

/// Writes a request as a Function URL's event of payload version 2.0: our own reading of the documentation, independent of
/// the adapter's.
struct FunctionURLEvent: Encodable {
    struct Context: Encodable {
        struct HTTP: Encodable {
            let method: String
            let path: String
            let `protocol`: String
            let sourceIp: String
            let userAgent: String
        }
        let accountId = "anonymous"
        let apiId = "local"
        let domainName: String
        let domainPrefix = "local"
        let http: HTTP
        let requestId: String
        let routeKey = "$default"
        let stage = "$default"
        let time: String
        let timeEpoch: Int64
    }

    let version = "2.0"
    let routeKey = "$default"
    let rawPath: String
    let rawQueryString: String
    let cookies: [String]?
    let headers: [String: String]
    let queryStringParameters: [String: String]?
    let requestContext: Context
    let body: String?
    let isBase64Encoded: Bool

    init(_ head: HTTPMessageHead, body bytes: [UInt8], requestID: String, port: UInt16, now: Date = Date()) {
        let parts = head.target.parts(at: "?", atMost: 2)
        let path = parts.first.map(String.init) ?? "/"
        rawPath = path.utf8.first == UInt8(ascii: "/") ? path : "/"
        rawQueryString = parts.count > 1 ? String(parts[1]) : ""
        var headers: [String: String] = [:]
        for line in head.lines where !["connection", "transfer-encoding", "keep-alive", "te", "upgrade"].contains(line.name) {
            headers[line.name] = headers[line.name].map { "\($0),\(line.value)" } ?? line.value
        }
        let cookieLines = head.lines.filter { $0.name == "cookie" }
        let pairs = cookieLines.flatMap { $0.value.parts(at: ";").filter { !$0.isEmpty }.map(\.withoutBlanks) }
        cookies = pairs.isEmpty ? nil : pairs
        if !pairs.isEmpty { headers["cookie"] = pairs.joined(separator: "; ") }
        headers["x-forwarded-for"] = "127.0.0.1"
        headers["x-forwarded-port"] = String(port)
        headers["x-forwarded-proto"] = "http"
        headers["x-amzn-trace-id"] = "Root=1-\(String(Int(now.timeIntervalSince1970), radix: 16))-\(requestID.suffix(24))"
        self.headers = headers
        queryStringParameters = Self.parameters(rawQueryString)
        requestContext = Context(
            domainName: "local.lambda-url.us-east-1.on.aws",
            http: .init(
                method: head.method, path: rawPath.percentDecoded ?? rawPath, protocol: "HTTP/1.1",
                sourceIp: "127.0.0.1", userAgent: headers["user-agent"] ?? ""),
            requestId: requestID, time: Self.time(now), timeEpoch: Int64(now.timeIntervalSince1970 * 1000))
        if bytes.isEmpty {
            (body, isBase64Encoded) = (nil, false)
        } else if Self.isText(headers["content-type"]), let text = String(validating: bytes, as: UTF8.self) {
            (body, isBase64Encoded) = (text, false)
        } else {
            (body, isBase64Encoded) = (Data(bytes).base64EncodedString(), true)
        }
    }

    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(self))
    }

    private static func isText(_ type: String?) -> Bool {
        guard let type = type?.lowercased() else { return false }
        return type.hasPrefix("text/") || type.hasPrefix("application/json") || type.hasPrefix("application/xml")
            || type.hasPrefix("application/javascript")
    }

    private static func parameters(_ query: String) -> [String: String]? {
        guard !query.isEmpty else { return nil }
        var result: [String: String] = [:]
        for field in query.parts(at: "&") where !field.isEmpty {
            let parts = field.parts(at: "=", atMost: 2).map { part in
                let spaced = String(decoding: part.utf8.map { $0 == UInt8(ascii: "+") ? 0x20 : $0 }, as: UTF8.self)
                return spaced.percentDecoded ?? spaced
            }
            guard let name = parts.first else { continue }
            let value = parts.count > 1 ? parts[1] : ""
            result[name] = result[name].map { "\($0),\(value)" } ?? value
        }
        return result
    }

    private static func time(_ date: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let part = calendar.dateComponents([.day, .month, .year, .hour, .minute, .second], from: date)
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int?) -> String { (number ?? 0) < 10 ? "0\(number ?? 0)" : "\(number ?? 0)" }
        let month = part.month.flatMap { months.indices.contains($0 - 1) ? months[$0 - 1] : nil } ?? "Jan"
        return "\(two(part.day))/\(month)/\(part.year ?? 1970):\(two(part.hour)):\(two(part.minute)):\(two(part.second)) +0000"
    }
}
