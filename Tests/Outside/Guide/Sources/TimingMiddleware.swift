import Sluice

extension HTTPField.Name {
    static let serverTiming = Self("Server-Timing")!  // a literal that is a token
}

/// Tells how long the handler took in a header, and how long the body took in a record: by then no header can tell it.
struct TimingMiddleware: Middleware {
    /// Made with the first record: the app's list is built before `run()` installs the log's backend.
    private static let logger = Logger(label: "timing")

    func handle(_ request: Request, next: Next) async throws -> Response {
        let start = WallClock.Instant.now
        var response = await next(request)
        // A streamed body has not begun yet. Status and headers have not left.
        let head = WallClock.Instant.now
        let handler = Self.milliseconds(from: start, to: head)
        response.headers[.serverTiming] = "handler;dur=\(handler)"
        let route = response.route ?? "none"
        response.onEnd { end in
            Self.logger.info(
                "\(route) took \(Self.milliseconds(from: start, to: .now)) ms",
                metadata: [
                    "route": "\(route)", "status": "\(end.status.code)", "handlerMs": "\(handler)",
                    "bodyMs": "\(Self.milliseconds(from: head, to: .now))", "bytes": "\(end.bytesWritten)",
                    "isCut": "\(end.isCut)",
                ])
        }
        return response
    }

    private static func milliseconds(from start: WallClock.Instant, to end: WallClock.Instant) -> Int64 {
        end.millisecondsSinceEpoch - start.millisecondsSinceEpoch
    }
}
