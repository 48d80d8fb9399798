import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceMiddleware

/// A file as a response: what it is said to be, and what comes of one that cannot be sent. The ids are those of the peers' tests.
@Suite(.timeLimit(.minutes(1))) struct FileResponseTests {
    @Test(
        "H-STATIC-1, 43, N-STATIC-24, 31 to 33, 44, 45: the content type is that of the last ending, in any case",
        arguments: [
            ("a.html", "text/html; charset=utf-8"), ("a.htm", "text/html; charset=utf-8"), ("a.css", "text/css; charset=utf-8"),
            ("a.js", "text/javascript; charset=utf-8"), ("a.mjs", "text/javascript; charset=utf-8"),
            ("a.txt", "text/plain; charset=utf-8"), ("a.csv", "text/csv; charset=utf-8"), ("a.xml", "text/xml; charset=utf-8"),
            ("a.ics", "text/calendar; charset=utf-8"), ("a.json", "application/json"), ("a.gif", "image/gif"),
            ("a.webmanifest", "application/manifest+json"), ("a.svg", "image/svg+xml"), ("a.xhtml", "application/xhtml+xml"),
            ("a.ico", "image/vnd.microsoft.icon"), ("a.mp4", "video/mp4"), ("a.ts", "video/mp2t"),
            ("a.wasm", "application/wasm"),
            ("a.m3u8", "application/vnd.apple.mpegurl"), ("a.m3U8", "application/vnd.apple.mpegurl"),
            ("a.jpg", "image/jpeg"), ("a.JPG", "image/jpeg"), ("a.JpG", "image/jpeg"), ("a.JPeG", "image/jpeg"),
            ("IMAGE.JPEG", "image/jpeg"), ("a.b.png", "image/png"), ("a.png.txt", "text/plain; charset=utf-8"),
            ("a", "application/octet-stream"), ("a.", "application/octet-stream"), ("a.unknown", "application/octet-stream"),
            ("html", "application/octet-stream"),
        ] as [(String, String)])
    func contentType(_ name: String, expected: String) {
        #expect(ContentType.of(name) == expected)
    }

    // MARK: A handler's file

    @Test("H-STATIC-47, 48, S-STATIC-45, 56: a file of the disk, with its type and its validators")
    func handler() async throws {
        let site = try Site(["xyz.txt": "hello"])
        var routes = Router()
        routes.get("/") { request in try site.file("xyz.txt", for: request) }
        let pipeline = CompletePipeline.of(routes)
        for _ in 0..<2 {
            let response = await respond(pipeline, Request(.get, "/"))
            #expect(response.status == .ok && response.text == "hello")
            #expect(response.headers[.contentType] == "text/plain; charset=utf-8")
            #expect(response.headers[.eTag] == "\"cbd8a7b341bd9b025b1e906a48ae1d19\"")
            #expect(response.headers[.lastModified] == Site.lastModified)
            #expect(response.headers[.acceptRanges] == "bytes")
            #expect(response.headers[.contentDisposition] == nil && response.headers[.contentRange] == nil)
        }
        // S-STATIC-46, 57.
        let head = await respond(pipeline, Request(.head, "/"))
        #expect(head.status == .ok && head.text == "" && head.headers[.lastModified] == Site.lastModified)
    }

    @Test("conditions and ranges count where a request is given, and for nobody otherwise")
    func withRequest() throws {
        let site = try Site(["a.txt": "hello"])
        let tag = try #require(try site.file("a.txt").headers[.eTag])
        let known: HTTPFields = [.ifNoneMatch: tag]
        #expect(try site.file("a.txt", for: Request(.get, "/", headers: known)).status == .notModified)
        let failed = #expect(throws: HTTPError.self) {
            try site.file("a.txt", for: Request(.get, "/", headers: [.ifMatch: "\"x\""]))
        }
        #expect(failed?.status == .preconditionFailed)
        let part = try site.file("a.txt", for: Request(.get, "/", headers: [.range: "bytes=1-2"]))
        #expect(part.status == .partialContent && part.text == "el")
        // Ranges are GET's alone (RFC 9110, section 14.2).
        for method: HTTPRequest.Method in [.post, .put] {
            let whole = try site.file("a.txt", for: Request(method, "/", headers: [.range: "bytes=1-2"]))
            #expect(whole.status == .ok && whole.text == "hello")
        }
        let head = try site.file("a.txt", for: Request(.head, "/", headers: [.range: "bytes=1-2"]))
        #expect(head.status == .ok && head.text == "" && head.headers[.contentRange] == nil)
        #expect(try site.file("a.txt").text == "hello")
    }

    @Test("S-STATIC-47, 48, 51: what is given wins over the name, and a browser is told how to save it")
    func names() throws {
        let site = try Site(["xyz": "x", "a.png": "x"])
        #expect(try site.file("a.png", contentType: "image/jpeg").headers[.contentType] == "image/jpeg")
        #expect(try site.file("xyz").headers[.contentType] == "application/octet-stream")
        let saved = try site.file("a.png", filename: "B\u{FC}ro.png")
        #expect(saved.headers[.contentDisposition] == #"attachment; filename="B_ro.png"; filename*=UTF-8''B%C3%BCro.png"#)
        #expect(saved.headers[.contentType] == "image/png")
    }

    @Test("S-STATIC-45: a name to save it under says what it is, where the file's own name does not")
    func typeOfFilename() throws {
        let site = try Site(["xyz": "x"])
        let response = try site.file("xyz", filename: "example.png")
        #expect(response.headers[.contentDisposition] == #"attachment; filename="example.png""#)
        #expect(response.headers[.contentType] == "image/png")
    }

    @Test("what is not sent is not to be saved under a name either")
    func dispositionOfNothing() throws {
        let site = try Site(["a.txt": "hello"])
        let known = try site.file("a.txt", filename: "b.txt", for: Request(.get, "/", headers: [.ifNoneMatch: "*"]))
        #expect(known.status == .notModified)
        #expect(known.headers[.contentDisposition] == nil)
    }

    @Test(
        "S-STATIC-49, 50: a folder, what is not there and what is no file are a 404",
        arguments: ["dir", "none", "none/a.txt", "a.txt/x", "pipe", "dangling", "", "a.txt\0", "a.txt\0.png"] as [String])
    func notThere(_ name: String) throws {
        let site = try Site(["a.txt": "x", "dir/b.txt": "x"])
        #expect(mkfifo(site.path("pipe"), 0o644) == 0)
        try site.link("dangling", to: "none")
        let error = #expect(throws: HTTPError.self) { try site.file(name) }
        #expect(error?.status == .notFound)
        #expect(error?.message.contains(site.root) == false)
        #expect(try site.file("a.txt").text == "x")
    }

    @Test("a handler's own path is trusted: links are followed")
    func followed() throws {
        let site = try Site(["a.txt": "hello"])
        try site.link("link.txt", to: "a.txt")
        #expect(try site.file("link.txt").text == "hello")
    }

    // MARK: What cannot be read

    #if os(Linux)
    /// Runs `body` as a user who may not read everything, on this thread alone: root may.
    private func asNobody(_ body: () -> Void) throws {
        guard geteuid() == 0 else { return body() }
        let found: UnsafeMutableRawPointer? = dlsym(nil, "setfsuid")
        let symbol = try #require(found)
        let setUser = unsafeBitCast(symbol, to: (@convention(c) (UInt32) -> CInt).self)
        _ = setUser(65_534)
        defer { _ = setUser(0) }
        body()
    }

    @Test("a file that is there and may not be read is a 500 with its cause, not a 404")
    func forbidden() throws {
        let site = try Site(["a.txt": "hello"])
        #expect(chmod(site.path("a.txt"), 0) == 0)
        var failure: (any Error)?
        try asNobody {
            do { _ = try site.file("a.txt") } catch { failure = error }
        }
        let error = try #require(failure as? HTTPError)
        #expect(error.status == .internalServerError)
        #expect(error.message == "Internal Server Error")
        #expect((error.cause as? SystemError)?.code == EACCES)
    }

    @Test(
        "a file that says it has more than it gives is a 500 that names no path",
        .enabled(if: FileManager.default.fileExists(atPath: "/sys/devices/system/cpu/online"), "no sysfs"))
    func short() async throws {
        let site = try Site()
        let response = await site.serve(Request(.get, "/online"), with: StaticFiles(from: "/sys/devices/system/cpu"))
        #expect(response.status == .internalServerError)
        #expect(!response.text.contains("/sys"))
        #expect(((response.error as? HTTPError)?.cause as? SystemError)?.code == EIO)
    }
    #endif

    @Test(
        "S-STATIC-30: a file of the folder that may not be read is a 500 too",
        .enabled(if: geteuid() != 0, "root reads everything"))
    func forbiddenBelow() async throws {
        let site = try Site(["a.txt": "hello"])
        #expect(chmod(site.path("a.txt"), 0) == 0)
        #expect(await site.get("/a.txt").status == .internalServerError)
    }

    @Test("a file that becomes shorter while it is sent is no whole file")
    func truncated() async throws {
        let site = try Site(["a.txt": "hello"])
        let file = try #require(try FileContent.at(site.path("a.txt")))
        #expect(try file.read(1..<3) == Array("el".utf8))
        #expect(truncate(site.path("a.txt"), 2) == 0)
        #expect(throws: SystemError(code: EIO, call: "pread")) { try file.read(0..<5) }

        try site.write("big", [UInt8](repeating: 1, count: 600_000))
        var routes = Router()
        routes.get("/") { request -> Response in
            let response = try site.file("big", for: request)
            #expect(truncate(site.path("big"), 300_000) == 0)
            return response
        }
        let response = await respond(Request(.get, "/")) { routes }
        #expect(response.status == .internalServerError)
        #expect(response.error is SystemError)
    }
}
