import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceMiddleware

/// Which form of a file is sent, and what tells one state of it from another. The ids are those of the peers' tests.
@Suite(.timeLimit(.minutes(1))) struct FileValidatorsTests {
    // MARK: Beside it, compressed

    struct Coding: Sendable, CustomTestStringConvertible {
        let accepted: String?
        var isCompressed = false
        var range: String?
        var testDescription: String { "\(accepted ?? "none") \(range ?? "")" }
    }

    @Test(
        "the file with .gz is sent to who takes gzip, and caches know of it either way",
        arguments: [
            Coding(accepted: nil), Coding(accepted: ""), Coding(accepted: "gzip", isCompressed: true),
            Coding(accepted: "GZIP", isCompressed: true), Coding(accepted: "br, gzip;q=0.1", isCompressed: true),
            Coding(accepted: "*", isCompressed: true), Coding(accepted: "gzip;q=0"), Coding(accepted: "*;q=0"),
            Coding(accepted: "gzip;q=0, *"), Coding(accepted: "identity"), Coding(accepted: "gzipped"),
            Coding(accepted: "br"), Coding(accepted: "zstd, unknown"), Coding(accepted: "gzip", range: "bytes=0-4"),
            // What is liked better, and the old name (RFC 9110, sections 12.4.2 and 8.4.1.3): as `Compression` has it.
            Coding(accepted: "identity, gzip;q=0.5"), Coding(accepted: "x-gzip", isCompressed: true),
        ] as [Coding])
    func precompressed(_ one: Coding) async throws {
        let site = try Site(["style.css": "plain", "style.css.gz": "pressed"])
        var headers: HTTPFields = [:]
        headers[.acceptEncoding] = one.accepted
        headers[.range] = one.range
        let response = await site.get("/style.css", headers)
        #expect(response.text == (one.isCompressed ? "pressed" : "plain"))
        #expect(response.headers[.contentEncoding] == (one.isCompressed ? "gzip" : nil))
        #expect(response.headers[.acceptRanges] == (one.isCompressed ? nil : "bytes"))
        #expect(response.headers[.vary] == "Accept-Encoding")
        #expect(response.headers[.contentType] == "text/css; charset=utf-8")
        #expect(response.status == (one.range == nil ? .ok : .partialContent))
    }

    @Test("the two forms have tags of their own, each of which is a 304 for its form alone")
    func compressedTags() async throws {
        let site = try Site(["index.html": "plain", "index.html.gz": "pressed", "only.css.gz": "x"])
        let gzip: HTTPFields = [.acceptEncoding: "gzip"]
        let plain = try #require(await site.get("/").headers[.eTag])
        let pressed = try #require(await site.get("/", gzip).headers[.eTag])
        #expect(plain != pressed)
        #expect(await site.get("/", [.ifNoneMatch: plain]).status == .notModified)
        let known = await site.get("/", [.acceptEncoding: "gzip", .ifNoneMatch: pressed])
        #expect(known.status == .notModified && known.headers[.vary] == "Accept-Encoding")
        #expect(known.headers[.contentEncoding] == nil && known.headers[.eTag] == pressed)
        #expect(await site.get("/", [.acceptEncoding: "gzip", .ifNoneMatch: plain]).text == "pressed")
        // A part of the one is no part of the other.
        let other: HTTPFields = [.acceptEncoding: "gzip", .range: "bytes=0-1", .ifRange: pressed]
        #expect(await site.get("/", other).text == "plain")
        let head = await site.serve(Request(.head, "/", headers: gzip))
        #expect(head.headers[.contentEncoding] == "gzip" && head.text == "")
        // N-STATIC-12: what is there compressed alone is not there. Asked for by its own name it is an archive.
        #expect(await site.get("/only.css", gzip).status == .notFound)
        let archive = await site.get("/index.html.gz", gzip)
        #expect(archive.headers[.contentType] == "application/gzip" && archive.headers[.contentEncoding] == nil)
    }

    @Test("a folder or a link with the ending .gz is not sent")
    func compressedOther() async throws {
        let site = try Site(["a.css": "plain", "a.css.gz/x": "x", "b.css": "plain", "c.gz": "pressed"])
        try site.link("b.css.gz", to: "c.gz")
        for target in ["/a.css", "/b.css"] {
            let response = await site.get(target, [.acceptEncoding: "gzip"])
            #expect(response.text == "plain" && response.headers[.contentEncoding] == nil, "\(target)")
        }
    }

    // MARK: Tags and dates

    @Test("a file that is replaced by another of the same size and date has another tag")
    func replaced() async throws {
        let site = try Site(["a.txt": "one", "b.txt": "two"])
        let first = try #require(await site.get("/a.txt").headers[.eTag])
        // H-STATIC-14.
        #expect(await site.get("/a.txt").headers[.eTag] == first)
        #expect(rename(site.path("b.txt"), site.path("a.txt")) == 0)
        let second = await site.get("/a.txt")
        #expect(second.text == "two" && second.headers[.eTag] != first)
        #expect(await site.get("/a.txt", [.ifNoneMatch: first]).status == .ok)
        // In place: the file's number stays, a nanosecond does not.
        let inode = try site.change("a.txt").inode
        try site.write("a.txt", Array("six".utf8), nanoseconds: 1)
        #expect(try site.change("a.txt").inode == inode)
        let third = await site.get("/a.txt").headers[.eTag]
        #expect(third != second.headers[.eTag] && third != first)
        // The tag is of the bytes: another date alone makes no other file.
        try site.write("a.txt", Array("one".utf8), seconds: Site.day + 5)
        #expect(await site.get("/a.txt").headers[.eTag] == first)
    }

    @Test("a file that is written in place and given its old date has another tag: the system knows that it has changed")
    func redated() async throws {
        let site = try Site(["a.txt": "one"])
        let first = await site.get("/a.txt").headers[.eTag]
        let before = try site.change("a.txt")
        // Until the system's clock for files has moved.
        repeat { try site.write("a.txt", Array("two".utf8)) } while try site.change("a.txt") == before
        #expect(try site.change("a.txt").inode == before.inode)
        let second = await site.get("/a.txt")
        #expect(second.text == "two" && second.headers[.eTag] != first)
    }

    @Test("up to 256 KiB are read at once, more is a stream; both are the file", arguments: [0, 1, 262_144, 262_145, 600_000])
    func pieces(_ size: Int) async throws {
        let site = try Site()
        var dice = Dice(UInt64(size))
        let bytes = dice.bytes(size)
        try site.write("a.bin", bytes)
        #expect(try site.file("a.bin").body.isStream == (size > 262_144))
        // H-STATIC-3.
        let response = await site.get("/a.bin")
        #expect(response.status == .ok && response.body.bytes == bytes)
        let tag = try #require(response.headers[.eTag])
        #expect((tag == "\"\(ContentHash.text(bytes))\"") == (size <= 262_144))
        #expect(tag.utf8.count == 34)
    }

    @Test("any byte of a large file counts for its tag", arguments: [0, 1] as [Int])
    func largeTags(_ more: Int) async throws {
        let site = try Site()
        let size = 16 * FileContent.piece + more
        func tag(changed place: Int?) async throws -> String {
            var bytes = [UInt8](repeating: 7, count: size)
            if let place { bytes[place] = 8 }
            let name = "\(place ?? -1).bin"
            try site.write(name, bytes)
            return try #require(await site.serve(Request(.head, "/\(name)")).headers[.eTag])
        }
        let same = try await tag(changed: nil)
        let places = more == 0 ? [0, size - 1, size / 2] : [0, FileContent.piece - 1, size - FileContent.piece, size - 1]
        for place in places { #expect(try await tag(changed: place) != same, "\(place)") }
    }

    @Test("a large file that differs in its middle alone has no strong tag in common (RFC 9110, section 8.8.1)")
    func largeMiddle() async throws {
        let site = try Site()
        var bytes = [UInt8](repeating: 7, count: 16 * FileContent.piece + 1)
        try site.write("a.bin", bytes)
        let first = try #require(await site.serve(Request(.head, "/a.bin")).headers[.eTag])
        bytes[bytes.count / 2] = 8
        try site.write("a.bin", bytes, nanoseconds: 1)
        let second = try #require(await site.serve(Request(.head, "/a.bin")).headers[.eTag])
        #expect(first != second || first.hasPrefix("W/"))
    }

    @Test("a date in the future is not sent (RFC 9110, section 8.8.2.1)")
    func future() async throws {
        let site = try Site()
        try site.write("a.txt", Array("x".utf8), seconds: 4_102_444_800)
        let text = try #require(await site.get("/a.txt").headers[.lastModified])
        let date = try #require(HTTPDate.parse(text))
        #expect(date <= .now)
    }

    @Test("a date that builders give to every file says nothing: it makes no validator", arguments: [0, 1, 315_532_800])
    func noDate(_ seconds: Int) async throws {
        let site = try Site()
        try site.write("a.txt", Array("new".utf8), seconds: seconds)
        let response = await site.get("/a.txt", [.ifModifiedSince: "Sat, 01 Jan 2000 00:00:00 GMT"])
        #expect(response.status == .ok && response.text == "new")
        #expect(response.headers[.lastModified] == nil)
        #expect(await site.get("/a.txt", [.range: "bytes=0-0", .ifRange: "Tue, 01 Jan 1980 00:00:00 GMT"]).status == .ok)
    }

    @Test("Cache-Control is on what may be kept, and on no error: a shared cache would give that to everybody")
    func cacheControl() async throws {
        let site = try Site(["a.txt": "hello"])
        let files = StaticFiles(from: site.root, cacheControl: "public, max-age=60")
        func get(_ target: String, _ headers: HTTPFields = [:]) async -> Response {
            await site.serve(Request(.get, target, headers: headers), with: files)
        }
        let kept: [HTTPFields] = [[:], [.ifNoneMatch: "*"], [.range: "bytes=0-0"]]
        for (headers, status) in zip(kept, [200, 304, 206]) {
            let response = await get("/a.txt", headers)
            #expect(response.status.code == status)
            #expect(response.headers[.cacheControl] == "public, max-age=60", "\(status)")
        }
        let refused: [HTTPFields] = [[.ifMatch: "\"x\""], [.range: "bytes=9-"]]
        for (headers, status) in zip(refused, [412, 416]) {
            let response = await get("/a.txt", headers)
            #expect(response.status.code == status)
            #expect(response.headers[.cacheControl] == nil, "\(status)")
        }
        #expect(await get("/none").headers[.cacheControl] == nil)
        #expect(await site.get("/a.txt").headers[.cacheControl] == nil)
    }
}
