import Sluice
import SluiceTesting
import Testing

@testable import Clip

/// What stands around the routes, and the way to them.
@Suite struct ServingTests {
    @Test func `style and script come from the folder, with their kind and a tag`() async throws {
        let clip = try await Fixture(signedInAs: nil)
        let style = try await clip.client.get("/assets/clip.css")
        #expect(style.status == .ok && style.headers[.contentType] == "text/css; charset=utf-8")
        let tag = try #require(style.headers[.eTag])
        #expect(try await clip.client.get("/assets/clip.css", headers: [.ifNoneMatch: tag]).status == .notModified)
        #expect(try await clip.client.get("/assets/clip.js").headers[.contentType] == "text/javascript; charset=utf-8")
        #expect(try await clip.client.get("/assets/../Package.swift").status == .notFound)
    }

    @Test func `each response is dressed, errors too`() async throws {
        let clip = try await Fixture(signedInAs: nil)
        for path in ["/sign-in", "/none", "/api/links", "/assets/clip.js"] {
            let headers = try await clip.client.get(path).headers
            #expect(headers[.contentSecurityPolicy]?.hasPrefix("default-src 'none'; ") == true)
            #expect(headers[.xContentTypeOptions] == "nosniff" && headers[HTTPField.Name("X-Request-ID")!] != nil)
        }
        let lines = clip.client.records.filter { $0.label == "access" }
        #expect(lines.map(\.message).last == "GET /assets/clip.js 200" && lines.count == 4)
    }

    @Test func `a page is compressed, and not sent twice`() async throws {
        let clip = try await Fixture()
        let page = try await clip.client.get("/", headers: [.acceptEncoding: "gzip"])
        #expect(page.headers[.contentEncoding] == "gzip" && page.bytes.starts(with: [0x1F, 0x8B]))
        #expect(page.headers[.cacheControl] == "private, no-cache")
        let tag = try #require(page.headers[.eTag])
        let again = try await clip.client.get("/", headers: [.acceptEncoding: "gzip", .ifNoneMatch: tag])
        #expect(again.status == .notModified && again.bytes.isEmpty)
    }

    @Test func `records say whose request it was`() async throws {
        let clip = try await Fixture()
        clip.client.reset()
        _ = try await clip.client.get("/")
        let line = try #require(clip.client.records.first { $0.label == "access" })
        #expect(line.metadata["user"] == "ada" && line.metadata["route"] == "/")
    }

    @Test("sign-in, a page and a wrong link through a Function URL", arguments: Fixture.ways)
    func pages(_ way: TestClient.Transport) async throws {
        let clip = try await Fixture(way)
        _ = try await clip.client.post("/links", form: ["target": "https://a.example/?a=1&b=2", "slug": "tea"])
        let page = try await clip.client.get("/", headers: [.accept: "text/html"])
        #expect(page.status == .ok && page.text.contains("<span>https://a.example/?a=1&amp;b=2</span>"))
        #expect(try await clip.client.get("/l/tea").headers[.location] == "https://a.example/?a=1&b=2")
        #expect(try await clip.client.get("/l/none").status == .notFound)
    }

    @Test("an upload and its download through a Function URL", arguments: Fixture.ways)
    func files(_ way: TestClient.Transport) async throws {
        let clip = try await Fixture(way)
        let bytes: [UInt8] = [0xFF, 0xD8, 0xFF, 0x00, 0x0D, 0x0A, 0x2D, 0x2D]
        let made = try await clip.client.upload(bytes, named: "tea.jpg")
        let file = try await clip.client.get(try #require(made.headers[.location]))
        #expect(file.bytes == bytes && file.headers[.contentType] == "image/jpeg")
    }

    @Test("an export that fails in the middle, and events, through a Function URL", arguments: Fixture.ways)
    func streams(_ way: TestClient.Transport) async throws {
        let clip = try await Fixture(way)
        _ = try await clip.shorten("https://a.example", as: "tea")
        let events = try await clip.client.get("/events?after=0&count=1")
        #expect(events.status == .ok && events.text.contains("event: link\nid: 1\n"))
        try await clip.breakLink(at: 300)
        let cut = try await clip.client.get("/export/links.csv")
        #expect(cut.error != nil && clip.client.ledger.pending == 0)
        if way == .functionURL(.buffered) {
            // Nothing had left yet: an honest 500.
            #expect(cut.status == .internalServerError && clip.client.reports.map(\.outcome) == [.handlerError])
        } else {
            #expect(cut.status == .ok && clip.client.reports.map(\.outcome) == [.streamCut])
            #expect(cut.text.split(separator: "\r\n").count == 201)
        }
    }
}
