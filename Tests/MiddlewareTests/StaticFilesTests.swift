import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceMiddleware

/// What a folder gives, and what it keeps to itself. The ids are those of the peers' tests: see docs.
@Suite(.timeLimit(.minutes(1))) struct StaticFilesTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var id = ""
        let target: String
        var status = 200
        var text: String?
        var type: String?
        var testDescription: String { "\(id) \(target.prefix(40))" }
    }

    @Test(
        "what is there is served, what is not goes on to the routes",
        arguments: [
            Case(id: "S-STATIC-1, N-STATIC-23", target: "/a.txt", text: "hello", type: "text/plain; charset=utf-8"),
            Case(id: "a query is no part of a name", target: "/a.txt?x=/../y", text: "hello"),
            Case(id: "N-STATIC-4", target: "/%E7%82%8E.txt", text: "fire", type: "text/plain; charset=utf-8"),
            Case(id: "a name is decoded once", target: "/a%20b%2525.txt", text: "percent"),
            Case(id: "a plus is a plus", target: "/c+d.txt", text: "plus"),
            Case(id: "N-STATIC-6, H-STATIC-49", target: "/empty.txt", text: "", type: "text/plain; charset=utf-8"),
            Case(id: "N-STATIC-36", target: "/download", text: "raw", type: "application/octet-stream"),
            Case(id: "H-STATIC-25", target: "/", text: "top", type: "text/html; charset=utf-8"),
            Case(id: "S-STATIC-18, 24", target: "/dir/", text: "dir", type: "text/html; charset=utf-8"),
            Case(id: "S-STATIC-20", target: "/dir/index.html", text: "dir"),
            Case(id: "N-STATIC-3, with its slash", target: "/hello.world/", text: "world"),
            Case(id: "H-STATIC-2, S-STATIC-5, 25, N-STATIC-5", target: "/none.txt", status: 404),
            Case(id: "S-STATIC-22, N-STATIC-41", target: "/plain/", status: 404),
            Case(id: "S-STATIC-23", target: "/plain", status: 404),
            Case(id: "S-STATIC-31, N-STATIC-42", target: "/none/a.txt", status: 404),
            Case(id: "S-STATIC-32", target: "/a.txt/foo", status: 404),
            Case(id: "a file is no folder", target: "/a.txt/", status: 404),
            Case(id: "S-STATIC-34", target: "/" + String(repeating: "x", count: 5000), status: 404),
        ] as [Case])
    func served(_ one: Case) async throws {
        let site = try Site([
            "a.txt": "hello", "炎.txt": "fire", "a b%25.txt": "percent", "c+d.txt": "plus", "empty.txt": "", "download": "raw",
            "index.html": "top", "dir/index.html": "dir", "hello.world/index.html": "world", "plain/x.txt": "x",
        ])
        let response = await site.get(one.target)
        #expect(response.status.code == one.status)
        if let text = one.text { #expect(response.text == text) }
        if let type = one.type { #expect(response.headers[.contentType] == type) }
        #expect((response.headers[.eTag] != nil) == (one.status == 200))
        #expect(response.headers[.contentEncoding] == nil && response.headers[.vary] == nil)
    }

    @Test("S-STATIC-4, 26, H-STATIC-35: a folder without an index is not there, nor is any where none is looked up")
    func noIndex() async throws {
        let site = try Site(["hello.html": "x", "dir/index.html": "y"])
        #expect(await site.get("/").status == .notFound)
        #expect(await site.get("/hello.html").text == "x")
        let off = StaticFiles(from: site.root, index: nil)
        for target in ["/", "/dir/", "/dir"] { #expect(await site.serve(Request(.get, target), with: off).status == .notFound) }
        #expect(await site.serve(Request(.get, "/dir/index.html"), with: off).text == "y")
        let other = StaticFiles(from: site.root, index: "hello.html")
        #expect(await site.serve(Request(.get, "/"), with: other).text == "x")
    }

    @Test(
        "H-STATIC-26, S-STATIC-19: a folder without its slash leads to itself with one, on the same host, query included",
        arguments: [
            ("/dir", "./dir/", "https://a.example/dir/"),
            ("/dir?a=b&c=%2F", "./dir/?a=b&c=%2F", "https://a.example/dir/?a=b&c=%2F"),
            ("/outer/inner", "./inner/", "https://a.example/outer/inner/"), ("/d%20r", "./d%20r/", "https://a.example/d%20r/"),
            ("/evil.example/x", "./x/", "https://a.example/evil.example/x/"),
            ("/dir?next=//evil.example", "./dir/?next=//evil.example", "https://a.example/dir/?next=//evil.example"),
        ] as [(String, String, String)])
    func redirect(_ target: String, location: String, whole: String) async throws {
        let site = try Site([
            "dir/index.html": "", "outer/inner/index.html": "", "d r/index.html": "", "evil.example/x/index.html": "",
        ])
        for method: HTTPRequest.Method in [.get, .head] {
            let response = await site.serve(Request(method, target))
            #expect(response.status == .permanentRedirect)
            #expect(response.headers[.location] == location)
            #expect(response.text == "")
        }
        let resolved = URL(string: location, relativeTo: URL(string: "https://a.example" + target))
        #expect(resolved?.absoluteString == whole)
    }

    @Test(
        "N-STATIC-22: a path with two slashes is no file's, and leads to no other host",
        arguments: [
            "//evil.example/x", "//evil.example/x/", "///evil.example/x", "//dir", "/dir//", "/dir//index.html", "//",
            "//a.txt", "//evil.example/%2e%2e",
        ] as [String])
    func doubleSlashes(_ target: String) async throws {
        let site = try Site(["evil.example/x/index.html": "x", "dir/index.html": "x", "index.html": "x", "a.txt": "x"])
        let response = await site.get(target)
        #expect(response.status == .notFound)
        #expect(response.headers[.location] == nil)
        #expect(await site.get("/evil.example/x").status == .permanentRedirect)
    }

    @Test(
        "H-STATIC-36 to 41: a prefix is taken away, and ends where a segment does",
        arguments: [
            Case(id: "36", target: "/test/hello", text: "file"), Case(id: "37", target: "/test/sub/", text: "sub"),
            Case(id: "38, with its slash", target: "/test/", text: "top"),
            Case(id: "38, without its slash", target: "/test", status: 308),
            Case(id: "39", target: "/goodbye", status: 404), Case(id: "40", target: "/testHello", status: 404),
            Case(id: "41", target: "/test2/hello", text: "second"),
            Case(id: "41, folder", target: "/test2/", text: "second top"),
            Case(id: "a prefix is octets", target: "/TEST/hello", status: 404),
            Case(id: "a prefix may be encoded", target: "/%74est/hello", text: "file"),
        ] as [Case])
    func prefix(_ one: Case) async throws {
        let site = try Site(["hello": "file", "sub/index.html": "sub", "index.html": "top"])
        let second = try Site(["hello": "second", "index.html": "second top"])
        let response = await respond(Request(.get, one.target)) {
            StaticFiles(from: site.root, at: "/test")
            StaticFiles(from: second.root, at: "/test2/")
            Router()
        }
        #expect(response.status.code == one.status)
        if let text = one.text { #expect(response.text == text) }
        #expect(response.headers[.location] == (one.status == 308 ? "./test/" : nil))
        withExtendedLifetime((site, second)) {}
    }

    // MARK: What stays inside

    struct Escape: Sendable, CustomTestStringConvertible {
        let id: String
        let target: String
        var status = 404
        var testDescription: String { "\(id): \(target)" }
    }

    @Test(
        "no way of writing a path leads out of the folder",
        arguments: [
            Escape(id: "S-STATIC-9, 38", target: "/../secret.txt"), Escape(id: "the folder above", target: "/.."),
            Escape(id: "the folder above", target: "/../"), Escape(id: "S-STATIC-39", target: "/../root1.txt"),
            Escape(id: "S-STATIC-40", target: "/../root_more/index.html"),
            Escape(id: "N-STATIC-7", target: "/%2e%2e/root/page.txt"),
            Escape(id: "N-STATIC-43", target: "/folder/../"), Escape(id: "back inside", target: "/folder/../page.txt"),
            Escape(id: "dots", target: "/%2E%2E/secret.txt"), Escape(id: "dots", target: "/.%2e/secret.txt"),
            Escape(id: "dots", target: "/folder/../../secret.txt"), Escape(id: "dots", target: "/folder/%2e/page.txt"),
            Escape(id: "dots", target: "/./page.txt"), Escape(id: "dots", target: "/..;/secret.txt"),
            Escape(id: "dots twice encoded", target: "/%252e%252e/secret.txt"),
            Escape(id: "slashes", target: "/..%2fsecret.txt"), Escape(id: "slashes", target: "/%2e%2e%2fsecret.txt"),
            Escape(id: "slashes", target: "/folder%2f..%2f..%2fsecret.txt"),
            Escape(id: "slashes", target: "/folder/..%2F..%2Fsecret.txt"),
            Escape(id: "N-STATIC-21", target: "/folder%2Fpage.txt"), Escape(id: "slashes", target: "/%2Fetc%2Fpasswd"),
            Escape(id: "N-STATIC-8", target: "/folder%5Cpage.txt"), Escape(id: "backslashes", target: "/..%5csecret.txt"),
            Escape(id: "backslashes", target: "/..\\secret.txt"), Escape(id: "S-STATIC-42", target: "/%5c%5cserver%5cshare"),
            Escape(id: "S-STATIC-33", target: "/page.txt%00"), Escape(id: "NUL", target: "/page.txt%00.html"),
            Escape(id: "NUL", target: "/folder%00/page.txt"), Escape(id: "NUL", target: "/..%00/secret.txt"),
            Escape(id: "S-STATIC-41, N-STATIC-19", target: "//etc/passwd"), Escape(id: "absolute", target: "/etc/passwd"),
            Escape(id: "overlong UTF-8", target: "/%c0%ae%c0%ae/secret.txt", status: 400),
            Escape(id: "overlong UTF-8", target: "/..%c0%afsecret.txt", status: 400),
            Escape(id: "broken encoding", target: "/page.txt%", status: 400),
            Escape(id: "broken encoding", target: "/%zz", status: 400),
        ] as [Escape])
    func inside(_ one: Escape) async throws {
        let site = try Site([
            "page.txt": "page", "folder/page.txt": "page", "folder/index.html": "page", "../secret.txt": "secret",
            "../root1.txt": "secret", "../root_more/index.html": "secret", "../index.html": "secret",
        ])
        let response = await site.get(one.target)
        #expect(response.status.code == one.status)
        #expect(!response.text.contains("secret") && !response.text.hasPrefix("page"))
        #expect(await site.get("/folder/page.txt").text == "page")
    }

    @Test(
        "links are not followed, wherever they lead; only the root itself may be one",
        arguments: [
            "/file", "/outer/secret.txt", "/within", "/inner/page.txt", "/dangling", "/loop", "/absolute", "/folder/deep",
            "/outer", "/outer/", "/inner",
        ] as [String])
    func links(_ target: String) async throws {
        let site = try Site(["page.txt": "page", "folder/page.txt": "page", "../out/secret.txt": "x", "../out/index.html": "x"])
        for (name, end) in [
            ("file", "../out/secret.txt"), ("outer", "../out"), ("within", "page.txt"), ("inner", "folder"),
            ("dangling", "none"),
            ("loop", "loop"), ("absolute", "/etc/passwd"), ("folder/deep", "../page.txt"), ("../linked", "root"),
        ] as [(String, String)] {
            try site.link(name, to: end)
        }
        // H-STATIC-29, S-STATIC-36, 37: refused. H-STATIC-28: one that leads nowhere is as if it were not there.
        #expect(await site.get(target).status == .notFound)
        // H-STATIC-27, S-STATIC-43: what is no link, and a root that is one.
        let linked = StaticFiles(from: site.path("../linked"))
        #expect(throws: Never.self) { try linked.validate() }
        #expect(await site.serve(Request(.get, "/folder/page.txt"), with: linked).text == "page")
    }

    @Test("pipes and devices are not there, and hold nobody up")
    func noFiles() async throws {
        let site = try Site(["a.txt": "a"])
        #expect(mkfifo(site.path("pipe"), 0o644) == 0)
        #expect(mkfifo(site.path("a.txt.gz"), 0o644) == 0)
        #expect(await site.get("/pipe").status == .notFound)
        #expect(await site.get("/pipe/x").status == .notFound)
        let response = await site.get("/a.txt", [.acceptEncoding: "gzip"])
        #expect(response.text == "a" && response.headers[.vary] == nil)
        let devices = StaticFiles(from: "/dev")
        for name in ["null", "zero", "tty"] {
            #expect(await site.serve(Request(.get, "/\(name)"), with: devices).status == .notFound)
        }
    }

    @Test(
        "names that begin with a dot are not served, but what is below .well-known",
        arguments: [
            Case(target: "/.env", status: 404), Case(target: "/.git/config", status: 404),
            Case(target: "/folder/.hidden", status: 404), Case(target: "/%2eenv", status: 404),
            Case(target: "/.git/", status: 404), Case(target: "/.git", status: 404),
            Case(target: "/folder/.well-known/x", status: 404), Case(target: "/.well-known/.hidden", status: 404),
            Case(target: "/.well-known/security.txt", text: "x"), Case(target: "/.well-known/acme/token", text: "x"),
        ] as [Case])
    func dots(_ one: Case) async throws {
        let site = try Site([
            ".env": "x", ".git/config": "x", ".git/index.html": "x", "folder/.hidden": "x", "folder/.well-known/x": "x",
            ".well-known/.hidden": "x", ".well-known/security.txt": "x", ".well-known/acme/token": "x",
        ])
        let response = await site.get(one.target)
        #expect(response.status.code == one.status)
        if let text = one.text { #expect(response.text == text) }
        // N-STATIC-27: a folder that is named as the root is served, whatever it is called.
        #expect(await site.serve(Request(.get, "/config"), with: StaticFiles(from: site.path(".git"))).text == "x")
    }

    // MARK: Methods, and what stands around

    @Test("H-STATIC-13, S-STATIC-2, 10: HEAD has the headers of GET and no body")
    func head() async throws {
        let site = try Site(["a.txt": "hello"])
        let get = await site.get("/a.txt")
        let head = await site.serve(Request(.head, "/a.txt"))
        #expect(get.text == "hello" && head.text == "")
        #expect(head.status == .ok && head.headers == get.headers)
        #expect(head.headers[.lastModified] == Site.lastModified)
        #expect(head.headers[.contentType] == "text/plain; charset=utf-8")
        #expect(head.headers[.contentLength] == nil)
    }

    @Test("a method that reads nothing goes on to the routes, as S-STATIC-3 does not")
    func methods() async throws {
        let site = try Site(["a.txt": "hello"])
        var routes = Router()
        routes.post("/a.txt") { _ in "posted" }
        let behind = routes
        for method: HTTPRequest.Method in [.post, .put, .delete, .patch, .options] {
            #expect(await site.serve(Request(method, "/a.txt")).status == .notFound, "\(method)")
        }
        #expect(await site.serve(Request(.post, "/a.txt"), behind).text == "posted")
        #expect(await site.serve(Request(.put, "/a.txt"), behind).status == .methodNotAllowed)
        #expect(await site.serve(Request(.get, "/a.txt"), behind).text == "hello")
    }

    struct Mark: Middleware {
        func handle(_ request: Request, next: Next) async throws -> Response {
            var response = await next(request)
            response.headers[.server] = "marked"
            return response
        }
    }

    @Test("files come first, then the routes; what stands around sees both")
    func order() async throws {
        let site = try Site(["a.txt": "file", "b.txt": "file"])
        var routes = Router()
        routes.get("/a.txt") { _ -> String in throw HTTPError(.notFound) }
        routes.get("/b.txt") { _ in Response.text("route", status: .notFound) }
        routes.get("/foo") { _ in "route" }
        routes.get("/none") { _ in Response.text("my own words", status: .notFound) }
        let pipeline = routes
        func get(_ target: String) async -> Response {
            await respond(Request(.get, target)) {
                Mark()
                StaticFiles(from: site.root)
                pipeline
            }
        }
        // H-STATIC-30, 31; N-STATIC-34.
        for target in ["/a.txt", "/b.txt"] {
            let response = await get(target)
            #expect(response.status == .ok && response.text == "file")
            #expect(response.headers[.server] == "marked")
        }
        // H-STATIC-34.
        #expect(await site.serve(Request(.head, "/b.txt"), pipeline).status == .ok)
        // N-STATIC-35, H-STATIC-32, N-STATIC-38.
        #expect(await get("/foo").text == "route")
        let missing = await get("/none")
        #expect(missing.status == .notFound && missing.text == "my own words" && missing.headers[.server] == "marked")
    }

    // MARK: The folder itself

    @Test("S-STATIC-6, 7, 8: a folder that is not there, or is none, stops start-up")
    func validate() throws {
        let site = try Site(["a.txt": "x"])
        #expect(throws: Never.self) { try StaticFiles(from: site.root).validate() }
        for name in ["none", "a.txt", "a.txt/x"] {
            let error = #expect(throws: MiddlewareError.self) { try StaticFiles(from: site.path(name)).validate() }
            #expect(error?.description.contains(site.path(name)) == true)
        }
    }

    @Test("N-STATIC-16 to 18, 39, 40, S-STATIC-44: the root may be relative, lead upwards and end with a slash")
    func roots() async throws {
        let site = try Site(["a.txt": "hello"])
        let base = TaskRoot.path == "." ? FileManager.default.currentDirectoryPath : TaskRoot.path
        let up = String(repeating: "../", count: base.split(separator: "/").count)
        let relative = up + String(site.root.dropFirst())
        for root in [site.root, "\(site.root)/", "\(site.root)/../root", relative] {
            let files = StaticFiles(from: root)
            #expect(throws: Never.self) { try files.validate() }
            #expect(await site.serve(Request(.get, "/a.txt"), with: files).text == "hello", "\(root)")
        }
    }

    @Test("a folder that has gone is a 404 for each of its files, once the app runs")
    func gone() async throws {
        let site = try Site(["a.txt": "hello"])
        #expect(await site.get("/a.txt").status == .ok)
        try FileManager.default.removeItem(atPath: site.root)
        #expect(await site.get("/a.txt").status == .notFound)
    }
}
