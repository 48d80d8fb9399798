public import Sluice

extension Response {
    /// Adds a `Set-Cookie` header whose value is signed, as `setCookie` does for plain ones.
    ///
    /// Any text may be the value; the client can read it, and cannot change it, give it to a cookie of another name, or keep it longer
    /// than the cookie's `maxAge` or `expires`, which are signed too. It grows by a third and by 58 bytes at most.
    ///
    /// - Throws: `CookieError`, where a browser would refuse the cookie: name and signed value have 4096 bytes at most.
    public mutating func setSignedCookie(_ cookie: SetCookie, _ keys: SigningKeys) throws(CookieError) {
        try setSignedCookie(cookie, keys, at: .now)
    }

    mutating func setSignedCookie(
        _ cookie: SetCookie, _ keys: SigningKeys, at now: WallClock.Instant
    ) throws(CookieError) {
        var cookie = cookie
        let expires = cookie.maxAge.map { now.advanced(by: $0) } ?? cookie.expires
        let seal = CookieSeal(keys: keys, purpose: .cookie, name: cookie.name)
        cookie.value = seal.seal(Array(cookie.value.utf8), expires: expires)
        try setCookie(cookie)
    }
}

extension Cookies {
    /// The value of a cookie that `setSignedCookie` has made.
    ///
    /// Nil where there is none, and where it is forged, malformed, over, or more than 4096 bytes long: nobody's, all of these. Of several
    /// cookies of this name the first good one counts.
    public func signed(_ name: String, by keys: SigningKeys) -> String? { signed(name, by: keys, at: .now) }

    func signed(_ name: String, by keys: SigningKeys, at now: WallClock.Instant) -> String? {
        let opened = CookieSeal(keys: keys, purpose: .cookie, name: name).open(self, at: now)
        return opened.flatMap { String(validating: $0.value, as: UTF8.self) }
    }
}
