package import HTTPTypes

extension HTTPField.Name {
    package static let host = Self("host")!  // a literal that is a token
    package static let requestID = Self("x-request-id")!  // a literal that is a token
    package static let keepAlive = Self("keep-alive")!  // a literal that is a token
    package static let proxyConnection = Self("proxy-connection")!  // a literal that is a token
    static let contentMD5 = Self("content-md5")!  // a literal that is a token
    static let digest = Self("digest")!  // a literal that is a token
    static let contentDigest = Self("content-digest")!  // a literal that is a token
}
