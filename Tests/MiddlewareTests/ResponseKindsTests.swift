import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceMiddleware
@testable import SluiceStreaming

@Suite struct ResponseKindsTests {
    struct Row: Codable { let b: Int, a: String }

    private func text(_ make: @escaping @Sendable (Request) throws -> Response) async -> (Response, String) {
        var routes = Router()
        routes.get("/") { request in try make(request) }
        let response = await respond(CompletePipeline.of(routes), Request(.get, "/"))
        return (response, response.text)
    }

    private static func feed<Value: Sendable>(_ values: [Value], throwing error: (any Error)? = nil) -> AsyncThrowingStream<
        Value, any Error
    > {
        AsyncThrowingStream { feed in
            for value in values { feed.yield(value) }
            feed.finish(throwing: error)
        }
    }

    @Test("JSON has its keys sorted")
    func sorted() async throws {
        #expect(try Response.json(Row(b: 1, a: "/")).text == #"{"a":"/","b":1}"#)
        #expect(try Response.json(["z": 1, "m": 2, "a": 3]).text == #"{"a":3,"m":2,"z":1}"#)
    }

    @Test("pages and bytes")
    func plain() {
        #expect(Response.html("<p>ä").headers[.contentType] == "text/html; charset=utf-8")
        let file = Response.data([1, 2], contentType: "image/png", filename: "a \"b\" ä%.png")
        #expect(file.body.plainBytes == [1, 2])
        #expect(
            file.headers[.contentDisposition]
                == #"attachment; filename="a _b_ __.png"; filename*=UTF-8''a%20%22b%22%20%C3%A4%25.png"#)
        #expect(Response.data(Data([3])).headers[.contentType] == "application/octet-stream")
        #expect(Response.data([], filename: "x.csv").headers[.contentDisposition] == #"attachment; filename="x.csv""#)
    }

    @Test("what is put into a page is escaped, unless it is markup already")
    func html() async throws {
        let name = "<script>\"&'\u{301}"
        let inner: HTML = "<i>\(name)</i>"
        let escaped = "&lt;script&gt;&quot;&amp;&#39;\u{301}"
        #expect(Response.html("<p>\(name) \(7)</p>").text == "<p>\(escaped) 7</p>")
        #expect(
            Response.html("<p>\(inner)\([inner, inner])\(raw: "<br>")</p>").text
                == "<p>" + String(repeating: "<i>\(escaped)</i>", count: 3) + "<br></p>")
        let text = "<b>as it is</b>"
        #expect(Response.html(text).text == text)
        let none: HTML? = nil
        #expect(HTML("a\(none)b").text == "ab")
        var routes = Router()
        routes.get("/") { _ in HTML("<p>\(name)</p>") }
        let response = await respond(CompletePipeline.of(routes), Request(.get, "/"))
        #expect(response.headers[.contentType] == "text/html; charset=utf-8" && response.text == "<p>\(escaped)</p>")
        var saved = Response.csv([["a"]])
        saved.setAttachment("x.csv")
        #expect(saved.headers[.contentDisposition] == #"attachment; filename="x.csv""#)
        #expect(throws: HTTPError.self) { try Request(.get, "/").require(Tenant.self) }
    }

    enum Tenant: RequestKey { typealias Value = String }

    @Test("any asynchronous sequence is a body")
    func sequences() async {
        #expect(await text { _ in .stream(contentType: "a/b", Self.feed(["a", "b"])) }.1 == "ab")
        #expect(await text { _ in .stream(contentType: "a/b", Self.feed([[UInt8(97)], [98]])) }.1 == "ab")
        #expect(await text { _ in .stream(contentType: "a/b", Self.feed([Data([97])])) }.1 == "a")
        let (response, _) = await text { _ in .stream(contentType: "a/b", Self.feed([] as [String], throwing: Boom())) }
        #expect(response.status == .internalServerError && response.error is Boom)
    }

    @Test("NDJSON: a line for each value")
    func ndjson() async {
        let (response, body) = await text { request in
            .ndjson(Self.feed([Row(b: 1, a: "x\n"), Row(b: 2, a: "y")]), for: request)
        }
        #expect(response.headers[.contentType] == "application/x-ndjson")
        #expect(body == "{\"a\":\"x\\n\",\"b\":1}\n{\"a\":\"y\",\"b\":2}\n")
    }

    @Test("CSV: RFC 4180, section 2")
    func csv() async {
        let rows = [["1", "a,b"], ["", "say \"hi\""], ["two\r\nlines", "ä"], []]
        let expected = "n,text\r\n1,\"a,b\"\r\n,\"say \"\"hi\"\"\"\r\n\"two\r\nlines\",ä\r\n\r\n"
        let (response, body) = await text { _ in .csv(header: ["n", "text"], Self.feed(rows)) }
        #expect(response.headers[.contentType] == "text/csv; charset=utf-8; header=present")
        #expect(body == expected)
        #expect(Response.csv(header: ["n", "text"], rows).text == expected)
        #expect(Response.csv([[""], ["a"]]).text == "\"\"\r\na\r\n")
        #expect(Response.csv([[""]]).headers[.contentType] == "text/csv; charset=utf-8")
    }

    @Test("a heartbeat fills the silence, and stops with the body")
    func heartbeat() async throws {
        let seen = Collected<String>()
        let second = Gate()
        let sink = ChunkSink { chunk in
            seen.add(String(decoding: chunk, as: UTF8.self))
            if seen.values.filter({ $0 == ":\n\n" }).count == 2 { second.open() }
        }
        let response = Response.events(heartbeat: .milliseconds(100)) { events in
            try await events.send("first")
            await second.wait()
            try await events.send("last")
        }
        try await response.writeBody(to: BodyWriter(sink))
        #expect(seen.values.first == "data: first\n\n" && seen.values.last == "data: last\n\n")
        #expect(seen.values.dropFirst().dropLast().allSatisfy { $0 == ":\n\n" })
    }

    @Test("the body of a heartbeat keeps its own error, and its own task")
    func heartbeatError() async {
        let (response, _) = await text { _ in .events(heartbeat: .seconds(60)) { _ in throw Boom() } }
        #expect(response.error is Boom)
    }
}
