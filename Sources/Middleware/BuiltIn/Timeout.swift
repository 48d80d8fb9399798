internal import HTTPTypes

/// Cancels what takes too long, and answers 504: one failure, with one record.
///
/// It limits the time until the rest of the chain has a response; a stream's body is written afterwards and has the deadline of the
/// invocation alone. A handler is cancelled, and waited for: what ignores cancellation, and whatever it left running, would go on under
/// somebody else's request. `Task.sleep`, clients and `try Task.checkCancellation()` heed it.
public struct Timeout: Middleware {
    private let limit: Duration

    /// - Parameter limit: How long the rest of the chain may take. The guard of the invocation's own deadline stays.
    public init(after limit: Duration) { self.limit = min(max(limit, .zero), .seconds(1_000_000)) }

    /// - Throws: ``HTTPError``, a 504, when the time is over.
    public func handle(_ request: Request, next: Next) async throws -> Response {
        let limit = limit
        let (response, isLate) = await withTaskGroup(of: Response?.self) { group in
            group.addTask { await next(request) }
            group.addTask {
                try? await Task.sleep(for: limit)
                return nil
            }
            var response: Response?
            var isLate = false
            for await result in group {
                if let result { response = result } else { isLate = response == nil && !Task.isCancelled }
                // Whichever came first, the other one has no reason to go on.
                group.cancelAll()
            }
            return (response, isLate)
        }
        guard !isLate, let response else {
            throw HTTPError(.gatewayTimeout, detail: "no response within \(limit)", cause: response?.error)
        }
        return response
    }
}
