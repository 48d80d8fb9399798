internal import HTTPTypes
public import Logging

/// Writes one INFO line for each request when its body has ended: method, path, status, bytes and duration.
///
/// A response below 500 that stands for an error has that error in the line. The query is left out: it may hold secrets.
public struct AccessLog: Middleware {
    private let logger: Logger?

    /// Made with the first line: the app's list is built before `run()` installs the log's backend.
    private static let standard = Logger(label: "access")

    /// - Parameter logger: Where lines go; one labelled `access` when left out.
    public init(logger: Logger? = nil) { self.logger = logger }

    /// Runs the rest, and writes the line when it is known what the client gets.
    @inline(__always)
    public func handle(_ request: Request, next: Next) async throws -> Response {
        let logger = logger ?? Self.standard
        // Nobody would see the line.
        guard logger.logLevel <= .info else { return await next(request) }
        let start = ContinuousClock.now
        var response = await next(request)
        let (method, path) = (request.method.rawValue, request.rawPath)
        response.onEnd { end in
            let (seconds, attoseconds) = (ContinuousClock.now - start).components
            let milliseconds = Double(seconds) * 1e3 + Double(attoseconds / 1_000_000_000_000) / 1e3
            let status = end.status.code
            var metadata: Logger.Metadata = [
                "method": "\(method)", "path": "\(path)", "status": "\(status)", "bytes": "\(end.bytesWritten)",
                "durationMs": "\(milliseconds)",
            ]
            if end.isCut { metadata["cut"] = "true" }
            // Any other error has a record of its own.
            if status < 500, !end.isCut, let error = end.error { metadata["error"] = "\(error)" }
            logger.info("\(method) \(path) \(status)\(end.isCut ? " cut" : "")", metadata: metadata)
        }
        return response
    }
}
