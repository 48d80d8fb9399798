import SluiceTesting
import Testing

@testable import Guide

@Suite struct LineNumbersTests {
    struct Broken: Error {}
    static let ways: [TestClient.Transport] = [.pipeline, .functionURL(.buffered), .functionURL(.responseStream)]

    private func client(_ way: TestClient.Transport = .pipeline) throws -> TestClient {
        var routes = Router()
        routes.get("/bytes") { _ in "a\n\nb" }
        routes.get("/page") { _ in Response.html("a\nb") }
        routes.get("/stream") { request in
            let fails = request.query["fails"] != nil
            return Response.stream(contentType: "text/plain; charset=utf-8") { writer in
                for part in ["a", "\n\n", "b"] { try await writer.write(part) }
                if fails { throw Broken() }
            }
        }
        let app = LambdaApp {
            LineNumbers()
            routes
        }
        return try TestClient(app, through: way)
    }

    @Test("bytes and streams have the same numbers, in each mode; other types have none", arguments: ways)
    func numbers(_ way: TestClient.Transport) async throws {
        let client = try client(way)
        for path in ["/bytes", "/stream"] { #expect(try await client.get(path).text == "1\ta\n2\t\n3\tb\n") }
        #expect(try await client.get("/page").text == "a\nb")
    }

    @Test("each chunk leaves when it is written; a body that fails gets no end")
    func chunks() async throws {
        #expect(try await client().get("/stream").chunks.texts == ["1\ta", "\n2\t\n", "3\tb", "\n"])
        let cut = try await client().get("/stream?fails")
        #expect(cut.isCut && cut.text == "1\ta\n2\t\n3\tb")
    }
}
