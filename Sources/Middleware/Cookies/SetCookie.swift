internal import HTTPTypes
public import SluiceCore

/// A cookie that a response sets, with the attributes that are safe for a session: sent back to this host alone, over HTTPS alone, not
/// to scripts, and not with other sites' requests.
///
/// - SeeAlso: RFC 6265bis, section 4.1, <https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis>
public struct SetCookie: Sendable, Hashable {
    /// When a request of another site has the cookie.
    public struct SameSite: Sendable, Hashable {
        /// As it stands in the header.
        public let text: String
        private init(_ text: String) { self.text = text }

        /// Never.
        public static let strict = Self("Strict")
        /// When the user follows a link.
        public static let lax = Self("Lax")
        /// Always; needs `secure`.
        public static let none = Self("None")
    }

    /// A token. `__Host-` and `__Secure-` in front of it make browsers insist on `secure`, and `__Host-` on `path` `/` and no `domain`.
    public var name: String
    /// What comes back; octets of RFC 6265: no spaces, quotation marks, commas, semicolons, backslashes, and ASCII alone.
    public var value: String
    /// Below which paths it is sent; nil for the folder of the request's path.
    public var path: String?
    /// To which host and its subdomains it is sent; nil for this host alone.
    public var domain: String?
    /// When it ends; nil for the end of the browser's session. Browsers keep none longer than 400 days.
    public var expires: WallClock.Instant?
    /// After what time it ends; wins over `expires`. Zero or less removes it.
    public var maxAge: Duration?
    /// Whether it is sent over HTTPS alone; browsers count `localhost` as that.
    public var isSecure: Bool
    /// Whether scripts of the page cannot read it.
    public var isHTTPOnly: Bool
    /// When a request of another site has it; nil for the browser's own rule.
    public var sameSite: SameSite?
    /// Whether it is kept apart for each top-level site (CHIPS); needs `secure`.
    public var isPartitioned: Bool

    /// A cookie for this host, until the browser's session ends.
    public init(
        name: String, value: String, path: String? = "/", domain: String? = nil, expires: WallClock.Instant? = nil,
        maxAge: Duration? = nil, secure: Bool = true, httpOnly: Bool = true, sameSite: SameSite? = .lax,
        partitioned: Bool = false
    ) {
        (self.name, self.value, self.path, self.domain) = (name, value, path, domain)
        (self.expires, self.maxAge, isSecure, isHTTPOnly) = (expires, maxAge, secure, httpOnly)
        (self.sameSite, isPartitioned) = (sameSite, partitioned)
    }

    /// What removes a cookie from the browser: everything must be as it was set.
    public static func removal(
        of name: String, path: String? = "/", domain: String? = nil, sameSite: SameSite? = .lax, partitioned: Bool = false
    ) -> SetCookie {
        SetCookie(
            name: name, value: "", path: path, domain: domain, expires: .init(millisecondsSinceEpoch: 0), maxAge: .zero,
            sameSite: sameSite, partitioned: partitioned)
    }

    /// The header's value.
    ///
    /// - Throws: ``CookieError``, where a browser would refuse the cookie or read another one.
    public func header() throws(CookieError) -> String {
        try check()
        var text = "\(name)=\(value)"
        if let maxAge { text += "; Max-Age=\(max(0, maxAge.components.seconds))" }
        if let expires { text += "; Expires=\(HTTPDate.text(expires))" }
        if let domain { text += "; Domain=\(domain)" }
        if let path { text += "; Path=\(path)" }
        if isSecure { text += "; Secure" }
        if isHTTPOnly { text += "; HttpOnly" }
        if let sameSite { text += "; SameSite=\(sameSite.text)" }
        if isPartitioned { text += "; Partitioned" }
        return text
    }

    private static let longest = Duration.seconds(400 * 86_400)

    private func check() throws(CookieError) {
        func fail(_ reason: String) throws(CookieError) -> Never { throw CookieError(name: name, reason: reason) }
        guard HTTPField.Name(name) != nil else { try fail("its name is not a token") }
        guard value.utf8.allSatisfy(Self.isCookieOctet) else {
            try fail("its value has octets that a cookie cannot hold: encode it, as base64 or with percent signs")
        }
        guard name.utf8.count + value.utf8.count <= 4096 else { try fail("its name and value have more than 4096 bytes") }
        for attribute in [path, domain].compactMap(\.self) {
            guard attribute.utf8.count <= 1024, attribute.utf8.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != 0x3B }) else {
                try fail("an attribute has more than 1024 bytes, or octets that cannot stand there")
            }
        }
        if let path, path.utf8.first != 0x2F { try fail("its path does not begin with '/'") }
        if let maxAge, maxAge > Self.longest { try fail("its Max-Age is over 400 days, which browsers cut") }
        let prefix = name.prefix(12).asciiLowercased
        let isHost = prefix.hasPrefix("__host-")
        if isHost || prefix.hasPrefix("__secure-") || prefix.hasPrefix("__http-"), !isSecure {
            try fail("its prefix needs 'secure'")
        }
        if isHost, path != "/" || domain != nil { try fail("its prefix needs the path '/' and no domain") }
        if prefix.hasPrefix("__http-") || prefix.hasPrefix("__host-http-"), !isHTTPOnly {
            try fail("its prefix needs 'httpOnly'")
        }
        if sameSite == SameSite.none, !isSecure { try fail("SameSite=None needs 'secure'") }
        if isPartitioned, !isSecure { try fail("Partitioned needs 'secure'") }
    }

    /// `cookie-octet` of RFC 6265, section 4.1.1.
    private static func isCookieOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x21, 0x23...0x2B, 0x2D...0x3A, 0x3C...0x5B, 0x5D...0x7E: true
        default: false
        }
    }
}

/// A cookie that browsers would refuse, or read as another one: our mistake, so a 500.
public struct CookieError: Error, Equatable, CustomStringConvertible {
    /// The cookie's name.
    public let name: String
    /// What is wrong with it.
    public let reason: String

    /// Name and reason, for the log.
    public var description: String { "the cookie '\(name)' cannot be set: \(reason)" }
}

extension Response {
    /// Adds a `Set-Cookie` header; one of the same name, path, domain and partition that is there already goes.
    ///
    /// - Throws: ``CookieError``, where a browser would refuse the cookie or read another one.
    public mutating func setCookie(_ cookie: SetCookie) throws(CookieError) {
        let line = try cookie.header()
        let identity = Self.identity(line)
        let others = headers[values: .setCookie].filter { Self.identity($0) != identity }
        headers[values: .setCookie] = others + [line]
    }

    /// What browsers tell cookies apart by.
    private static func identity(_ line: String) -> [String] {
        let parts = line.split(at: ";").map(\.trimmed)
        var (domain, path, partition) = ("", "", "")
        for attribute in parts.dropFirst() {
            let (name, value) = attribute.cut(at: "=") ?? (attribute, "")
            switch name.trimmed.asciiLowercased {
            case "domain": domain = value.trimmed.asciiLowercased
            case "path": path = String(value.trimmed)
            case "partitioned": partition = "partitioned"
            default: continue
            }
        }
        return [String(parts.first?.cut(at: "=")?.before ?? ""), domain, path, partition]
    }
}
