import Foundation
import Testing

@testable import SluiceCore
@testable import SluiceMiddleware

/// What an attacker has found.
@Suite struct HostileFieldsTests {
    private func form(_ body: String) throws -> Form {
        try Request(.post, "/", headers: [.contentType: "application/x-www-form-urlencoded"], body: .text(body)).form()
    }

    /// Comparing or hashing these sorts them, which takes the square of their number: minutes, for as many.
    private static let marks = String(repeating: "\u{301}\u{323}", count: 400_000)

    @Test("a value of combining marks is no Bool, and takes no time to say so", .timeLimit(.minutes(1)))
    func marksAsBool() throws {
        #expect(throws: HTTPError.self) { try form("a=1\(Self.marks)").get("a", as: Bool.self) }
        struct Ticked: Decodable { let a: Bool }
        #expect(throws: HTTPError.self) { try form("a=1\(Self.marks)").decode(Ticked.self) }
    }

    @Test("a name of combining marks is refused where names are hashed", .timeLimit(.minutes(1)))
    func marksAsName() throws {
        let error = #expect(throws: HTTPError.self) { try form("a\(Self.marks)=1").decode([String: String].self) }
        #expect(error?.status == .badRequest)
        #expect(try form("e\u{301}=1&b=2").decode([String: String].self) == ["e\u{301}": "1", "b": "2"])
    }

    @Test("1000 fields are read as a value, 1001 are refused; each name is looked up once", .timeLimit(.minutes(1)))
    func manyFields() throws {
        func query(_ count: Int) -> Query { Request(.get, "/?" + (0..<count).map { "k\($0)=1" }.joined(separator: "&")).query }
        #expect(try query(1000).decode([String: Int].self).count == 1000)
        let error = #expect(throws: HTTPError.self) { try query(1001).decode([String: Int].self) }
        #expect(error?.status == .badRequest)
    }

    struct Wide: Decodable, Equatable {
        let link: URL?
        let price: Decimal?
        let letter: Double?
    }

    @Test("URLs and decimals are read as Foundation's own decoders read them")
    func foundation() throws {
        let read = try Request(.get, "/?link=https%3A%2F%2Fa.example%2F&price=1.25").query.decode(Wide.self)
        #expect(read == Wide(link: URL(string: "https://a.example/"), price: Decimal(string: "1.25"), letter: nil))
        for target in ["/?price=x", "/?letter=nan", "/?letter=inf", "/?letter=1e999"] {
            #expect(throws: HTTPError.self, "\(target)") { try Request(.get, target).query.decode(Wide.self) }
        }
    }

    @Test("what is no single character is a 400, and not the end of the process")
    func character() throws {
        for text in ["", "ab", "a" + Self.marks.prefix(100)] {
            #expect(throws: HTTPError.self, "\(text.utf8.count)") {
                try form("c=\(text)").require("c", as: Character.self)
            }
        }
        #expect(try form("c=%C3%A9").require("c", as: Character.self) == "é")
    }

    @Test("a body that a middleware has made a stream of is our mistake, and is limited all the same")
    func streamed() async {
        struct Streaming: Middleware {
            func handle(_ request: Request, next: Next) async throws -> Response {
                var request = request
                let bytes = request.body
                request.body = .stream { writer in try await writer.write(bytes.collect()) }
                return await next(request)
            }
        }
        var routes = Router()
        routes.post("/") { request in try request.decode([Int].self).map { "\($0)" }.joined() }
        let plain = await respond(Request(.post, "/", body: "[1,2]")) {
            Streaming()
            routes
        }
        #expect(plain.status == .internalServerError)
        #expect("\(plain.error.map { "\($0)" } ?? "")".contains("collect()"))
        for (limit, status) in [(5, 200), (4, 413)] {
            let limited = await respond(Request(.post, "/", body: "[1,2]")) {
                Streaming()
                BodyLimit(bytes: limit)
                routes
            }
            #expect(limited.status.code == status)
        }
    }

    struct Breaking: BodyTransform {
        var count = 0
        mutating func transform(_ chunk: [UInt8]) throws -> [UInt8] {
            count += 1
            if count == 2 { throw Boom() }
            return chunk
        }
    }

    @Test("what a transform throws is the body's error, whatever the body makes of it")
    func transformError() async {
        var response = Response.stream(contentType: "a/b") { writer in
            for part in ["a", "b", "c"] { try? await writer.write(part) }
        }
        response.transformBody { Breaking() }
        await #expect(throws: Boom.self) { try await response.writeBody(to: BodyWriter(CollectingSink(limit: .max))) }
    }

    @Test("moments before 1970 are written as what they are")
    func before1970() {
        for (milliseconds, text) in [
            (-1, "1969-12-31T23:59:59.999Z"), (-86_400_000, "1969-12-31T00:00:00.000Z"), (0, "1970-01-01T00:00:00.000Z"),
            (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
        ] as [(Int64, String)] {
            #expect(Timestamp.text(.init(millisecondsSinceEpoch: milliseconds)) == text)
        }
    }

    @Test("durations at their ends stop nothing")
    func durations() async {
        for limit in [Duration.zero, .seconds(-5), .seconds(Int64.max)] {
            var routes = Router()
            routes.get("/") { _ in "x" }
            let response = await respond(Request(.get, "/")) {
                Timeout(after: limit)
                routes
            }
            #expect([200, 504].contains(response.status.code))
        }
        let events = Response.events(heartbeat: .seconds(Int64.max)) { events in try await events.send("x") }
        #expect((try? await events.body.collect()).map { String(decoding: $0, as: UTF8.self) } == "data: x\n\n")
    }
}
