import SluiceTesting
import Testing

@testable import Shop

@Suite struct ShopTests {
    @Test func `a guest is greeted by name`() async throws {
        let client = try TestClient(makeApp())
        #expect(try await client.get("/hello/Ada").text == "Hello, Ada!")
    }

    @Test func `an order of nothing is refused, and no failure`() async throws {
        let client = try TestClient(makeApp())
        let response = try await client.post("/orders", body: #"{"item":"tea","quantity":0}"#)
        #expect(response.status == .unprocessableContent)
        #expect(client.reports.isEmpty)
    }

    @Test(
        "the squares are the same in each mode",
        arguments: [TestClient.Transport.pipeline, .functionURL(.buffered), .functionURL(.responseStream)])
    func squares(_ way: TestClient.Transport) async throws {
        let response = try await TestClient(makeApp(), through: way).get("/squares")
        #expect(response.text.hasSuffix("\n100,10000\n"))
    }
}
