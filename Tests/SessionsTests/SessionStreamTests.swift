import Sluice
import Synchronization
import Testing

@testable import SluiceSessions

/// Changes that come after the response was returned.
@Suite struct SessionStreamTests {
    private func streaming(_ kind: Kind) throws -> World {
        try World(kind) { routes in
            routes.get("/stream/{name}") { request in
                let session = try request.session
                let name = try request.parameters.require("name")
                return Response.stream(contentType: "text/plain") { writer in
                    try await writer.write("streamed")
                    session["user"] = name
                    session["again"] = name
                    if name == "boom" { throw Boom() }
                }
            }
            routes.get("/stream-out") { request in
                let session = try request.session
                return Response.stream(contentType: "text/plain") { writer in
                    try await writer.write("out")
                    session.removeAll()
                }
            }
            routes.get("/stream-renew") { request in
                let session = try request.session
                return Response.stream(contentType: "text/plain") { writer in
                    try await writer.write("renewed")
                    session.renew()
                }
            }
            routes.get("/stream-in/{name}") { request in
                try request.session["user"] = try request.parameters.require("name")
                return Response.stream(contentType: "text/plain") { writer in try await writer.write("streamed") }
            }
        }
    }

    @Test("what is set before a stream is returned is kept, also in a cookie", arguments: Kind.allCases)
    func before(_ kind: Kind) async throws {
        let world = try streaming(kind)
        let browser = Browser(world)
        #expect(await browser.get("/stream-in/ann").text == "streamed")
        #expect(await browser.get("/who").text == "ann")
        #expect(world.levels.isEmpty)
    }

    @Test("what a stream sets reaches the store when the body has ended, well or not", arguments: ["bob", "boom"])
    func store(_ name: String) async throws {
        let world = try streaming(.memory)
        let browser = Browser(world)
        _ = await browser.get("/in/ann")
        let (ids, cookie) = (world.store.ids, browser.session)
        let response = await browser.get("/stream/\(name)")
        #expect((response.error is Boom) == (name == "boom"))
        #expect(world.store.ids == ids)
        #expect(browser.session == cookie)
        #expect(await browser.get("/who").text == name)
        #expect(world.levels.isEmpty)
    }

    @Test("it is lost for a cookie, with one warning")
    func cookie() async throws {
        let world = try streaming(.cookie)
        let browser = Browser(world)
        _ = await browser.get("/in/ann")
        #expect(await browser.get("/stream/bob").text == "streamed")
        #expect(await browser.get("/who").text == "ann")
        #expect(world.levels == [.warning])
        #expect(world.records.first?.contains("lost") == true)
    }

    @Test("it is lost for a client that has no session yet, with one warning: nobody could tell it the id")
    func unknown() async throws {
        let world = try streaming(.memory)
        let browser = Browser(world)
        #expect(await browser.get("/stream/bob").text == "streamed")
        #expect(browser.session == nil)
        #expect(world.store.ids.isEmpty)
        #expect(world.levels == [.warning])
    }

    @Test("a stream can sign out of a store, and cannot renew an id that it cannot tell")
    func signOut() async throws {
        let world = try streaming(.memory)
        let browser = Browser(world)
        _ = await browser.get("/in/ann")
        let ids = world.store.ids
        _ = await browser.get("/stream-renew")
        #expect(world.store.ids == ids)
        #expect(world.levels == [.warning])
        #expect(await browser.get("/who").text == "ann")
        _ = await browser.get("/stream-out")
        #expect(world.store.ids.isEmpty)
        #expect(await browser.get("/who").text == "nobody")
        #expect(world.levels == [.warning])
    }

    @Test("a task that was left running changes nothing, with one warning", arguments: Kind.allCases)
    func leftBehind(_ kind: Kind) async throws {
        let left = Mutex<Session?>(nil)
        let world = try World(kind) { routes in
            routes.get("/leave") { request -> String in
                let session = try request.session
                session["user"] = "ann"
                left.withLock { $0 = session }
                return "left"
            }
        }
        let browser = Browser(world)
        _ = await browser.get("/leave")
        let session = try #require(left.withLock { $0 })
        #expect(world.levels.isEmpty)
        session["user"] = "bob"
        session["user"] = "eve"
        #expect(world.levels == [.warning])
        #expect(await browser.get("/who").text == "ann")
    }
}
