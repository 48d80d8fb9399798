import SluiceTesting
import Testing

@testable import Shop

@Suite struct RouteTests {
    @Test("a tea of the menu is JSON; another is a 404, which is no failure")
    func tea() async throws {
        let client = try TestClient(makeApp())
        let response = try await client.get("/teas/sencha")
        #expect(response.status == .ok)
        #expect(try response.decode(Tea.self).price == 6)
        #expect(try await client.get("/teas/coffee").status == .notFound)
        #expect(client.reports.isEmpty)
    }

    @Test("an order has a receipt; one without its tea is told which field is missing")
    func order() async throws {
        let client = try TestClient(makeApp())
        let response = try await client.post("/orders", body: #"{"tea":"assam","cups":2}"#)
        #expect(response.status == .created)
        #expect(try response.decode(Receipt.self).total == 8)
        let refused = try await client.post("/orders", body: #"{"cups":2}"#)
        #expect(refused.status == .badRequest)
        #expect(refused.text.contains("tea"))
    }
}
