package import HTTPTypes

extension HTTPField.Name {
    package static let host = Self("host")!  // a literal that is a token
    package static let requestID = Self("x-request-id")!  // a literal that is a token
    package static let keepAlive = Self("keep-alive")!  // a literal that is a token
    package static let proxyConnection = Self("proxy-connection")!  // a literal that is a token
}
