package import SluiceCore

/// Keeps secrets from leaving: what sounds like one by its name is replaced, the name stays.
///
/// What sounds like a secret is written down, case by case, in `docs/conformance-reporting.md`.
package struct Scrubber: Sendable {
    package static let filtered = "[Filtered]"
    package static let bodyLimit = 10_000

    /// Whether personal data may leave; secrets never do.
    package let sendsPII: Bool

    package init(sendsPII: Bool) { self.sendsPII = sendsPII }

    private static let secrets = [
        "auth", "token", "secret", "session", "password", "passwd", "pwd", "key", "jwt", "bearer", "sso", "saml", "csrf",
        "xsrf", "credential", "signature", "sid", "identity", "cookie", "mysql_pwd", "private",
    ]
    private static let personal = ["forwarded", "-ip", "-viewer-", "remote-", "via", "-user"]
    /// Carry no secret by themselves, but what is sent for personal data off.
    private static let harmless = ["x-forwarded-proto", "x-forwarded-port"]
    private static let cookieTerms = [
        ".sid", "sessid", "remember", "oidc", "pkce", "nonce", "__secure-", "__host-", "awsalb", "awselb", "akamai",
        "__stripe", "cognito", "firebase", "supabase", "sb-", "mfa", "2fa",
    ]

    func isSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        return Self.secrets.contains { name.contains(text: $0) }
    }

    func isFiltered(header name: String) -> Bool {
        let name = name.lowercased()
        if isSecret(name) { return true }
        return !sendsPII && !Self.harmless.contains(name) && Self.personal.contains { name.contains(text: $0) }
    }

    func isFiltered(cookie name: String) -> Bool {
        let name = name.lowercased()
        return isSecret(name) || Self.cookieTerms.contains { name.contains(text: $0) }
    }

    // MARK: Requests

    package func request(_ raw: RequestSummary) -> ReportRequest {
        var request = ReportRequest(method: raw.method, url: url(raw.url))
        request.query = raw.query.map { .init($0.name, isSecret($0.name) ? Self.filtered : $0.value) }
        for (name, value) in raw.headers {
            switch name.lowercased() {
            case "cookie": request.cookies += cookies(value)
            case "set-cookie": request.headers.append(.init(name, setCookie(value)))
            case "referer", "location", "origin": request.headers.append(.init(name, url(value)))
            default: request.headers.append(.init(name, isFiltered(header: name) ? Self.filtered : value))
            }
        }
        if sendsPII {
            request.remoteAddress = raw.remoteAddress
            request.body = body(raw)
        }
        return request
    }

    func cookies(_ header: String) -> [ReportRequest.Pair] {
        header.split(at: ";").compactMap { pair in
            let pair = pair.trimmed
            guard !pair.isEmpty else { return nil }
            // What is no pair may be a secret as a whole.
            guard let (name, value) = pair.cut(at: "=") else { return .init("cookie", Self.filtered) }
            return .init(String(name), isFiltered(cookie: String(name)) ? Self.filtered : String(value))
        }
    }

    /// The first pair only; attributes are dropped.
    func setCookie(_ header: String) -> String {
        guard let pair = header.split(at: ";").first, let (before, _) = pair.cut(at: "=") else { return Self.filtered }
        let name = String(before)
        return isFiltered(cookie: name) ? "\(name)=\(Self.filtered)" : String(pair)
    }

    /// The URL without credentials, query and fragment.
    func url(_ text: String) -> String {
        let whole = text.prefix(before: "?#").utf8
        // "//" at the beginning, or behind the scheme.
        let start =
            whole.starts(with: "//".utf8) ? whole.startIndex : Self.place(of: "://", in: whole).map { whole.index(after: $0) }
        guard let start else { return String(Substring(whole)) }
        let host = whole.index(start, offsetBy: 2)
        let authority = whole[host...].prefix { $0 != UInt8(ascii: "/") }
        guard let at = authority.lastIndex(of: UInt8(ascii: "@")) else { return String(Substring(whole)) }
        let hidden = authority[..<at].contains(UInt8(ascii: ":")) ? "\(Self.filtered):\(Self.filtered)" : Self.filtered
        return String(Substring(whole[..<host])) + hidden + String(Substring(whole[at...]))
    }

    private static func place(of part: StaticString, in text: Substring.UTF8View) -> String.Index? {
        text.indices.first { Substring(text[$0...]).begins(with: part) }
    }

    private func body(_ raw: RequestSummary) -> String? {
        guard !raw.body.isEmpty else { return nil }
        let type = (raw.header("content-type") ?? "").lowercased()
        let isText = ["json", "text/", "xml", "graphql", "x-www-form-urlencoded"].contains { type.contains(text: $0) }
        guard isText, let text = Self.start(of: raw.body) else { return nil }
        if type.contains(text: "x-www-form-urlencoded") { return form(text) }
        // A body that cannot be taken apart name by name may hide a secret anywhere.
        guard type.contains(text: "json"), raw.body.count <= Self.bodyLimit, let value = JSONParser.parse(raw.body) else {
            return mentionsSecret(text) ? Self.filtered : cut(text, raw.body.count)
        }
        var json = JSONWriter()
        data(value).write(to: &json)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    /// The text that fits; nil when it is none. A character that the limit takes apart is left out.
    private static func start(of body: [UInt8]) -> String? {
        let bytes = body.prefix(bodyLimit)
        let torn = body.count > bodyLimit ? 0...3 : 0...0
        return torn.lazy.compactMap { String(validating: bytes.dropLast($0), as: UTF8.self) }.first
    }

    private func cut(_ text: String, _ size: Int) -> String { size > Self.bodyLimit ? String(text.dropLast(3)) + "..." : text }

    private func mentionsSecret(_ text: String) -> Bool {
        // Spelled so that no name can be found: as UTF-16, or with escapes.
        if text.utf8.contains(0) || text.contains(text: "\\u") { return true }
        let text = text.lowercased()
        return Self.secrets.contains { text.contains(text: $0) }
    }

    private func form(_ text: String) -> String {
        text.split(at: "&").map { field in
            guard let (before, _) = field.cut(at: "=") else { return Self.filtered }
            let name = String(before)
            // A name that cannot be read may be that of a secret.
            return PercentEncoding.decode(name[...]).map(isSecret) ?? true ? "\(name)=\(Self.filtered)" : String(field)
        }.joined(separator: "&")
    }

    // MARK: Data

    /// Values of names that sound like secrets are replaced, at any depth.
    package func data(_ value: ReportValue, name: String? = nil) -> ReportValue {
        if let name, isSecret(name) { return .string(Self.filtered) }
        switch value {
        case .array(let values): return .array(values.map { data($0) })
        case .object(let values):
            return .object(Dictionary(uniqueKeysWithValues: values.map { key, value in (key, data(value, name: key)) }))
        default: return value
        }
    }

    /// What says who the client is, of OpenTelemetry's names.
    private static let personalAttributes: Set<String> = [
        "client.address", "client.port", "client.socket.address", "network.peer.address", "network.peer.port", "source.address",
        "net.peer.ip", "net.peer.name", "net.sock.peer.addr", "http.client_ip", "enduser.id", "user.id", "user.email",
        "user.name", "user.full_name",
    ]

    /// An attribute of a span; nil where it may not leave.
    package func attribute(_ value: ReportValue, name: String) -> ReportValue? {
        if !sendsPII, Self.personalAttributes.contains(name) { return nil }
        if name.begins(with: "http.request.header."), isFiltered(header: String(Substring(name.utf8.dropFirst(20)))) {
            return .string(Self.filtered)
        }
        let clean = data(value, name: name)
        guard case .string(let text) = clean else { return clean }
        switch name {
        case "url", "url.full", "http.url", "http.target", "url.path": return .string(url(text))
        case "url.query", "http.query": return nil
        default: return clean
        }
    }

    package func breadcrumb(_ breadcrumb: Breadcrumb) -> Breadcrumb {
        guard !breadcrumb.data.isEmpty else { return breadcrumb }
        var breadcrumb = breadcrumb
        for (key, value) in breadcrumb.data {
            var clean = data(value, name: key)
            if case .string(let text) = clean, key == "url" || key == "http.url" { clean = .string(url(text)) }
            breadcrumb.data[key] = clean
        }
        return breadcrumb
    }
}
