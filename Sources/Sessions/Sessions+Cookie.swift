public import Sluice

extension Sessions {
    /// The cookie that a session comes back with. Scripts of the page never see it: it is always `HttpOnly`.
    public struct Cookie: Sendable, Hashable {
        /// Its name. With `__Host-` in front, no other host and no subdomain can set it.
        public var name: String
        /// Below which paths it is sent.
        public var path: String
        /// To which host and its subdomains it is sent; nil for this host alone.
        public var domain: String?
        /// Whether it is sent over HTTPS alone; browsers count `localhost` as that.
        public var isSecure: Bool
        /// When a request of another site has it; nil for the browser's own rule.
        public var sameSite: SetCookie.SameSite?
        /// Whether it is kept apart for each top-level site (CHIPS).
        public var isPartitioned: Bool
        /// Whether it outlives the browser's own session. The session's time on the server is the same either way.
        public var isPersistent: Bool

        /// A cookie for this host, over HTTPS, that other sites' forms and scripts cannot send.
        public init(
            name: String = "__Host-session", path: String = "/", domain: String? = nil, secure: Bool = true,
            sameSite: SetCookie.SameSite? = .lax, partitioned: Bool = false, persistent: Bool = true
        ) {
            (self.name, self.path, self.domain) = (name, path, domain)
            (isSecure, self.sameSite, isPartitioned, isPersistent) = (secure, sameSite, partitioned, persistent)
        }

        /// What sets it.
        func setting(_ value: String, for lifetime: Duration) -> SetCookie {
            SetCookie(
                name: name, value: value, path: path, domain: domain, maxAge: isPersistent ? lifetime : nil, secure: isSecure,
                httpOnly: true, sameSite: sameSite, partitioned: isPartitioned)
        }

        /// What removes it: with all of its attributes, as browsers ask for them.
        var removal: SetCookie {
            var cookie = setting("", for: .zero)
            cookie.maxAge = .zero
            cookie.expires = WallClock.Instant(millisecondsSinceEpoch: 0)
            return cookie
        }
    }
}
