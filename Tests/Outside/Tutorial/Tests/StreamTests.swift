import SluiceTesting
import Testing

@testable import Shop

@Suite struct StreamTests {
    static let ways: [TestClient.Transport] = [.pipeline, .functionURL(.buffered), .functionURL(.responseStream)]

    @Test("the menu is the same bytes in each mode", arguments: ways)
    func menu(_ way: TestClient.Transport) async throws {
        let response = try await TestClient(makeApp(), through: way).get("/menu.csv")
        #expect(response.headers[.contentType] == "text/csv")
        #expect(response.text == "id,name,price\nassam,Assam,4\nsencha,Sencha,6\n")
    }

    @Test("each minute leaves when it is over")
    func brewing() async throws {
        let stream = try await TestClient(makeApp()).stream(Request(.get, "/brew/assam"))
        #expect(stream.headers[.contentType] == "text/event-stream")
        var chunks = stream.makeAsyncIterator()
        #expect(await chunks.next() == Array("event: brewing\ndata: Assam, minute 1\n\n".utf8))
        stream.cancel()  // a client that goes away
    }
}
