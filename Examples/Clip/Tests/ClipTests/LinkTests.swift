import Sluice
import SluiceTesting
import Testing

@testable import Clip

@Suite struct LinkTests {
    @Test func `a link leads on and is counted, not for those who only look`() async throws {
        let clip = try await Fixture()
        let made = try await clip.client.post("/links", form: ["target": "https://a.example/x?y=1", "slug": "tea"])
        #expect(made.status == .seeOther && made.headers[.location] == "/")
        let followed = try await clip.client.get("/l/tea")
        #expect(followed.status == .found && followed.headers[.location] == "https://a.example/x?y=1")
        #expect(try await clip.client.send(Request(.head, "/l/tea")).status == .found)
        #expect(try await clip.store.link("tea")?.hits == 1)
        #expect(try await clip.client.get("/").text.contains("https://a.example/x?y=1</span> <b>1</b>"))
    }

    @Test func `a form without a name makes one up`() async throws {
        let clip = try await Fixture()
        #expect(try await clip.client.post("/links", form: ["target": "https://a.example", "slug": ""]).status == .seeOther)
        let page = try await clip.client.get("/", headers: [.accept: "application/json"]).decode(LinkPage.self)
        #expect(page.links.map(\.slug.count) == [7] && page.next == nil)
    }

    @Test func `an address with other letters is one that a header can hold`() async throws {
        let clip = try await Fixture()
        _ = try await clip.shorten("https://a.example/ä b", as: "umlaut")
        #expect(try await clip.client.get("/l/umlaut").headers[.location] == "https://a.example/%C3%A4%20b")
    }

    @Test func `what is wrong with a link is told at once, all of it`() async throws {
        let clip = try await Fixture()
        let response = try await clip.client.post("/links", json: #"{"target":"javascript:alert(1)","slug":"-1"}"#)
        #expect(response.status == .unprocessableContent)
        #expect(response.headers[.contentType] == "application/problem+json")
        #expect(try response.decode(ProblemDocument.self).errors?.map(\.pointer) == ["#/target", "#/slug"])
        #expect(clip.client.reports.isEmpty)
    }

    @Test func `a name is given once`() async throws {
        let clip = try await Fixture()
        _ = try await clip.shorten("https://a.example/1", as: "tea")
        let again = try await clip.client.post("/links", form: ["target": "https://a.example/2", "slug": "tea"])
        #expect(again.status == .unprocessableContent && again.text.contains("is taken"))
        #expect(try await clip.client.get("/l/tea").headers[.location] == "https://a.example/1")
    }

    @Test func `no link is a 404: a page for browsers, a problem for programs`() async throws {
        let clip = try await Fixture(signedInAs: nil)
        let page = try await clip.client.get("/l/none", headers: [.accept: "text/html,*/*;q=0.8"])
        #expect(page.status == .notFound && page.text.contains("there is no such link"))
        #expect(page.headers[.contentType] == "text/html; charset=utf-8")
        let problem = try await clip.client.get("/l/none")
        #expect(try problem.decode(ProblemDocument.self).detail == "there is no such link")
    }

    @Test func `exports are all links, oldest first`() async throws {
        let clip = try await Fixture()
        _ = try await clip.shorten("https://a.example/1,2", as: "one")
        _ = try await clip.shorten("https://a.example/2", as: "two")
        let csv = try await clip.client.get("/export/links.csv")
        let lines = csv.text.split(separator: "\r\n")
        #expect(csv.headers[.contentDisposition] == #"attachment; filename="links.csv""#)
        #expect(lines.count == 3 && lines[0] == "slug,target,owner,hits,createdAt")
        #expect(lines[1].hasPrefix(#"one,"https://a.example/1,2",ada,0,"#))
        let ndjson = try await clip.client.get("/export/links.ndjson")
        #expect(ndjson.headers[.contentType] == "application/x-ndjson")
        #expect(ndjson.text.split(separator: "\n").count == 2 && ndjson.text.contains(#""slug":"two""#))
        let nobody = try await Fixture(signedInAs: nil)
        #expect(try await nobody.client.get("/export/links.csv").status == .unauthorized)
    }

    @Test func `an export that fails in the middle is cut, and never looks whole`() async throws {
        let clip = try await Fixture()
        try await clip.breakLink(at: 300)
        let cut = try await clip.client.get("/export/links.csv")
        #expect(cut.status == .ok && cut.isCut && cut.error != nil)
        // The header and the first page: the second one could not be read.
        #expect(cut.text.split(separator: "\r\n").count == 201)
        #expect(clip.client.reports.map(\.outcome) == [.streamCut] && clip.client.ledger.pending == 0)
    }
}
