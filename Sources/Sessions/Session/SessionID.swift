/// Names under which stores keep sessions.
enum SessionID {
    /// 192 random bits of the system's own generator, as 32 characters of base64url.
    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return Base64URL.encode((0..<24).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }
}
