import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceMiddleware

/// Conditions over HTTP: of responses, of files, and before a change. The ids are those of the peers' tests.
@Suite(.timeLimit(.minutes(1))) struct ConditionalRequestsTests {
    static let moment = "Sun, 06 Nov 1994 08:49:37 GMT"
    static let earlier = "Sun, 06 Nov 1994 08:49:36 GMT"
    static let later = "Sun, 06 Nov 1994 08:49:38 GMT"
    static let modified = WallClock.Instant(millisecondsSinceEpoch: 784_111_777_000)

    struct Case: Sendable, CustomTestStringConvertible {
        let id: String
        var target = "/"
        var method = "GET"
        var headers: HTTPFields = [:]
        let status: Int
        var testDescription: String { "\(id): \(method) \(target) \(headers.map { "\($0.name): \($0.value)" })" }
    }

    private static func request(_ one: Case) throws -> Request {
        Request(try #require(HTTPRequest.Method(one.method)), one.target, headers: one.headers)
    }

    /// What GET gives of a body, with the middleware around it.
    private func get(_ body: Body, status: HTTPResponse.Status = .ok, _ headers: HTTPFields = [:]) async -> Response {
        var routes = Router()
        routes.get("/") { _ in Response(status: status, body: body) }
        return await respond(Request(.get, "/", headers: headers)) {
            ConditionalRequests()
            routes
        }
    }

    // MARK: Tags that are made

    @Test("bytes have a weak tag made of all of them")
    func made() async throws {
        // N-ETAG-1, 2, 4, 5, 6, 9, 13, 14.
        let bodies: [[UInt8]] = [
            [], [0], [0, 0], [1, 2, 3], [1, 2, 3, 4], Array("hello".utf8), Array("{\"a\":1}".utf8),
            [UInt8](repeating: 0, count: 262_144), [UInt8](repeating: 0, count: 262_145),
        ]
        var tags: Set<String> = []
        for body in bodies {
            let tag = try #require(await get(.bytes(body)).headers[.eTag])
            #expect(EntityTag(tag)?.isWeak == true)
            #expect(await get(.bytes(body)).headers[.eTag] == tag)
            tags.insert(tag)
        }
        #expect(tags.count == bodies.count)
        #expect(tags.contains("W/\"cbd8a7b341bd9b025b1e906a48ae1d19\""))
    }

    @Test("N-ETAG-7, 8, 11: a stream has no tag, as its bytes are not there yet; its own tag counts")
    func streams() async {
        for text in ["", "ab"] {
            let response = await get(.stream { writer in try await writer.write(text) })
            #expect(response.status == .ok && response.text == text && response.headers[.eTag] == nil)
        }
        var routes = Router()
        routes.get("/") { _ in
            Response.stream(contentType: "a/b", headers: [.eTag: "\"own\""]) { writer in try await writer.write("ab") }
        }
        let response = await respond(Request(.get, "/", headers: [.ifNoneMatch: "\"own\""])) {
            ConditionalRequests()
            routes
        }
        #expect(response.status == .notModified && response.text == "")
    }

    @Test("N-ETAG-12, 26, 27: what is no success has no tag, and no condition", arguments: [201, 404, 500])
    func otherStatus(_ code: Int) async {
        let response = await get("x", status: HTTPResponse.Status(code: code), [.ifNoneMatch: "*", .ifMatch: "\"x\""])
        #expect(response.status.code == code && response.text == "x" && response.headers[.eTag] == nil)
    }

    @Test("HEAD has the tag of GET; a HEAD route of its own, which has no bytes, gets none")
    func head() async throws {
        var routes = Router()
        routes.get("/") { _ in "hello" }
        routes.get("/own") { _ in "hello" }
        routes.head("/own") { _ in HTTPResponse.Status.ok }
        let pipeline = routes
        func ask(_ method: HTTPRequest.Method, _ target: String, _ headers: HTTPFields = [:]) async -> Response {
            await respond(Request(method, target, headers: headers)) {
                ConditionalRequests()
                pipeline
            }
        }
        let tag = try #require(await ask(.get, "/").headers[.eTag])
        let head = await ask(.head, "/")
        #expect(head.headers[.eTag] == tag && head.text == "")
        #expect(await ask(.head, "/", [.ifNoneMatch: tag]).status == .notModified)
        #expect(await ask(.head, "/own").headers[.eTag] == nil)
    }

    @Test("N-ETAG-28, 29: a tag that is there stays, and a second middleware changes nothing")
    func twice() async {
        var routes = Router()
        routes.get("/") { _ in "hello" }
        routes.get("/own") { _ in Response(headers: [.eTag: "\"own\""], body: "hello") }
        for (target, tag) in [("/", "W/\"cbd8a7b341bd9b025b1e906a48ae1d19\""), ("/own", "\"own\"")] as [(String, String)] {
            let response = await respond(Request(.get, target)) {
                ConditionalRequests()
                ConditionalRequests()
                routes
            }
            #expect(response.headers[values: .eTag] == [tag])
        }
    }

    // MARK: Tags that a handler gives

    /// GET of a tag and a date with the middleware, PUT with the handler's own check.
    private func answer(_ request: Request) async -> Response {
        var routes = Router()
        routes.get("/") { _ in
            Response(
                headers: [
                    .contentType: "a/b", .contentLanguage: "en", .contentDisposition: "inline", .eTag: "\"now\"",
                    .lastModified: Self.moment, .cacheControl: "max-age=5", .expires: Self.later, .vary: "Accept", .server: "s",
                ], body: "content")
        }
        routes.put("/") { request -> HTTPResponse.Status in
            try request.checkPreconditions(eTag: "\"now\"", lastModified: Self.modified)
            return .created
        }
        routes.put("/new") { request -> HTTPResponse.Status in
            try request.checkPreconditions(exists: false)
            return .created
        }
        routes.put("/unchecked") { _ in Response(status: .created, headers: [.eTag: "\"now\""], body: "made") }
        return await respond(request) {
            ConditionalRequests()
            routes
        }
    }

    @Test(
        "what the client has is not sent again, and what it does not expect is not changed",
        arguments: [
            Case(id: "N-ETAG-14", status: 200), Case(id: "N-ETAG-15", headers: [.ifNoneMatch: "\"x\""], status: 200),
            Case(id: "N-ETAG-16", headers: [.ifNoneMatch: "\"now\""], status: 304),
            Case(id: "N-ETAG-17", headers: [.ifNoneMatch: "\"x\", \"now\", \"y\""], status: 304),
            Case(id: "N-ETAG-18", headers: [.ifNoneMatch: "\"x\" , \"now\" , \"y\""], status: 304),
            Case(id: "N-ETAG-19", headers: [.ifNoneMatch: "*"], status: 304),
            Case(id: "N-ETAG-31", headers: [.ifNoneMatch: "W/\"now\""], status: 304),
            Case(id: "HEAD", method: "HEAD", headers: [.ifNoneMatch: "\"now\""], status: 304),
            Case(id: "If-Match", headers: [.ifMatch: "\"x\""], status: 412),
            Case(id: "If-Match", headers: [.ifMatch: "*"], status: 200),
            Case(id: "a date", headers: [.ifModifiedSince: moment], status: 304),
            Case(id: "a date", headers: [.ifModifiedSince: earlier], status: 200),
            Case(id: "a date", headers: [.ifUnmodifiedSince: earlier], status: 412),
            Case(id: "N-ETAG-24", target: "/unchecked", method: "PUT", headers: [.ifNoneMatch: "*"], status: 201),
            Case(id: "N-ETAG-25", target: "/unchecked", method: "PUT", headers: [.ifNoneMatch: "\"now\""], status: 201),
            Case(id: "lost update", method: "PUT", headers: [.ifMatch: "\"x\""], status: 412),
            Case(id: "lost update", method: "PUT", headers: [.ifMatch: "\"now\""], status: 201),
            Case(id: "lost update", method: "PUT", headers: [.ifUnmodifiedSince: earlier], status: 412),
            Case(id: "create", method: "PUT", headers: [.ifNoneMatch: "*"], status: 412),
            Case(id: "create", target: "/new", method: "PUT", headers: [.ifNoneMatch: "*"], status: 201),
            Case(id: "create", target: "/new", method: "PUT", headers: [.ifMatch: "*"], status: 412),
            Case(id: "unconditional", method: "PUT", headers: [.ifModifiedSince: later], status: 201),
        ] as [Case])
    func handlers(_ one: Case) async throws {
        let response = await answer(try Self.request(one))
        #expect(response.status.code == one.status)
        if one.status == 304 { #expect(response.text == "") }
        guard one.method == "GET" else { return }
        #expect((response.text == "content") == (one.status == 200))
        // N-ETAG-16, 30, 32: what tells of the response stays, a field of one's own included; what tells of its content goes.
        let isFailed = one.status == 412
        #expect(response.headers[.eTag] == (isFailed ? nil : "\"now\""))
        #expect(response.headers[.lastModified] == (isFailed ? nil : Self.moment))
        #expect(response.headers[.cacheControl] == (isFailed ? nil : "max-age=5"))
        #expect(response.headers[.expires] == (isFailed ? nil : Self.later))
        #expect(response.headers[.vary] == "Accept" && response.headers[.server] == "s")
        for name: HTTPField.Name in [.contentLanguage, .contentDisposition] {
            #expect((response.headers[name] == nil) == (one.status != 200), "\(name)")
        }
        #expect((response.headers[.contentType] == nil) == (one.status == 304))
    }

    @Test(
        "H-ETAG-2 to 13: a handler checks before it works",
        arguments: [
            Case(id: "1: RFC 9110 goes on", target: "/tag", status: 200), Case(id: "4", target: "/tag", status: 200),
            Case(id: "2", target: "/tag", headers: [.ifMatch: "\"5678\""], status: 200),
            Case(id: "3", target: "/tag", headers: [.ifMatch: "\"5679\""], status: 412),
            Case(id: "5", target: "/tag", headers: [.ifNoneMatch: "\"5678\""], status: 304),
            Case(id: "6", target: "/tag", headers: [.ifNoneMatch: "\"1235\""], status: 200),
            Case(id: "7, 10", target: "/date", status: 200),
            Case(id: "8", target: "/date", headers: [.ifUnmodifiedSince: earlier], status: 412),
            Case(id: "9", target: "/date", headers: [.ifUnmodifiedSince: later], status: 200),
            Case(id: "11", target: "/date", headers: [.ifModifiedSince: earlier], status: 200),
            Case(id: "12", target: "/date", headers: [.ifModifiedSince: later], status: 304),
            Case(id: "13", target: "/date", method: "POST", headers: [.ifModifiedSince: later], status: 200),
        ] as [Case])
    func checked(_ one: Case) async throws {
        var routes = Router()
        let ran = Collected<Int>()
        let date: @Sendable (Request) throws -> String = { request in
            try request.checkPreconditions(lastModified: Self.modified)
            ran.add(1)
            return "body"
        }
        routes.get("/tag") { request -> String in
            try request.checkPreconditions(eTag: "\"5678\"")
            ran.add(1)
            return "body"
        }
        routes.get("/date") { request in try date(request) }
        routes.post("/date") { request in try date(request) }
        let response = await respond(CompletePipeline.of(routes), try Self.request(one))
        #expect(response.status.code == one.status)
        #expect(ran.values.count == (one.status == 200 ? 1 : 0))
        guard one.status == 304 else { return }
        #expect(response.text == "" && response.headers[.contentType] == nil)
        #expect(response.headers[.eTag] == (one.target == "/tag" ? "\"5678\"" : nil))
        #expect(response.headers[.lastModified] == (one.target == "/date" ? Self.moment : nil))
    }

    // MARK: Files, and what stands around

    @Test(
        "conditions of a file; TAG stands for its tag",
        arguments: [
            Case(id: "H-STATIC-15, S-STATIC-11", headers: [.ifNoneMatch: "TAG"], status: 304),
            Case(id: "S-STATIC-12", headers: [.ifNoneMatch: "W/TAG, \"123\""], status: 304),
            Case(id: "S-STATIC-13", headers: [.ifNoneMatch: "\"123\",\tW/TAG"], status: 304),
            Case(id: "S-STATIC-14", headers: [.ifNoneMatch: "\"123\""], status: 200),
            Case(id: "H-STATIC-16, with a tag", headers: [.ifNoneMatch: "\"test\"", .ifNoneMatch: "TAG"], status: 304),
            Case(id: "H-STATIC-16, 17", headers: [.ifNoneMatch: "test", .ifNoneMatch: "TAG"], status: 200),
            Case(id: "S-STATIC-15", headers: [.ifNoneMatch: "\"123\"", .ifModifiedSince: Site.lastModified], status: 200),
            Case(id: "H-STATIC-18, S-STATIC-28", headers: [.ifModifiedSince: Site.lastModified], status: 304),
            Case(id: "S-STATIC-16", headers: [.ifModifiedSince: "Tue, 11 Oct 2013 00:00:00 GMT"], status: 304),
            Case(id: "H-STATIC-19, S-STATIC-17", headers: [.ifModifiedSince: "Mon, 11 Oct 2000 00:00:00 GMT"], status: 200),
            Case(id: "If-Match", headers: [.ifMatch: "TAG"], status: 200),
            Case(id: "If-Match", headers: [.ifMatch: "W/TAG"], status: 412),
            Case(id: "HEAD", method: "HEAD", headers: [.ifNoneMatch: "TAG"], status: 304),
            Case(id: "before a range", headers: [.ifNoneMatch: "TAG", .range: "bytes=0-0"], status: 304),
            Case(id: "before a range", headers: [.ifMatch: "\"x\"", .range: "bytes=9-"], status: 412),
        ] as [Case])
    func files(_ one: Case) async throws {
        let site = try Site(["a.txt": "hello"])
        let tag = try #require(await site.get("/a.txt").headers[.eTag])
        var request = Request(try #require(HTTPRequest.Method(one.method)), "/a.txt")
        for field in one.headers {
            request.headers.append(HTTPField(name: field.name, value: field.value.replacingOccurrences(of: "TAG", with: tag)))
        }
        let alone = await site.serve(request)
        let around = await respond(request) {
            ConditionalRequests()
            StaticFiles(from: site.root)
            Router()
        }
        // The middleware around it changes nothing.
        for response in [alone, around] {
            #expect(response.status.code == one.status)
            #expect((response.text == "hello") == (one.status == 200))
            #expect((response.headers[.eTag] == tag) == (one.status != 412))
        }
        // S-STATIC-29.
        try FileManager.default.removeItem(atPath: site.path("a.txt"))
        #expect(await site.serve(request).status == .notFound)
    }

    @Test("inside of Compression the tag becomes weak, and is known all the same")
    func compression() async throws {
        let site = try Site(["a.txt": String(repeating: "hello ", count: 1000)])
        func fetch(_ headers: HTTPFields) async -> Response {
            await respond(Request(.get, "/a.txt", headers: headers)) {
                Compression()
                ConditionalRequests()
                StaticFiles(from: site.root)
                Router()
            }
        }
        let response = await fetch([.acceptEncoding: "gzip"])
        let tag = try #require(response.headers[.eTag])
        #expect(response.headers[.contentEncoding] == "gzip" && tag.hasPrefix("W/"))
        #expect(await fetch([.acceptEncoding: "gzip", .ifNoneMatch: tag]).status == .notModified)
        #expect(await fetch([.acceptEncoding: "gzip", .range: "bytes=0-4"]).text == "hello")
    }
}
