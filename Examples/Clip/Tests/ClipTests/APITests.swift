import Sluice
import SluiceTesting
import Testing

@testable import Clip

@Suite struct APITests {
    @Test func `a link is made, read and deleted by its owner alone`() async throws {
        let clip = try await Fixture()
        let ada = try await clip.credentials()
        let made = try await clip.client.post("/api/links", headers: ada, json: #"{"target":"https://a.example","slug":"tea"}"#)
        #expect(made.status == .created && made.headers[.location] == "/api/links/tea")
        #expect(try await clip.client.get("/api/links/tea", headers: ada).decode(Link.self).owner == "ada")
        _ = try await clip.signIn("grace", "hopper")
        let grace = try await clip.credentials()
        #expect(try await clip.client.delete("/api/links/tea", headers: grace).status == .forbidden)
        #expect(try await clip.client.delete("/api/links/tea", headers: ada).status == .noContent)
        #expect(try await clip.client.delete("/api/links/tea", headers: ada).status == .notFound)
        #expect(try await clip.client.get("/api/links/tea", headers: ada).status == .notFound)
    }

    @Test func `links come page by page`() async throws {
        let clip = try await Fixture()
        let ada = try await clip.credentials()
        for slug in ["one", "two", "three"] { _ = try await clip.shorten("https://a.example", as: slug) }
        let first = try await clip.client.get("/api/links?limit=2", headers: ada).decode(LinkPage.self)
        #expect(first.links.map(\.slug) == ["three", "two"])
        let next = try #require(first.next)
        let second = try await clip.client.get("/api/links?limit=2&before=\(next)", headers: ada).decode(LinkPage.self)
        #expect(second.links.map(\.slug) == ["one"] && second.next == nil)
        let wrong = try await clip.client.get("/api/links?limit=101&before=0", headers: ada)
        #expect(try wrong.decode(ProblemDocument.self).errors?.map(\.pointer) == ["#/limit", "#/before"])
        #expect(try await clip.client.get("/api/links?limit=x", headers: ada).status == .badRequest)
    }

    @Test func `without a token, and with a wrong one, it is a 401 with its challenge`() async throws {
        // Who has signed in as well: the API does not look at cookies.
        let clip = try await Fixture()
        let none = try await clip.client.get("/api/links")
        #expect(none.status == .unauthorized && none.headers[.wwwAuthenticate] == #"Bearer realm="clip""#)
        let wrong = try await clip.client.get("/api/links", headers: [.authorization: "Bearer x"])
        #expect(wrong.status == .unauthorized)
        #expect(wrong.headers[.wwwAuthenticate]?.contains("invalid_token") == true)
    }

    @Test func `pages of an origin that was named may use it, errors included`() async throws {
        let clip = try await Fixture(signedInAs: nil)
        func preflight(_ origin: String) async throws -> TestResponse {
            try await clip.client.send(
                Request(
                    .options, "/api/links",
                    headers: [
                        .origin: origin, .accessControlRequestMethod: "POST", .accessControlRequestHeaders: "authorization",
                    ]))
        }
        let allowed = try await preflight("https://a.example")
        #expect(allowed.status == .noContent)
        #expect(allowed.headers[.accessControlAllowOrigin] == "https://a.example")
        #expect(allowed.headers[.accessControlAllowHeaders] == "authorization")
        #expect(try await preflight("https://evil.example").headers[.accessControlAllowOrigin] == nil)
        let refused = try await clip.client.get("/api/links", headers: [.origin: "https://a.example"])
        #expect(refused.status == .unauthorized)
        #expect(refused.headers[.accessControlAllowOrigin] == "https://a.example")
    }

    @Test func `a body that is no JSON, a wrong kind and a wrong method are told`() async throws {
        let clip = try await Fixture()
        let ada = try await clip.credentials()
        #expect(try await clip.client.post("/api/links", headers: ada, json: "{").status == .badRequest)
        var xml = ada
        xml[.contentType] = "text/xml"
        #expect(try await clip.client.post("/api/links", headers: xml, body: "<x/>").status == .unsupportedMediaType)
        let wrong = try await clip.client.put("/api/links", headers: ada)
        #expect(wrong.status == .methodNotAllowed && wrong.headers[.allow] == "GET, HEAD, OPTIONS, POST")
        #expect(try await clip.client.get("/api/none", headers: ada).status == .notFound)
    }
}
