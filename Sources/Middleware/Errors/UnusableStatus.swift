internal import HTTPTypes

/// A status that cannot end an exchange.
struct UnusableStatus: Error, CustomStringConvertible {
    let code: Int
    var description: String { "\(code) is not a final HTTP status: a response has one from 200 to 999" }

    static func isUsable(_ status: HTTPResponse.Status) -> Bool { (200...999).contains(status.code) }
}
