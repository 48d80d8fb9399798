import Foundation
import Sluice
import Testing

@testable import SluiceSessions

@Suite struct SessionTests {
    struct Cart: Codable, Equatable {
        var items: [String: Int]
        var since: Date
    }

    @Test("texts and values are set, read, replaced and removed")
    func values() throws {
        let session = Session(["user": "ann"])
        #expect(session.isNew)
        #expect(session["user"] == "ann")
        #expect(session["other"] == nil)
        #expect(try session.get("other", as: Int.self) == nil)
        session["user"] = "b\"e\\n\n\u{1}🫖"
        #expect(session["user"] == "b\"e\\n\n\u{1}🫖")
        let cart = Cart(items: ["tea": 2, "cups": 0], since: Date(timeIntervalSince1970: 0.123456789))
        try session.set("cart", cart)
        #expect(try session.get("cart", as: Cart.self) == cart)
        let inferred: Cart? = try session.get("cart")
        #expect(inferred == cart)
        try session.set("count", 7)
        #expect(try session.get("count", as: Int.self) == 7)
        session.remove("count")
        #expect(try session.get("count", as: Int.self) == nil)
        session["user"] = nil
        #expect(session["user"] == nil)
        session.removeAll()
        #expect(try session.get("cart", as: Cart.self) == nil)
    }

    @Test("a text is a value too, and a value that is no text is nil as one")
    func texts() throws {
        let session = Session()
        session["name"] = "ann"
        #expect(try session.get("name", as: String.self) == "ann")
        try session.set("name", "bob")
        #expect(session["name"] == "bob")
        try session.set("count", 7)
        #expect(session["count"] == nil)
        #expect(throws: DecodingError.self) { try session.get("name", as: Int.self) }
    }

    @Test("what cannot be encoded leaves the session as it was")
    func unencodable() throws {
        let session = Session()
        try session.set("number", 1.5)
        #expect(throws: EncodingError.self) { try session.set("number", Double.nan) }
        #expect(try session.get("number", as: Double.self) == 1.5)
    }

    @Test("a handler is tested alone with a session of its own")
    func alone() throws {
        @Sendable func greet(_ request: Request) throws -> String { "hello \(try request.session["user"] ?? "stranger")" }
        var request = Request(.get, "/")
        request.setSession(Session(["user": "ann"]))
        #expect(try greet(request) == "hello ann")
        request.setSession(Session())
        #expect(try greet(request) == "hello stranger")
    }

    @Test("without the middleware the error says what is missing, and where it goes")
    func notInstalled() async {
        let error = #expect(throws: SessionError.self) { try Request(.get, "/").session }
        #expect(error?.code == .notInstalled)
        #expect(error?.description.contains("Sessions(keys: …)") == true)
        var routes = Router()
        routes.get("/") { request -> String in try request.session["user"] ?? "nobody" }
        let all = routes
        let response = await LambdaApp { all }.respond(to: Request(.get, "/"))
        #expect(response.status == .internalServerError)
        #expect((response.error as? SessionError)?.code == .notInstalled)
        #expect(!response.text.contains("Sessions"))
    }

    @Test("ids have 192 bits, in characters of base64url, and none comes twice")
    func ids() {
        let ids = (0..<1000).map { _ in SessionID.make() }
        #expect(Set(ids).count == 1000)
        for id in ids { #expect(Base64URL.decode(id.utf8)?.count == 24) }
        // Each of the bits is both 0 and 1 in some of them; the chance that this fails is 192 in 2 to the power of 999.
        let bytes = ids.compactMap { Base64URL.decode($0.utf8) }
        for place in 0..<24 {
            #expect(bytes.reduce(UInt8.min) { $0 | $1[place] } == 0xFF)
            #expect(bytes.reduce(UInt8.max) { $0 & $1[place] } == 0)
        }
    }
}
