import Foundation

@testable import SluiceMiddleware

/// What Python's zlib makes of compressed bodies, all of them in one call: code that is not ours.
enum CompressionReader {
    struct Compressed {
        let coding: String
        let chunks: [[UInt8]]
    }

    struct Read {
        /// What could be read after each chunk.
        let parts: [[UInt8]]
        /// Whether the end was one, with nothing behind it.
        let isWhole: Bool
    }

    struct Unreadable: Error { let output: String }

    private static let script = """
        import base64, sys, zlib
        for line in open(sys.argv[1]):
            coding, *chunks = line.split()
            reader = zlib.decompressobj({"gzip": 31, "deflate": 15}[coding])
            parts = [base64.b64encode(reader.decompress(base64.b64decode(chunk))).decode() for chunk in chunks]
            print(",".join(parts), "whole" if reader.eof and not reader.unused_data else "cut")
        """

    static func read(_ bodies: [Compressed]) throws -> [Read] {
        let lines = bodies.map { body -> String in
            let chunks = body.chunks.map { Data($0).base64EncodedString() }
            return ([body.coding] + chunks).joined(separator: " ")
        }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }  // a leftover in the temporary folder harms nobody
        try Data(lines.joined(separator: "\n").utf8).write(to: file)
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script, file.path]
        process.standardOutput = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let reads = try output.split(separator: "\n").map { try parsed($0) }
        guard process.terminationStatus == 0, reads.count == bodies.count else { throw Unreadable(output: output) }
        return reads
    }

    private static func parsed(_ line: Substring) throws -> Read {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2 else { throw Unreadable(output: String(line)) }
        var parts: [[UInt8]] = []
        for text in words[0].split(separator: ",", omittingEmptySubsequences: false) {
            guard let data = Data(base64Encoded: String(text)) else { throw Unreadable(output: String(line)) }
            parts.append([UInt8](data))
        }
        return Read(parts: parts, isWhole: words[1] == "whole")
    }
}

extension Compression {
    /// What a client gets that sends this `Accept-Encoding`.
    func applied(to response: Response, _ accept: String?) async throws -> Response {
        var request = Request(.get, "/")
        request.headers[.acceptEncoding] = accept
        let next = Next(Links([], responder: problemResponse(to:for:), .handler { _ in response }))
        return try await handle(request, next: next)
    }
}
