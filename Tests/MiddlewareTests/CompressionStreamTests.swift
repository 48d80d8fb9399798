import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceMiddleware
@testable import SluiceStreaming

/// Streams under `Compression(streams: true)`: each write can be read when it comes, and a cut stream looks cut.
@Suite struct CompressionStreamTests {
    private static let streams = Compression(streams: true)

    /// Numbers that are the same for the same seed.
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            let mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            return (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        }

        mutating func size(_ most: Int) -> Int { Int.random(in: 0...most, using: &self) }

        /// From none to 255 different values: what compresses well, and what does not at all.
        mutating func bytes(_ count: Int, upTo most: UInt8 = 255) -> [UInt8] {
            var bytes: [UInt8] = []
            for _ in 0..<count { bytes.append(UInt8.random(in: 0...most, using: &self)) }
            return bytes
        }

        mutating func writes() -> [[UInt8]] {
            var writes: [[UInt8]] = []
            for _ in 0..<size(8) {
                let most = size(6000)
                let values = UInt8(size(255))
                writes.append(bytes(size(most), upTo: values))
            }
            return writes
        }
    }

    /// The chunks that leave when these are written.
    private static func chunks(_ writes: [[UInt8]], _ coding: String) async throws -> [[UInt8]] {
        let plain = Response.stream(contentType: "text/plain") { writer in
            for write in writes { try await writer.write(write) }
        }
        let response = try await streams.applied(to: plain, coding)
        let seen = Collected<[UInt8]>()
        try await response.writeBody(to: BodyWriter(ChunkSink({ seen.add($0) })))
        return seen.values
    }

    private static func check(_ bodies: [[[UInt8]]], _ coding: String, _ comment: String) async throws {
        var compressed: [CompressionReader.Compressed] = []
        for writes in bodies {
            compressed.append(.init(coding: coding, chunks: try await chunks(writes, coding)))
        }
        for (index, read) in try CompressionReader.read(compressed).enumerated() {
            // An empty write sends nothing; the end comes by itself.
            var expected = bodies[index].filter { !$0.isEmpty }
            expected.append([])
            #expect(read.parts == expected, "\(comment), body \(index)")
            #expect(read.isWhole, "\(comment), body \(index)")
        }
    }

    @Test("30 random bodies in random writes can be read write by write, to their end", arguments: ["gzip", "deflate"])
    func random(_ coding: String) async throws {
        let seed = UInt64.random(in: .min ... .max)
        var numbers = Numbers(state: seed)
        var bodies: [[[UInt8]]] = []
        for _ in 0..<30 { bodies.append(numbers.writes()) }
        try await Self.check(bodies, coding, "seed \(seed)")
    }

    /// zlib has 16 KiB at a time to write to: what fills them to the last byte is not all, or is.
    @Test("writes whose compressed form is as long as its buffer, and about so", arguments: ["gzip", "deflate"])
    func full(_ coding: String) async throws {
        let seed = UInt64.random(in: .min ... .max)
        var numbers = Numbers(state: seed)
        let noise = numbers.bytes(16_390)
        var bodies: [[[UInt8]]] = []
        for size in 16_360...16_380 {
            bodies.append([Array(noise.prefix(size)), [1, 2, 3], Array(noise.suffix(size)), noise + noise + noise])
        }
        try await Self.check(bodies, coding, "seed \(seed)")
    }

    @Test("each event leaves when it is sent, and can be read then")
    func events() async throws {
        let seen = Collected<[UInt8]>()
        let counts = Collected<Int>()
        let plain = Response.events { events in
            for number in 1...3 {
                try await events.send("\(number)")
                counts.add(seen.values.count)
            }
        }
        let response = try await Self.streams.applied(to: plain, "gzip")
        #expect(response.headers[.contentEncoding] == "gzip")
        try await response.writeBody(to: BodyWriter(ChunkSink({ seen.add($0) })))
        #expect(counts.values == [1, 2, 3])
        let read = try #require(try CompressionReader.read([.init(coding: "gzip", chunks: seen.values)]).first)
        let texts = read.parts.map { String(decoding: $0, as: UTF8.self) }
        #expect(texts == ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n", ""])
        #expect(read.isWhole)
    }

    @Test("a flush before the first write sends the head alone")
    func flush() async throws {
        let heads = Collected<Int>()
        let seen = Collected<[UInt8]>()
        let plain = Response.stream(contentType: "text/plain") { writer in
            try await writer.flush()
            heads.add(seen.values.count)
            #expect(!writer.canStillChangeStatus)
            try await writer.write("abc")
        }
        let response = try await Self.streams.applied(to: plain, "deflate")
        try await response.writeBody(to: BodyWriter(ChunkSink({ seen.add($0) })))
        #expect(heads.values == [0])
        let read = try #require(try CompressionReader.read([.init(coding: "deflate", chunks: seen.values)]).first)
        #expect(read.parts == [Array("abc".utf8), []])
    }

    @Test("a stream that is cut does not look whole")
    func cut() async throws {
        let plain = Response.stream(contentType: "text/plain") { writer in
            try await writer.write("abc")
            throw Boom()
        }
        let response = try await Self.streams.applied(to: plain, "gzip")
        let seen = Collected<[UInt8]>()
        await #expect(throws: Boom.self) {
            try await response.writeBody(to: BodyWriter(ChunkSink({ seen.add($0) })))
        }
        let read = try #require(try CompressionReader.read([.init(coding: "gzip", chunks: seen.values)]).first)
        #expect(read.parts == [Array("abc".utf8)])
        #expect(!read.isWhole)
    }

    @Test("the error of a stream's beginning is not said to be compressed")
    func failure() async {
        var routes = Router()
        routes.get("/") { _ in Response.stream(contentType: "text/plain") { _ in throw Boom() } }
        let response = await respond(Request(.get, "/", headers: [.acceptEncoding: "gzip"])) {
            Self.streams
            routes
        }
        #expect(response.status == .internalServerError)
        #expect(response.text.contains("\"status\":500"))
        #expect(response.headers[.contentEncoding] == nil)
    }
}
