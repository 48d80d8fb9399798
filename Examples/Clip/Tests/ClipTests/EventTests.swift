import Sluice
import SluiceTesting
import Testing

@testable import Clip

@Suite struct EventTests {
    private func text(_ chunk: [UInt8]?) -> String { String(decoding: chunk ?? [], as: UTF8.self) }

    @Test func `who listens hears of each link when it is made`() async throws {
        let clip = try await Fixture()
        _ = try await clip.shorten("https://a.example/0", as: "before")
        let stream = try await clip.client.stream(Request(.get, "/events?count=2"))
        #expect(stream.status == .ok && stream.headers[.contentType] == "text/event-stream")
        #expect(stream.headers[.cacheControl] == "no-cache")
        var chunks = stream.makeAsyncIterator()
        for (slug, id) in [("one", 2), ("two", 3)] {
            _ = try await clip.shorten("https://a.example/\(id)", as: slug)
            let event = text(await chunks.next())
            #expect(event.hasPrefix("event: link\nid: \(id)\nretry: 2000\ndata: {"))
            #expect(event.contains(#""slug":"\#(slug)""#) && event.hasSuffix("}\n\n"))
        }
        #expect(await chunks.next() == nil)
        #expect(!stream.isCut)
    }

    @Test func `a browser that comes back misses nothing`() async throws {
        let clip = try await Fixture()
        for slug in ["one", "two", "three"] { _ = try await clip.shorten("https://a.example", as: slug) }
        let events = try await clip.client.get(
            "/events?seconds=0", headers: [.lastEventID: "1", .accept: "text/event-stream"])
        #expect(events.chunks.texts.map { $0.prefix(17) } == ["event: link\nid: 2", "event: link\nid: 3"])
        let first = try await clip.client.get("/events?after=0&count=1")
        #expect(first.chunks.count == 1 && first.text.contains("id: 1\n"))
    }

    @Test func `a quiet stream shows that it lives, and ends with its time`() async throws {
        let clip = try await Fixture(heartbeat: .milliseconds(100))
        let stream = try await clip.client.stream(Request(.get, "/events?seconds=1"))
        var chunks = stream.makeAsyncIterator()
        #expect(text(await chunks.next()) == ":\n\n")
        while let chunk = await chunks.next() { #expect(text(chunk) == ":\n\n") }
        #expect(!stream.isCut && stream.error == nil)
    }

    @Test func `a wrong question is a 422, a wrong id a 400, nobody's a 401`() async throws {
        let clip = try await Fixture()
        #expect(try await clip.client.get("/events?count=0&seconds=99").status == .unprocessableContent)
        #expect(try await clip.client.get("/events", headers: [.lastEventID: "x"]).status == .badRequest)
        let nobody = try await Fixture(signedInAs: nil)
        #expect(try await nobody.client.get("/events", headers: [.accept: "text/event-stream"]).status == .unauthorized)
    }
}
