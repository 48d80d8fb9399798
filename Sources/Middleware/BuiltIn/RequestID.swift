internal import HTTPTypes

/// Adds the request's id to each response as `X-Request-ID`, errors included.
public struct RequestID: Middleware {
    /// Takes ``Request/id``: the platform's, or one of ours off Lambda.
    public init() {}

    /// Runs the rest and sets the header on whatever comes back.
    @inline(__always)
    public func handle(_ request: Request, next: Next) async throws -> Response {
        var response = await next(request)
        if response.headers.has(.requestID) {
            response.headers[.requestID] = request.id
        } else {
            response.headers.append(HTTPField(name: .requestID, value: request.id))
        }
        return response
    }
}
