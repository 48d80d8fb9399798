internal import HTTPTypes
internal import SluiceStreaming

/// Answers 413 to a request whose body is over a limit: the bytes that came, not the length that the client declared.
public struct BodyLimit: Middleware {
    private let bytes: Int

    /// - Parameter bytes: The largest body that is let through, in bytes. Lambda itself delivers 6 MB at most.
    public init(bytes: Int) { self.bytes = bytes }

    /// - Throws: ``HTTPError``, a 413 that names the limit.
    @inline(__always)
    public func handle(_ request: Request, next: Next) async throws -> Response {
        guard let size = request.body.bytes?.count else {
            // A middleware above has made a stream of it.
            var request = request
            do {
                request.body = .bytes(try await request.body.collect(upTo: bytes))
            } catch let error as BodyWriterError where error.code == .tooLarge {
                throw HTTPError(.contentTooLarge, "the body may have \(bytes) bytes at most", detail: "\(error)")
            }
            return await next(request)
        }
        guard size <= bytes else {
            throw HTTPError(.contentTooLarge, "the body may have \(bytes) bytes at most", detail: "it has \(size)")
        }
        return await next(request)
    }
}
