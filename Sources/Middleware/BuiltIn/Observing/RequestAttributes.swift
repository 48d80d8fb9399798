internal import HTTPTypes

/// What OpenTelemetry's semantic conventions call the parts of a request.
///
/// - SeeAlso: OpenTelemetry, "Semantic conventions for HTTP".
enum RequestAttributes {
    /// The method, if it is one that is known: any other text would be a series of its own.
    static func method(_ request: Request) -> String {
        known.contains(request.method.rawValue) ? request.method.rawValue : "_OTHER"
    }

    private static let known: Set<String> = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY",
    ]

    /// Why it failed: the error's type, or else the status; nil where it did not.
    static func errorType(_ end: ResponseEnd) -> String? {
        guard end.status.code >= 500 || end.isCut else { return nil }
        return end.error.map { String(reflecting: type(of: $0)) } ?? "\(end.status.code)"
    }
}
