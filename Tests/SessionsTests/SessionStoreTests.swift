import Sluice
import Synchronization
import Testing

@testable import SluiceSessions

/// Sessions whose values live on the server.
@Suite struct SessionStoreTests {
    /// Counts what it is asked, and fails on demand.
    final class FailingStore: SessionStore {
        private let inner = MemorySessionStore { TestClock().now }
        private struct State {
            var isBroken = false
            var loads = 0
            var saves = 0
        }
        private let state = Mutex(State())

        var loads: Int { state.withLock { $0.loads } }
        var saves: Int { state.withLock { $0.saves } }
        func fail() { state.withLock { $0.isBroken = true } }

        private func count(_ calls: any WritableKeyPath<State, Int> & Sendable) throws {
            let isBroken = state.withLock { state in
                state[keyPath: calls] += 1
                return state.isBroken
            }
            if isBroken { throw Boom() }
        }

        func load(_ id: String) async throws -> [UInt8]? {
            try count(\.loads)
            return await inner.load(id)
        }

        func save(_ id: String, _ values: [UInt8], until expires: WallClock.Instant) async throws {
            try count(\.saves)
            await inner.save(id, values, until: expires)
        }

        func delete(_ id: String) async throws { await inner.delete(id) }
    }

    @Test("after a sign-in with renew, whoever has planted the old id has nothing")
    func fixation() async throws {
        let world = try World(.memory) { routes in
            routes.get("/visit") { request -> String in
                try request.session["seen"] = "yes"
                return "seen"
            }
            routes.get("/sign-in") { request -> String in
                let session = try request.session
                session["user"] = "ann"
                session.renew()
                return "in"
            }
            routes.get("/seen") { request -> String in try request.session["seen"] ?? "no" }
        }
        let (attacker, victim) = (Browser(world), Browser(world))
        _ = await attacker.get("/visit")
        let planted = world.store.ids
        #expect(planted.count == 1)
        victim.cookies = attacker.cookies
        _ = await victim.get("/sign-in")
        #expect(victim.session != attacker.session)
        #expect(world.store.ids.count == 1)
        #expect(world.store.ids != planted)
        #expect(await victim.get("/who").text == "ann")
        #expect(await victim.get("/seen").text == "yes")
        #expect(await attacker.get("/who").text == "nobody")
        #expect(await attacker.get("/new").text == "new")
    }

    @Test("a change keeps the id, an id that the store has forgotten is not used again")
    func ids() async throws {
        let world = try World(.memory)
        let browser = Browser(world)
        _ = await browser.get("/in/ann")
        let ids = world.store.ids
        _ = await browser.get("/in/bob")
        #expect(world.store.ids == ids)
        for id in ids { await world.store.delete(id) }
        #expect(await browser.get("/new").text == "new")
        _ = await browser.get("/in/eve")
        #expect(world.store.ids.count == 1)
        #expect(world.store.ids != ids)
    }

    @Test("what the store has is nobody's session when it is nothing that was saved")
    func malformed() async throws {
        let world = try World(.memory)
        let browser = Browser(world)
        _ = await browser.get("/in/ann")
        let id = try #require(world.store.ids.first)
        await world.store.save(id, Array("\u{0}{]".utf8), until: world.clock.now.advanced(by: .seconds(60)))
        let response = await browser.get("/who")
        #expect(response.status == .ok)
        #expect(response.text == "nobody")
    }

    @Test("the store is asked for good cookies alone, and saves when something has changed")
    func calls() async throws {
        let store = FailingStore()
        let world = try World(.memory, store: store)
        let browser = Browser(world)
        _ = await browser.get("/who")
        browser.cookies["__Host-session"] = "forged"
        _ = await browser.get("/who")
        #expect(store.loads == 0)
        #expect(store.saves == 0)
        _ = await browser.get("/in/ann")
        _ = await browser.get("/who")
        #expect(store.loads == 1)
        #expect(store.saves == 1)
    }

    @Test("when the store fails to load, those who ask for the session fail, and nobody else")
    func failsToLoad() async throws {
        let store = FailingStore()
        let world = try World(.memory, store: store)
        let browser = Browser(world)
        _ = await browser.get("/in/ann")
        store.fail()
        #expect(await browser.get("/none").status == .ok)
        let response = await browser.get("/who")
        #expect(response.status == .internalServerError)
        #expect(response.error is Boom)
        #expect(response.headers[.setCookie] == nil)
    }

    @Test("when the store fails to save, the response is a 500 and sets no cookie")
    func failsToSave() async throws {
        let store = FailingStore()
        let world = try World(.memory, store: store)
        store.fail()
        let response = await Browser(world).get("/in/ann")
        #expect(response.status == .internalServerError)
        #expect(response.error is Boom)
        #expect(response.headers[.setCookie] == nil)
        #expect(world.levels.isEmpty)
    }

    @Test("when it fails to save after an error of the handler, that one stays, and the other is in the log")
    func failsTwice() async throws {
        struct Own: Error {}
        let store = FailingStore()
        let world = try World(.memory, store: store) { routes in
            routes.get("/boom") { request -> String in
                try request.session["user"] = "ann"
                throw Own()
            }
        }
        store.fail()
        let response = await Browser(world).get("/boom")
        #expect(response.error is Own)
        #expect(world.levels == [.error])
        #expect(world.records.first?.hasSuffix("Boom()") == true)
    }

    @Test("memory forgets what is over, and what would end first when it is full")
    func memory() async throws {
        let clock = TestClock()
        let store = MemorySessionStore(limit: 2) { clock.now }
        for (id, seconds) in [("long", 30), ("short", 10), ("middle", 20)] {
            await store.save(id, Array(id.utf8), until: clock.now.advanced(by: .seconds(seconds)))
        }
        #expect(store.ids == ["long", "middle"])
        await store.save("long", [1], until: clock.now.advanced(by: .seconds(30)))
        #expect(store.ids == ["long", "middle"])
        #expect(await store.load("long") == [1])
        #expect(await store.load("short") == nil)
        clock.advance(by: .milliseconds(19_999))
        #expect(await store.load("middle") == Array("middle".utf8))
        clock.advance(by: .milliseconds(1))
        #expect(await store.load("middle") == nil)
        await store.delete("long")
        await store.delete("never there")
        #expect(await store.load("long") == nil)
    }
}

@Suite struct SignOutTests {
    @Test("a request that was in flight does not bring a session back that another has removed")
    func notUndone() async throws {
        let store = MemorySessionStore()
        let keys = try SigningKeys("0123456789abcdef0123456789abcdef")
        let (loaded, removed) = (AsyncStream.makeStream(of: Void.self), AsyncStream.makeStream(of: Void.self))
        var routes = Router()
        routes.get("/in") { request in
            try request.session.set("user", "ada")
            return "in"
        }
        routes.get("/slow") { request in
            let session = try request.session
            _ = session["user"]
            loaded.continuation.finish()
            for await _ in removed.stream {}
            session["seen"] = "1"
            return "slow"
        }
        routes.get("/out") { request in
            try request.session.removeAll()
            return "out"
        }
        routes.get("/who") { request in try request.session["user"] ?? "nobody" }
        let app = LambdaApp {
            Sessions(keys: keys, store: store)
            routes
        }
        func get(_ path: String, _ cookie: String? = nil) async -> Response {
            var request = Request(.get, path)
            request.headers[.cookie] = cookie
            return await app.respond(to: request)
        }
        let cookie = await get("/in").headers[.setCookie].map { String($0.prefix { $0 != ";" }) }
        #expect(await get("/who", cookie).text == "ada")
        async let slow = get("/slow", cookie)
        for await _ in loaded.stream {}
        #expect(await get("/out", cookie).text == "out")
        removed.continuation.finish()
        #expect(await slow.text == "slow")
        #expect(await get("/who", cookie).text == "nobody")
    }
}
