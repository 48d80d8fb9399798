import Sluice

/// Puts a number before each line of plain text, whether it is all there or comes as a stream.
struct LineNumbers: Middleware {
    func handle(_ request: Request, next: Next) async throws -> Response {
        var response = await next(request)
        // Part of a text has no first line, and compressed bytes have no lines.
        guard response.status == .ok, response.headers[.contentEncoding] == nil,
            response.headers[.contentType]?.hasPrefix("text/plain") == true
        else { return response }
        response.transformBody { Numbering() }
        return response
    }

    /// One value numbers one body, chunk by chunk. A chunk ends anywhere: within a line, within a character.
    struct Numbering: BodyTransform {
        private var line = 1
        private var isLineStart = true

        mutating func transform(_ chunk: [UInt8]) -> [UInt8] {
            var out: [UInt8] = []
            for byte in chunk {
                if isLineStart { out += "\(line)\t".utf8 }
                out.append(byte)
                isLineStart = byte == UInt8(ascii: "\n")
                if isLineStart { line += 1 }
            }
            return out
        }

        /// Ends the last line, where the body has not. Not called for a body that failed.
        mutating func finish() -> [UInt8] { isLineStart ? [] : [UInt8(ascii: "\n")] }
    }
}
