import Testing

@testable import SluiceCore
@testable import SluiceMiddleware
@testable import SluiceStreaming

/// RFC 9110, sections 8.4 and 12.5.3. A case begins with the rows of the peers' table that it answers.
@Suite struct CompressionTests {
    static func text(_ size: Int) -> [UInt8] { (0..<size).map { UInt8(97 + $0 % 26) } }

    struct Case: Sendable, CustomTestStringConvertible {
        let id: String
        var accept: String? = "gzip"
        var type: String? = "text/plain"
        var size = 2000
        var headers: HTTPFields = [:]
        var status: HTTPResponse.Status = .ok
        var isStream = false
        var compression = Compression()
        /// Of the response.
        var coding: String?
        var vary: String?
        var has: HTTPFields = [:]
        var lacks: [HTTPField.Name] = []
        var testDescription: String { id }

        func run() async throws -> Response {
            let bytes = CompressionTests.text(size)
            var headers = self.headers
            headers[.contentType] = type
            let body: Body = isStream ? .stream({ writer in try await writer.write(bytes) }) : .bytes(bytes)
            return try await compression.applied(to: Response(status: status, headers: headers, body: body), accept)
        }
    }

    private static let json = "application/json"
    private static let accept = "Accept-Encoding"
    private static let streams = Compression(streams: true)
    private static let reprDigest = HTTPField.Name("Repr-Digest")!  // a literal that is a token

    static let bytes: [Case] = [
        Case(id: "S-COMP-1, N-COMP-21", size: 4000, coding: "gzip", vary: accept, lacks: [.contentLength]),
        Case(id: "N-COMP-1: of the limit's size", size: 1024, headers: [.contentLength: "1024"], coding: "gzip", vary: accept),
        Case(id: "one byte less", size: 1023, headers: [.contentLength: "1023"], has: [.contentLength: "1023"]),
        Case(id: "S-COMP-2", accept: "identity", vary: accept),
        Case(id: "S-COMP-3, N-COMP-4", accept: "gzip, deflate", size: 2),
        Case(id: "N-COMP-5", accept: "", vary: accept),
        Case(id: "N-COMP-6", type: "image/jpeg", headers: [.contentLength: "2000"], has: [.contentLength: "2000"]),
        Case(id: "N-COMP-7", headers: [.contentEncoding: "br"], coding: "br"),
        Case(id: "N-COMP-8", type: "a/b", headers: [.transferEncoding: "deflate"], has: [.transferEncoding: "deflate"]),
        Case(id: "N-COMP-9", type: "a/b", headers: [.transferEncoding: "chunked"], has: [.transferEncoding: "chunked"]),
        Case(
            id: "N-COMP-10", headers: [.contentRange: "bytes 0-1/3"], status: .partialContent,
            has: [.contentRange: "bytes 0-1/3"]),
        Case(id: "N-COMP-11", type: json, size: 26),
        Case(id: "N-COMP-12", type: json, coding: "gzip", vary: accept),
        Case(id: "N-COMP-16", accept: "br, gzip, deflate", type: "text/css", size: 1259, coding: "gzip", vary: accept),
        Case(id: "N-COMP-17", headers: [.eTag: "\"a\""], coding: "gzip", vary: accept, has: [.eTag: "W/\"a\""]),
        Case(id: "N-COMP-18, 25", accept: nil, headers: [.eTag: "\"a\""], vary: accept, has: [.eTag: "\"a\""]),
        Case(id: "N-COMP-19", headers: [.eTag: "W/\"a\""], coding: "gzip", vary: accept, has: [.eTag: "W/\"a\""]),
        Case(id: "N-COMP-20", coding: "gzip", vary: accept, lacks: [.eTag]),
        Case(id: "N-COMP-22", headers: [.vary: "Cookie"], coding: "gzip", vary: "Cookie, Accept-Encoding"),
        Case(id: "N-COMP-23", headers: [.vary: "accept-encoding"], coding: "gzip", vary: "accept-encoding"),
        Case(id: "N-COMP-24", headers: [.vary: "*"], coding: "gzip", vary: "*"),
        Case(id: "N-COMP-26", accept: "br", vary: accept),
        Case(id: "N-COMP-27", type: "image/png"),
        Case(id: "N-COMP-28, 30", type: json, size: 300, compression: Compression(from: 0), coding: "gzip", vary: accept),
        Case(id: "N-COMP-29, 31", size: 300, compression: Compression(from: 0), coding: "gzip", vary: accept),
        Case(id: "no byte, no limit", size: 0, compression: Compression(from: 0), vary: accept),
        Case(id: "N-COMP-32", headers: [.cacheControl: "public, No-Transform"]),
        Case(id: "N-COMP-34", size: 15, status: .notFound),
        Case(id: "a large error", type: "application/problem+json", status: .notFound, coding: "gzip", vary: accept),
        Case(id: "304", status: .notModified, vary: accept),
        Case(
            id: "what speaks of the bytes goes",
            headers: [.acceptRanges: "bytes", .contentMD5: "x", .digest: "x", .contentDigest: "x", reprDigest: "x"],
            coding: "gzip", vary: accept, lacks: [.acceptRanges, .contentMD5, .digest, .contentDigest, reprDigest]),
    ]

    static let streamed: [Case] = [
        Case(id: "S-COMP-4: not unless asked", isStream: true),
        Case(id: "S-COMP-4: of no type", type: nil, isStream: true, compression: streams),
        Case(id: "S-COMP-4, N-COMP-13", isStream: true, compression: streams, coding: "gzip", vary: accept),
        Case(id: "S-COMP-5", accept: "identity", isStream: true, compression: streams, vary: accept),
        Case(id: "S-COMP-6, N-COMP-14", headers: [.contentEncoding: "br"], isStream: true, compression: streams, coding: "br"),
        Case(id: "S-COMP-7, N-COMP-15", type: "text/event-stream", isStream: true),
        Case(id: "events", type: "text/event-stream", isStream: true, compression: streams, coding: "gzip", vary: accept),
        Case(id: "short", size: 2, isStream: true, compression: streams, coding: "gzip", vary: accept),
        Case(id: "empty", accept: "deflate", size: 0, isStream: true, compression: streams, coding: "deflate", vary: accept),
        Case(id: "deflate", accept: "deflate", isStream: true, compression: streams, coding: "deflate", vary: accept),
        Case(
            id: "tag", headers: [.eTag: "\"a\"", .contentLength: "2000"], isStream: true, compression: streams, coding: "gzip",
            vary: accept, has: [.eTag: "W/\"a\""], lacks: [.contentLength]),
    ]

    @Test("what is compressed, and what is said about it", arguments: bytes + streamed)
    func headers(_ one: Case) async throws {
        let response = try await one.run()
        #expect(response.status == one.status)
        #expect(response.headers[.contentEncoding] == one.coding)
        #expect(response.headers[.vary] == one.vary)
        for field in one.has { #expect(response.headers[field.name] == field.value, "\(field.name.rawName)") }
        for name in one.lacks { #expect(response.headers[name] == nil, "\(name.rawName)") }
        let body = try await response.body.collect()
        if one.coding == nil || one.coding == "br" {
            #expect(body == Self.text(one.size))
        } else if !one.isStream {
            #expect(body.count < one.size)
        }
    }

    @Test("every compressed body is read back by another reader")
    func bodies() async throws {
        var compressed: [CompressionReader.Compressed] = []
        var sizes: [Int] = []
        let large = [40_000, 400_000].map { Case(id: "", accept: "deflate", size: $0, coding: "deflate") }
        for one in Self.bytes + Self.streamed + large where one.coding == "gzip" || one.coding == "deflate" {
            compressed.append(.init(coding: one.coding ?? "", chunks: [try await one.run().body.collect()]))
            sizes.append(one.size)
        }
        for (read, size) in zip(try CompressionReader.read(compressed), sizes) {
            let expected = [Self.text(size)]
            #expect(read.isWhole && read.parts == expected, "\(size)")
        }
    }

    @Test("what does not get smaller stays as it is")
    func incompressible() async throws {
        var random = SystemRandomNumberGenerator()
        let noise = (0..<4000).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let plain = Response(headers: [.contentType: "text/plain", .eTag: "\"a\""], body: .bytes(noise))
        let response = try await Compression().applied(to: plain, "gzip")
        let expected: HTTPFields = [.contentType: "text/plain", .eTag: "\"a\"", .vary: "Accept-Encoding"]
        #expect(response.headers == expected)
        #expect(response.body.plainBytes == noise)
    }

    private static func get(_ method: HTTPRequest.Method, _ headers: HTTPFields) async -> Response {
        var routes = Router()
        let bytes = text(2000)
        routes.get("/") { _ in Response(headers: [.contentType: "text/plain", .eTag: "\"a\""], body: .bytes(bytes)) }
        return await respond(Request(method, "/", headers: headers)) {
            Compression()
            ConditionalRequests()
            routes
        }
    }

    @Test("N-COMP-33: HEAD has the headers of GET, and no body")
    func head() async {
        let get = await Self.get(.get, [.acceptEncoding: "gzip"])
        let head = await Self.get(.head, [.acceptEncoding: "gzip"])
        #expect(head.headers == get.headers && get.headers[.contentEncoding] == "gzip")
        #expect(head.body.plainBytes.isEmpty && !get.body.plainBytes.isEmpty)
    }

    /// RFC 9110, section 15.4.5. A strong tag would select no stored response with the weak one (RFC 9111, section 4.3.4).
    @Test("a 304 has the Vary and the tag of the 200 that it stands for")
    func notModified() async {
        for accept: HTTPFields in [[.acceptEncoding: "gzip"], [:]] {
            let first = await Self.get(.get, accept)
            var again = accept
            again[.ifNoneMatch] = first.headers[.eTag]
            let second = await Self.get(.get, again)
            #expect(second.status == .notModified)
            #expect(second.headers[.eTag] == first.headers[.eTag])
            #expect(second.headers[.vary] == "Accept-Encoding")
            #expect(second.headers[.contentEncoding] == nil)
        }
    }

    @Test(
        "types that gain by it",
        arguments: [
            "text/html; charset=utf-8", "TEXT/CSS", "application/json", "application/ld+json", "application/problem+json",
            "application/xhtml+xml", "image/svg+xml", "application/javascript", "application/wasm", "font/ttf",
            "application/x-ndjson",
        ])
    func compressible(_ type: String) async throws {
        let response = try await Case(id: "", type: type).run()
        #expect(response.headers[.contentEncoding] == "gzip")
    }

    @Test(
        "types that do not",
        arguments: ["image/png", "video/mp4", "application/zip", "font/woff2", "application/octet-stream", "x", ""])
    func others(_ type: String) async throws {
        let response = try await Case(id: "", type: type).run()
        #expect(response.headers[.contentEncoding] == nil && response.headers[.vary] == nil)
    }
}
