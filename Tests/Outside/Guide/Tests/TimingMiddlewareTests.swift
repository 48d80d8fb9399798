import SluiceTesting
import Testing

@testable import Guide

@Suite struct TimingMiddlewareTests {
    struct Broken: Error {}

    /// The handler takes 20 ms, each row 100 ms, and the third row is one too many.
    private func app(_ clock: TestClock) -> LambdaApp {
        var routes = Router()
        routes.get("/rows/{count}") { request in
            let count = try request.parameters.require("count", as: Int.self)
            clock.advance(by: .milliseconds(20))
            return Response.stream(contentType: "text/csv") { writer in
                for _ in 0..<count {
                    clock.advance(by: .milliseconds(100))
                    try await writer.write("row\n")
                }
                if count > 2 { throw Broken() }
            }
        }
        return LambdaApp {
            TimingMiddleware()
            routes
        }
    }

    @Test("the header has the handler's time, the record the body's and how it ended", arguments: [(2, false), (3, true)])
    func times(_ count: Int, _ isCut: Bool) async throws {
        let clock = TestClock()
        let client = try TestClient(app(clock), clock: clock)
        let response = try await client.get("/rows/\(count)")
        #expect(response.isCut == isCut)
        #expect(response.headers[.serverTiming] == "handler;dur=20")
        let records = client.records.filter { $0.label == "timing" }
        try #require(records.count == 1)
        #expect(records[0].metadata["route"] == "/rows/{count}")
        #expect(records[0].metadata["handlerMs"] == "20")
        #expect(records[0].metadata["bodyMs"] == "\(count * 100)")
        #expect(records[0].metadata["bytes"] == "\(count * 4)")
        #expect(records[0].metadata["isCut"] == "\(isCut)")
    }
}
