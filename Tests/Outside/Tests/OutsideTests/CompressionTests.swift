import Foundation
import Sluice
import Testing

/// Gzip (RFC 1952) of stored blocks: no smaller, but every byte of the format is there.
private struct Gzip: BodyTransform {
    private var checksum: UInt32 = 0xFFFF_FFFF
    private var size: UInt32 = 0
    private var isBegun = false

    mutating func transform(_ chunk: [UInt8]) throws -> [UInt8] {
        var out = header()
        for start in stride(from: 0, to: chunk.count, by: 65_535) {
            let part = chunk[start..<min(start + 65_535, chunk.count)]
            out += block(part, isLast: false)
        }
        for byte in chunk {
            checksum ^= UInt32(byte)
            for _ in 0..<8 { checksum = checksum >> 1 ^ (checksum & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        size &+= UInt32(truncatingIfNeeded: chunk.count)
        return out
    }

    mutating func finish() throws -> [UInt8] {
        header() + block([], isLast: true) + Self.bytes(~checksum) + Self.bytes(size)
    }

    private mutating func header() -> [UInt8] {
        defer { isBegun = true }
        return isBegun ? [] : [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
    }

    private func block(_ part: ArraySlice<UInt8>, isLast: Bool) -> [UInt8] {
        let count = UInt16(part.count)
        return [isLast ? 1 : 0, UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8)] + part
    }

    private static func bytes(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (8 * $0) & 255) } }
}

private struct Compression: Middleware {
    func handle(_ request: Request, next: Next) async throws -> Response {
        var response = await next(request)
        guard request.headers[.acceptEncoding]?.contains("gzip") == true else { return response }
        response.headers[.contentEncoding] = "gzip"
        response.headers[.vary] = "Accept-Encoding"
        response.transformBody { Gzip() }
        return response
    }
}

private final class Notes: @unchecked Sendable {  // protected by the lock
    private let lock = NSLock()
    private var kept: [String] = []
    func add(_ note: String) { lock.withLock { kept.append(note) } }
    var all: [String] { lock.withLock { kept } }
}

@Suite struct CompressionTests {
    private func app(_ notes: Notes) -> LambdaApp {
        var routes = Router()
        routes.get("/text") { _ in
            Response(headers: [.contentLength: "5", .eTag: "\"1\"", .acceptRanges: "bytes"], body: "hello")
        }
        routes.get("/stream") { _ in
            Response.stream(contentType: "text/plain") { writer in
                let feed = AsyncStream<String> { feed in
                    for number in 0..<500 { feed.yield("row \(number)\n") }
                    feed.finish()
                }
                try await Task { for await row in feed { try await writer.write(row) } }.value
            }
        }
        routes.get("/many") { _ in
            Response.stream(contentType: "text/plain") { writer in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<50 { group.addTask { try await writer.write(String(repeating: "x", count: 1000)) } }
                    try await group.waitForAll()
                }
            }
        }
        routes.get("/failed") { _ in
            Response.stream(contentType: "text/plain") { _ in throw CocoaError(.fileNoSuchFile) }
        }
        struct Ends: Middleware {
            let notes: Notes
            func handle(_ request: Request, next: Next) async throws -> Response {
                var response = await next(request)
                response.wrapBody { writer, body in
                    try await body(writer)
                    notes.add("span")
                }
                response.onEnd { notes.add("end \($0.status.code)") }
                return response
            }
        }
        return LambdaApp {
            Compression()
            Ends(notes: notes)
            routes
        }
    }

    /// What `gzip -d` makes of it: code that is not ours.
    private func unzip(_ bytes: [UInt8]) throws -> String {
        let (process, input, output) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/bin/gzip")
        process.arguments = ["-dc"]
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        DispatchQueue.global().async {
            input.fileHandleForWriting.write(Data(bytes))
            try? input.fileHandleForWriting.close()
        }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }

    private func get(_ path: String, _ notes: Notes = Notes()) async -> Response {
        await app(notes).respond(to: Request(.get, path, headers: [.acceptEncoding: "gzip"]))
    }

    @Test("bytes and streams are compressed by a middleware of ours, whoever waits for the end still hears of it")
    func compressed() async throws {
        let notes = Notes()
        let text = await get("/text", notes)
        #expect(try unzip(await text.body.collect()) == "hello")
        #expect(text.headers[.contentLength] == nil)
        #expect(text.headers[.acceptRanges] == nil)
        #expect(text.headers[.eTag] == "W/\"1\"")
        #expect(notes.all == ["span", "end 200"])
        let stream = await get("/stream")
        #expect(try unzip(await stream.body.collect()) == (0..<500).map { "row \($0)\n" }.joined())
        let many = await get("/many")
        #expect(try unzip(await many.body.collect()) == String(repeating: "x", count: 50_000))
    }

    @Test("what fails is not compressed into a success")
    func failed() async {
        let response = await get("/failed")
        #expect(response.status == .internalServerError)
        #expect(response.error is CocoaError)
    }
}
