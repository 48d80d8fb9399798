import Sluice
import Testing

@testable import SluiceSessions

/// What sessions promise wherever their values live.
@Suite struct SessionsTests {
    @Test("what one request sets the next one reads, and nobody else", arguments: Kind.allCases)
    func remembers(_ kind: Kind) async throws {
        let world = try World(kind)
        let (ann, bob) = (Browser(world), Browser(world))
        #expect(await ann.get("/who").text == "nobody")
        #expect(await ann.get("/in/ann").text == "in")
        #expect(await bob.get("/in/bob").text == "in")
        #expect(await ann.get("/who").text == "ann")
        #expect(await bob.get("/who").text == "bob")
        #expect(await ann.get("/new").text == "known")
        #expect(await Browser(world).get("/new").text == "new")
    }

    @Test("a cookie is set when something has changed, and never otherwise", arguments: Kind.allCases)
    func unchanged(_ kind: Kind) async throws {
        let world = try World(kind)
        let browser = Browser(world)
        for path in ["/none", "/who", "/new", "/out", "/renew"] {
            #expect(await browser.get(path).headers[.setCookie] == nil, "\(path) with nothing to keep")
        }
        #expect(await browser.get("/in/ann").headers[values: .setCookie].count == 1)
        for path in ["/none", "/who", "/new", "/in/ann"] {
            let response = await browser.get(path)
            #expect(response.headers[.setCookie] == nil, "\(path)")
            #expect(response.headers[.cacheControl] == nil, "\(path)")
        }
        #expect(await browser.get("/in/bob").headers[values: .setCookie].count == 1)
        #expect(await browser.get("/renew").headers[values: .setCookie].count == 1)
    }

    @Test("a session lives for its time after it was set, to the millisecond", arguments: Kind.allCases)
    func expiry(_ kind: Kind) async throws {
        let world = try World(kind)
        let browser = Browser(world)
        _ = await browser.get("/in/ann")
        let cookie = browser.session
        world.clock.advance(by: .milliseconds(99_999))
        #expect(await browser.get("/who").text == "ann")
        browser.cookies["__Host-session"] = cookie
        world.clock.advance(by: .milliseconds(1))
        let late = await browser.get("/who")
        #expect(late.text == "nobody")
        #expect(late.status == .ok)
    }

    @Test("a session that is read while less than half of its time is left begins it again", arguments: Kind.allCases)
    func sliding(_ kind: Kind) async throws {
        let world = try World(kind)
        let browser = Browser(world)
        _ = await browser.get("/in/ann")
        world.clock.advance(by: .seconds(50))
        #expect(await browser.get("/who").headers[.setCookie] == nil)
        world.clock.advance(by: .milliseconds(1))
        #expect(await browser.get("/none").headers[.setCookie] == nil)
        let renewed = await browser.get("/who")
        #expect(renewed.text == "ann")
        #expect(renewed.headers[.setCookie]?.contains("; Max-Age=100;") == true)
        #expect(renewed.headers[.cacheControl] == "no-store")
        world.clock.advance(by: .milliseconds(99_999))
        #expect(await browser.get("/who").text == "ann")
    }

    @Test(
        "signing out removes the cookie with all of its attributes, and what is set afterwards is another session",
        arguments: Kind.allCases)
    func signOut(_ kind: Kind) async throws {
        let cookie = Sessions.Cookie(
            name: "sid", path: "/", domain: "example.com", sameSite: .strict, partitioned: true)
        let world = try World(kind, cookie: cookie) { routes in
            routes.get("/swap") { request -> String in
                let session = try request.session
                session.removeAll()
                session["notice"] = "signed out"
                return "swapped"
            }
        }
        let browser = Browser(world)
        _ = await browser.get("/in/ann")
        let response = await browser.get("/out")
        #expect(
            response.headers[values: .setCookie] == [
                """
                sid=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Domain=example.com; Path=/; Secure; HttpOnly; \
                SameSite=Strict; Partitioned
                """
            ])
        #expect(response.headers[.cacheControl] == "no-store")
        #expect(world.store.ids.isEmpty)
        #expect(await browser.get("/who").text == "nobody")
        _ = await browser.get("/in/ann")
        let ids = world.store.ids
        _ = await browser.get("/swap")
        #expect(await browser.get("/who").text == "nobody")
        #expect(await browser.get("/new").text == "known")
        #expect(world.store.ids.count == (kind == .memory ? 1 : 0))
        #expect(kind == .cookie || world.store.ids != ids)
    }

    @Test("a session from which the last value is removed goes", arguments: Kind.allCases)
    func emptied(_ kind: Kind) async throws {
        let world = try World(kind) { routes in
            routes.get("/remove") { request -> String in
                try request.session.remove("user")
                return "removed"
            }
        }
        let browser = Browser(world)
        _ = await browser.get("/in/ann")
        _ = await browser.get("/remove")
        #expect(browser.session == nil)
        #expect(world.store.ids.isEmpty)
    }

    @Test("what was set before the handler threw is kept, and the error is the response's", arguments: Kind.allCases)
    func thrown(_ kind: Kind) async throws {
        let world = try World(kind) { routes in
            routes.get("/boom") { request -> String in
                try request.session["user"] = "ann"
                throw Boom()
            }
        }
        let browser = Browser(world)
        let response = await browser.get("/boom")
        #expect(response.status == .internalServerError)
        #expect(response.error is Boom)
        #expect(await browser.get("/who").text == "ann")
    }

    @Test("tasks of a request write at once, and nothing is lost", arguments: Kind.allCases)
    func parallel(_ kind: Kind) async throws {
        let world = try World(kind) { routes in
            routes.get("/many") { request -> String in
                let session = try request.session
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<100 { group.addTask { session["\(number)"] = "\(number)" } }
                }
                return "written"
            }
            routes.get("/count") { request -> String in
                let session = try request.session
                let found = (0..<100).map(String.init).filter { session[$0] == $0 }
                return "\(found.count)"
            }
        }
        let browser = Browser(world)
        _ = await browser.get("/many")
        #expect(await browser.get("/count").text == "100")
    }

    @Test("each bit of a session's cookie counts: any other one is a new session, and no error", arguments: Kind.allCases)
    func flips(_ kind: Kind) async throws {
        let world = try World(kind)
        let browser = Browser(world)
        _ = await browser.get("/in/ann")
        let cookie = try #require(browser.session)
        for place in 0..<cookie.utf8.count {
            for bit in 0..<8 {
                browser.cookies["__Host-session"] = flipping(bit: bit, of: place, in: cookie)
                let response = await browser.get("/who")
                #expect(response.status == .ok)
                #expect(response.text == "nobody", "\(browser.session ?? "")")
            }
        }
        browser.cookies["__Host-session"] = cookie
        #expect(await browser.get("/who").text == "ann")
    }

    @Test("a bad cookie in front of the good one does not hide it", arguments: Kind.allCases)
    func doubled(_ kind: Kind) async throws {
        let world = try World(kind)
        let browser = Browser(world)
        _ = await browser.get("/in/ann")
        let cookie = try #require(browser.session)
        browser.cookies["__Host-session"] = "planted; __Host-session=\(cookie)"
        #expect(await browser.get("/who").text == "ann")
        browser.cookies["__Host-session"] = String(repeating: "x", count: 100_000)
        #expect(await browser.get("/who").text == "nobody")
    }

    @Test("a session outlives a change of the secret, while the old one is in the list", arguments: Kind.allCases)
    func rotation(_ kind: Kind) async throws {
        let clock = TestClock()
        let store = MemorySessionStore { clock.now }
        let before = try World(kind, store: store, secrets: [formerSecret])
        let browser = Browser(before)
        _ = await browser.get("/in/ann")
        for (secrets, user) in [([secret, formerSecret], "ann"), ([secret], "nobody")] {
            let after = Browser(try World(kind, store: store, secrets: secrets))
            after.cookies = browser.cookies
            #expect(await after.get("/who").text == user)
        }
    }

    @Test("a signature is good for one kind of session alone, and for no cookie of the app's", arguments: Kind.allCases)
    func purposes(_ kind: Kind) async throws {
        let world = try World(kind)
        let browser = Browser(world)
        _ = await browser.get("/in/ann")
        let value = world.store.ids.first ?? #"{"user":"ann"}"#
        for purpose: CookieSeal.Purpose in [.cookie, .sessionValues, .sessionID] {
            let seal = CookieSeal(keys: try SigningKeys(secret), purpose: purpose, name: "__Host-session")
            let expires = world.clock.now.advanced(by: .seconds(60))
            browser.cookies["__Host-session"] = seal.seal(Array(value.utf8), expires: expires)
            let isOurs = purpose == (kind == .cookie ? .sessionValues : .sessionID)
            #expect(await browser.get("/who").text == (isOurs ? "ann" : "nobody"), "\(purpose)")
        }
    }

    @Test("a signature without an end is no session's", arguments: Kind.allCases)
    func endless(_ kind: Kind) async throws {
        let world = try World(kind)
        let browser = Browser(world)
        _ = await browser.get("/in/ann")
        let value = world.store.ids.first ?? #"{"user":"ann"}"#
        let purpose = kind == .cookie ? CookieSeal.Purpose.sessionValues : .sessionID
        let seal = CookieSeal(keys: try SigningKeys(secret), purpose: purpose, name: "__Host-session")
        browser.cookies["__Host-session"] = seal.seal(Array(value.utf8), expires: nil)
        #expect(await browser.get("/who").text == "nobody")
    }
}
