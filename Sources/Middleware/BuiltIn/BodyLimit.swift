internal import HTTPTypes

/// Answers 413 to a request whose body is over a limit: the bytes that came, not the length that the client declared.
public struct BodyLimit: Middleware {
    private let bytes: Int

    /// - Parameter bytes: The largest body that is let through, in bytes. Lambda itself delivers 6 MB at most.
    public init(bytes: Int) { self.bytes = bytes }

    /// - Throws: ``HTTPError``, a 413 that names the limit.
    public func handle(_ request: Request, next: Next) async throws -> Response {
        let size = request.body.plainBytes.count
        guard size <= bytes else {
            throw HTTPError(.contentTooLarge, "the body may have \(bytes) bytes at most", detail: "it has \(size)")
        }
        return await next(request)
    }
}
