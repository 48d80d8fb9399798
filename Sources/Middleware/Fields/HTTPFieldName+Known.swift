public import HTTPTypes

extension HTTPField.Name {
    /// Where ``APIKeyAuth`` looks unless told otherwise.
    public static let apiKey = Self("X-API-Key")!  // a literal that is a token

    package static let host = Self("host")!  // a literal that is a token
    /// What ``RequestID`` sets.
    public static let requestID = Self("x-request-id")!  // a literal that is a token
    /// What an `EventSource` sends when it connects again: the id of the last event that it got.
    public static let lastEventID = Self("last-event-id")!  // a literal that is a token

    package static let keepAlive = Self("keep-alive")!  // a literal that is a token
    package static let proxyConnection = Self("proxy-connection")!  // a literal that is a token
    static let contentMD5 = Self("content-md5")!  // a literal that is a token
    static let digest = Self("digest")!  // a literal that is a token
    static let contentDigest = Self("content-digest")!  // a literal that is a token
    static let reprDigest = Self("repr-digest")!  // a literal that is a token
    static let referrerPolicy = Self("referrer-policy")!  // a literal that is a token
    static let xFrameOptions = Self("x-frame-options")!  // a literal that is a token
    static let xXSSProtection = Self("x-xss-protection")!  // a literal that is a token
    static let crossOriginOpenerPolicy = Self("cross-origin-opener-policy")!  // a literal that is a token
    static let permissionsPolicy = Self("permissions-policy")!  // a literal that is a token
    // A literal that is a token.
    static let accessControlRequestPrivateNetwork = Self("access-control-request-private-network")!
    // A literal that is a token.
    static let accessControlAllowPrivateNetwork = Self("access-control-allow-private-network")!
}
