internal import HTTPTypes
internal import Logging
internal import SluiceStreaming

/// Writes one INFO line for each request when its body has ended: method, path, status, bytes and duration.
///
/// An answer below 500 that stands for an error has that error in the line. The query is left out: it may hold secrets.
public struct AccessLog: Middleware {
    private let logger: Logger?

    /// Made with the first line: the app's list is built before `run()` installs the log's backend.
    private static let standard = Logger(label: "access")

    /// - Parameter logger: Where lines go; one labelled `access` when left out.
    public init(logger: Logger? = nil) { self.logger = logger }

    /// Runs the rest, and writes the line when the answer's body has ended.
    public func handle(_ request: Request, next: Next) async throws -> Response {
        let start = ContinuousClock.now
        var response = await next(request)
        let line = Line(
            logger: logger ?? Self.standard, method: request.method.rawValue, path: request.rawPath,
            status: response.status.code,
            error: response.status.code < 500 ? response.error : nil, start: start)
        response.wrapBody { writer, body in
            do {
                try await body(writer)
                line.write(bytes: writer.bytesWritten)
            } catch {
                line.write(bytes: writer.bytesWritten, cutBy: error, statusIsGone: !writer.canStillChangeStatus)
                throw error
            }
        }
        return response
    }

    private struct Line: Sendable {
        let logger: Logger
        let method: String
        let path: String
        let status: Int
        let error: (any Error)?
        let start: ContinuousClock.Instant

        func write(bytes: Int, status: Int? = nil, cut: Bool = false, error late: (any Error)? = nil) {
            let (seconds, attoseconds) = (ContinuousClock.now - start).components
            let milliseconds = Double(seconds) * 1e3 + Double(attoseconds / 1_000_000_000_000) / 1e3
            let status = status ?? self.status
            var metadata: Logger.Metadata = [
                "method": "\(method)", "path": "\(path)", "status": "\(status)", "bytes": "\(bytes)",
                "durationMs": "\(milliseconds)",
            ]
            if cut { metadata["cut"] = "true" }
            if let error = late ?? error { metadata["error"] = "\(error)" }
            logger.info("\(method) \(path) \(status)\(cut ? " cut" : "")", metadata: metadata)
        }

        func write(bytes: Int, cutBy error: any Error, statusIsGone: Bool) {
            if statusIsGone {
                write(bytes: bytes, cut: true)
            } else {
                let status = HTTPError(answering: error).status.code
                write(bytes: 0, status: status, error: status < 500 ? error : nil)
            }
        }
    }
}
