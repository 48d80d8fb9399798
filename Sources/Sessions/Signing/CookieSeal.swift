internal import Sluice

/// Signs the values of one cookie, and reads what it has signed.
///
/// A cookie's value is `value.expiry.signature`: value and signature in base64url, the expiry in milliseconds since 1970, empty for
/// none. What is signed is `sluice-1`, the purpose, the cookie's name and `value.expiry`, with a NUL between two of them, which none of
/// them can hold: a value is good for one name and one purpose alone.
struct CookieSeal: Sendable {
    /// What a signature is for.
    enum Purpose: String {
        /// A value of the app's own.
        case cookie
        /// A session's values.
        case sessionValues = "session-values"
        /// The id under which a store has a session.
        case sessionID = "session-id"
    }

    /// What a signature has been found to be true of.
    struct Opened: Equatable {
        let value: [UInt8]
        /// Nil where it is good forever.
        let expires: WallClock.Instant?
    }

    /// How many bytes a cookie has at most, name and value together: what browsers keep (RFC 6265bis, section 5.7).
    static let longest = 4096
    /// How many cookies of one name are looked at: a second one comes from another path or domain, a fifth one from an attacker.
    private static let mostOfOneName = 4

    let keys: SigningKeys
    let purpose: Purpose
    let name: String

    func seal(_ value: [UInt8], expires: WallClock.Instant?) -> String {
        let expiry = expires.map { String($0.millisecondsSinceEpoch) } ?? ""
        let text = "\(Base64URL.encode(value)).\(expiry)"
        return "\(text).\(Base64URL.encode(keys.signature(of: message(text.utf8))))"
    }

    /// Nil for everything that ``seal(_:expires:)`` has not made for this name and purpose, and for what is over.
    func open(_ text: String, at now: WallClock.Instant) -> Opened? {
        guard name.utf8.count + text.utf8.count <= Self.longest else { return nil }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, let signature = Base64URL.decode(parts[2]),
            keys.isValid(signature, of: message(text.utf8.dropLast(parts[2].count + 1))),
            let value = Base64URL.decode(parts[0])
        else { return nil }
        guard !parts[1].isEmpty else { return Opened(value: value, expires: nil) }
        guard let milliseconds = Int64(Substring(parts[1])) else { return nil }
        let expires = WallClock.Instant(millisecondsSinceEpoch: milliseconds)
        return now < expires ? Opened(value: value, expires: expires) : nil
    }

    /// The first cookie of this name that is good: one that somebody else has put in front of it does not hide it.
    func open(_ cookies: Cookies, at now: WallClock.Instant) -> Opened? {
        let candidates = cookies.all.lazy.filter { $0.name.utf8.elementsEqual(name.utf8) }.prefix(Self.mostOfOneName)
        for candidate in candidates {
            if let opened = open(candidate.value, at: now) { return opened }
        }
        return nil
    }

    private func message(_ text: some Sequence<UInt8>) -> [UInt8] {
        var message = Array("sluice-1".utf8)
        for part in [purpose.rawValue, name] { message += [0] + Array(part.utf8) }
        return message + [0] + Array(text)
    }
}
