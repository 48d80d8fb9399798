import Foundation
import Testing

@testable import SluiceCore
@testable import SluiceMiddleware

@Suite struct RequestTests {
    @Test("a target's path and query, decoded on demand")
    func target() {
        let request = Request(.get, "/a%20b?q=x+y%2B&q=2&empty=&flag&%C3%A4=%zz")
        #expect(request.path == "/a b")
        #expect(request.rawPath == "/a%20b")
        #expect(request.query["q"] == "x y+")
        #expect(request.query.all("q") == ["x y+", "2"])
        #expect(request.query["empty"] == "")
        #expect(request.query["flag"] == "")
        #expect(request.query["ä"] == "%zz")
        #expect(request.query["none"] == nil)
        #expect(Request(.get, "x").rawPath == "/x")
        #expect(Request(.get, "").rawPath == "/")
    }

    @Test("parameters and query fields convert, or are a 400 that names them")
    func conversion() async {
        var routes = Router()
        routes.get("/n/{id}") { request in "\(try request.parameters.require("id", as: Int.self) + 1)" }
        routes.get("/q") { request in "\(try request.query.require("n", as: Int.self))" }
        routes.get("/wrong") { request in try request.parameters.require("nope") }
        let pipeline = CompletePipeline.of(routes)
        #expect(await respond(pipeline, Request(.get, "/n/41")).text == "42")
        let bad = await respond(pipeline, Request(.get, "/n/x"))
        #expect(bad.status == .badRequest && bad.text.contains("'id' is not a valid Int"))
        #expect(await respond(pipeline, Request(.get, "/q?n=x")).text.contains("'n' is not a valid Int"))
        #expect(await respond(pipeline, Request(.get, "/q")).text.contains("'n' is missing"))
        #expect(await respond(pipeline, Request(.get, "/wrong")).status == .internalServerError)
    }

    struct Order: Codable {
        struct Item: Codable {
            let price: Int
        }
        let name: String
        let items: [Item]
    }

    @Test(
        "a bad body is a 400 that names the field",
        arguments: [
            ("{\"name\":\"x\",\"items\":[{\"price\":1},{}]}", "'items.1.price' is missing"),
            ("{\"name\":\"x\",\"items\":[{\"price\":\"1\"}]}", "'items.0.price' is not of type Int"),
            ("{\"name\":null,\"items\":[]}", "'name' is null"), ("{", "not valid JSON"), ("", "the body is empty"),
            ("[]", "'(the whole body)' is not of type"),
        ])
    func decode(_ body: String, says: String) async {
        var routes = Router()
        routes.post("/") { request in try request.decode(Order.self).name }
        let response = await respond(CompletePipeline.of(routes), Request(.post, "/", body: .text(body)))
        #expect(response.status == .badRequest)
        #expect(response.text.contains(says), "\(response.text)")
    }

    struct Loose: Decodable { let id: Int }

    @Test(
        "names of combining marks are a 400, in any depth and spelling, in a time that grows with the body",
        .timeLimit(.minutes(1)))
    func marks() throws {
        let marks = String(repeating: "\u{301}\u{316}", count: 100_000)
        let escaped = String(repeating: #"\u0301\u0316"#, count: 20)
        let beyond = String(repeating: #"\ud834\udd65"#, count: 31)
        let bodies = [
            "{\"id\":1,\"\(marks)\":2,\"x\(marks)\":3}", "{\"id\":1,\"a\":[{\"\(escaped)\" : 2}]}",
            "{\"id\":1,\"\(beyond)\":2}",
            "{\"id\":1,\"\\n\\\"\(escaped)\"\n:2}",
        ]
        for body in bodies {
            let error = #expect(throws: HTTPError.self) { try Request(.post, "/", body: .text(body)).decode(Loose.self) }
            #expect(error?.status == .badRequest)
            #expect(error?.message.contains("combining marks") == true)
        }
        // In values they do no harm, and fewer of them are somebody's language.
        let fine = [
            "{\"id\":1,\"a\":\"\(escaped)\"}", "{\"id\":1,\"\(String(repeating: "e\u{301}\u{316}", count: 100))\":2}",
        ]
        for body in fine {
            #expect(throws: Never.self) { try Request(.post, "/", body: .text(body)).decode(Loose.self) }
        }
        for encoding in [String.Encoding.utf16LittleEndian, .utf16BigEndian, .utf16, .utf32LittleEndian] {
            let bytes = [UInt8](try #require("{\"id\":1}".data(using: encoding)))
            let error = #expect(throws: HTTPError.self) { try Request(.post, "/", body: .bytes(bytes)).decode(Loose.self) }
            #expect(error?.message == "the body is not UTF-8")
        }
        #expect(JSONNames.problem(in: Array("{\"\(String(repeating: "\u{301}", count: 31))\":1}".utf8)) != nil)
        #expect(JSONNames.problem(in: Array("{\"\(String(repeating: "\u{301}", count: 30))\":1}".utf8)) == nil)
        for broken in ["\"", "{\"é\\", "\"\\u03", "{\"é\"", "\\"] { #expect(JSONNames.problem(in: Array(broken.utf8)) == nil) }
    }

    @Test("cookies are split at semicolons, values verbatim")
    func cookies() {
        let request = Request(.get, "/", headers: [.cookie: "a=1; b=\"x y\";c==;  d ; =e; a=2"])
        #expect(request.cookies["a"] == "1")
        #expect(request.cookies["b"] == "\"x y\"")
        #expect(request.cookies["c"] == "=")
        #expect(request.cookies["d"] == nil)
        #expect(request.cookies.all.map(\.name) == ["a", "b", "c", "a"])
    }

    @Test("bodies: literals, bytes, and streams that have no bytes until collected")
    func bodies() {
        #expect(Request(.post, "/", body: "x").body.bytes == [0x78])
        #expect(Body.bytes([1, 2]).bytes == [1, 2])
        #expect(Body.empty.bytes == [])
        #expect(Body.stream { _ in }.bytes == nil)
        #expect(Body.stream { _ in }.isStream)
        #expect(Request(.get, "/").id.count == 32)
    }
}
