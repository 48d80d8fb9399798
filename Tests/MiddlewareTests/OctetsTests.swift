import Testing

@testable import SluiceCore
@testable import SluiceMiddleware

/// Where a protocol means octets, no combining mark hides a separator, and no look-alike makes one.
@Suite struct OctetsTests {
    private func cookies(_ line: String) -> [String] {
        Request(.get, "/", headers: [.cookie: line]).cookies.all.map { "\($0.name)|\($0.value)" }
    }

    @Test("cookies are split at the octet of a semicolon")
    func cookies() {
        #expect(cookies("theme=dark\u{37E}admin=1") == ["theme|dark\u{37E}admin=1"])
        #expect(cookies("session=\u{301}abc; b=2") == ["session|\u{301}abc", "b|2"])
        #expect(cookies("a=1;\u{301}b=2;c=3") == ["a|1", "\u{301}b|2", "c|3"])
        #expect(cookies("a =\u{301} 1 ") == ["a|\u{301} 1"])
        let request = Request(.get, "/", headers: [.cookie: "K=1; \u{212A}=2"])
        #expect(request.cookies["\u{212A}"] == "2")
        #expect(request.cookies["K"] == "1")
        #expect(Request(.get, "/", headers: [.cookie: "\u{212A}=2"]).cookies["K"] == nil)
    }

    @Test("a query is split at the octets of & and =, and its names are compared as octets")
    func query() {
        let query = Request(.get, "/?a=1&\u{301}b=2&c=\u{301}3&\u{37E}=4&\u{212A}=5").query
        #expect(
            query.fields.map { "\($0.name)|\($0.value)" } == ["a|1", "\u{301}b|2", "c|\u{301}3", "\u{37E}|4", "\u{212A}|5"])
        #expect(query["K"] == nil)
        #expect(query[";"] == nil)
        #expect(query.all("\u{212A}") == ["5"])
        #expect(Request(.get, "/%E2%84%AA?%E2%84%AA=1").query["K"] == nil)
        #expect(Request(.get, "/x?\u{301}a=1").rawQuery == "\u{301}a=1")
        #expect(Request(.get, "/\u{301}").rawPath.utf8.elementsEqual("/\u{301}".utf8))
    }

    @Test("a route matches its own octets: no Kelvin sign for a K, no other spelling of an accent")
    func routes() async {
        var routes = Router()
        routes.get("/Keys") { _ in "keys" }
        routes.get("/caf\u{E9}") { _ in "caf\u{E9}" }
        routes.get("/cafe\u{301}") { _ in "cafe\u{301}" }
        routes.get("/a;b") { _ in "semicolon" }
        let pipeline = CompletePipeline.of(routes)
        for (path, status) in [
            ("/Keys", 200), ("/%4Beys", 200), ("/%E2%84%AAeys", 404), ("/a;b", 200), ("/a%CD%BEb", 404),
        ] {
            #expect(await respond(pipeline, Request(.get, path)).status.code == status, "\(path)")
        }
        #expect(await respond(pipeline, Request(.get, "/caf%C3%A9")).text.utf8.elementsEqual("caf\u{E9}".utf8))
        #expect(await respond(pipeline, Request(.get, "/cafe%CC%81")).text.utf8.elementsEqual("cafe\u{301}".utf8))
    }
}
