import SluiceTesting
import Testing

@testable import Shop

@Suite struct MiddlewareTests {
    private let order: Body = #"{"tea":"assam","cups":2}"#

    @Test("who has a card pays less, and what they read is for them alone")
    func discount() async throws {
        let client = try TestClient(makeApp())
        let response = try await client.post("/orders", headers: [.card: "4711"], body: order)
        #expect(try response.decode(Receipt.self).total == 6)
        #expect(response.headers[.cacheControl] == "private")
        let stranger = try await client.post("/orders", body: order)
        #expect(try stranger.decode(Receipt.self).total == 8)
    }

    @Test("a card of somebody else is refused, and the client does not read what it said")
    func forged() async throws {
        let client = try TestClient(makeApp())
        let response = try await client.post("/orders", headers: [.card: "0815"], body: order)
        #expect(response.status == .forbidden)
        #expect(!response.text.contains("0815"))
        #expect(response.headers[.card] == nil && client.reports.isEmpty)
    }
}
