import SluiceTesting
import Testing

@testable import Shop

@Suite struct ReportTests {
    @Test("what the cellar has not is a 500 that tells nothing, and one report")
    func outOfStock() async throws {
        let client = try TestClient(makeApp())
        let response = try await client.post("/orders", body: #"{"tea":"assam","cups":101}"#)
        #expect(response.status == .internalServerError)
        #expect(!response.text.contains("assam"))
        try #require(client.reports.count == 1)
        #expect((client.reports[0].error as? OutOfStock)?.cups == 101)
        #expect(client.reports[0].outcome == .handlerError)
    }
}
