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

    /// - Parameter message: What the client may read; the status's own words when left out.
    public init(
        _ status: HTTPResponse.Status, _ message: String? = nil, detail: String? = nil, cause: (any Error)? = nil
    ) {
        self.status = status
        self.message = message ?? status.reasonPhrase
        self.detail = detail
        self.cause = cause
    }

    /// What stands in the log: status, message, detail and cause.
    public var description: String {
        var text = "\(status.code) \(message)"
        if let detail { text += " (\(detail))" }
        if let cause { text += " caused by \(type(of: cause)): \(cause)" }
        return text
    }
}
