public import HTTPTypes
public import SluiceCore

/// An error that knows how to answer the request that caused it.
///
/// Two audiences, two fields: ``message`` is for the client; ``detail`` and ``cause`` go to the log and the report.
public struct HTTPError: CausedError, CustomStringConvertible {
    /// The status of the response: 200 to 999. Any other is a mistake of ours and becomes a 500. From 500 on the error is recorded.
    public let status: HTTPResponse.Status
    /// Sent to the client. Nothing learned from ``detail`` or ``cause`` may appear here.
    public let message: String
    /// Logged and reported, never sent.
    public let detail: String?
    /// What led here; logged and reported, never sent.
    public let cause: (any Error)?
    /// Sent to the client: what is wrong with which part of the request. Empty for most errors.
    public let problems: [ValidationError.Failure]
    /// Sent to the client with the response: `WWW-Authenticate`, `Retry-After`, `Allow`. Empty for most errors.
    public let headers: HTTPFields

    /// - Parameters:
    ///   - message: What the client may read; the status's own words when left out.
    ///   - detail: For the log and the report.
    ///   - cause: For the log and the report.
    ///   - problems: What is wrong with which part of the request; the client may read it.
    ///   - headers: What the response has besides.
    public init(
        _ status: HTTPResponse.Status, _ message: String? = nil, detail: String? = nil, cause: (any Error)? = nil,
        problems: [ValidationError.Failure] = [], headers: HTTPFields = [:]
    ) {
        self.status = status
        self.message = message ?? status.reasonPhrase
        self.detail = detail
        self.cause = cause
        self.problems = problems
        self.headers = headers
    }

    /// What stands in the log: status, message, detail and cause.
    public var description: String {
        var text = "\(status.code) \(message)"
        if let detail { text += " (\(detail))" }
        if let cause { text += " caused by \(type(of: cause)): \(cause)" }
        return text
    }
}
