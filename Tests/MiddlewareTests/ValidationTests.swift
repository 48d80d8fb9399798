import Foundation
import Testing

@testable import SluiceMiddleware

@Suite struct ValidationTests {
    struct Item: Codable, Validatable {
        var price: Int
        func validate(_ checks: inout Validation) { checks.require(price >= 0, "price", "must not be negative") }
    }

    struct Order: Codable, Validatable {
        var name: String
        var items: [Item]
        var gift: Item?
        func validate(_ checks: inout Validation) {
            checks.require(!name.isEmpty, "name", "must not be empty")
            checks.require(!name.contains("/"), "a/b~c", "must have no slash")
            checks.each("items", items)
            checks.nested("gift", gift)
            if name == "whole" { checks.fail("is not an order") }
        }
    }

    private func post(_ body: String) async -> Response {
        var routes = Router()
        routes.post("/") { request in try request.decode(Order.self).name }
        routes.post("/list") { request in "\(try request.decode([Item].self).count)" }
        routes.get("/q") { request in "\(try request.query.decode(Item.self).price)" }
        routes.get("/own") { _ -> String in throw ValidationError("email", "is taken") }
        let parts = body.split(separator: " ", maxSplits: 1)
        if parts[0].hasPrefix("/") {
            let method: HTTPRequest.Method = parts.count == 1 ? .get : .post
            return await respond(
                CompletePipeline.of(routes),
                Request(method, String(parts[0]), body: .text(parts.count == 1 ? "" : String(parts[1]))))
        }
        return await respond(CompletePipeline.of(routes), Request(.post, "/", body: .text(body)))
    }

    private func errors(_ response: Response) throws -> [String] {
        let object = try #require(try JSONSerialization.jsonObject(with: Data(response.body.plainBytes)) as? [String: Any])
        #expect(object["status"] as? Int == 422)
        return try #require(object["errors"] as? [[String: String]]).map { "\($0["pointer"] ?? "") \($0["detail"] ?? "")" }
    }

    @Test("all that is wrong is one 422 with a pointer for each")
    func all() async throws {
        let response = await post(#"{"name":"/","items":[{"price":1},{"price":-1}],"gift":{"price":-2}}"#)
        #expect(response.status == .unprocessableContent)
        #expect(response.headers[.contentType] == "application/problem+json")
        #expect(
            try errors(response) == [
                "#/a~1b~0c must have no slash", "#/items/1/price must not be negative", "#/gift/price must not be negative",
            ])
        #expect(response.error is ValidationError)
    }

    @Test("what is right passes; lists, queries, and errors of one's own are asked too")
    func others() async throws {
        #expect(await post(#"{"name":"x","items":[]}"#).text == "x")
        #expect(try await errors(post(#"{"name":"whole","items":[]}"#)) == ["# is not an order"])
        #expect(try await errors(post(#"/list [{"price":0},{"price":-1}]"#)) == ["#/1/price must not be negative"])
        #expect(try await errors(post("/q?price=-4")) == ["#/price must not be negative"])
        #expect(try await errors(post("/own")) == ["#/email is taken"])
    }

    @Test("a thousand failures are a hundred")
    func limit() async throws {
        let items = (0..<1000).map { _ in #"{"price":-1}"# }.joined(separator: ",")
        #expect(try await errors(post("/list [\(items)]")).count == 100)
    }

    @Test("a value can be asked by hand")
    func byHand() throws {
        #expect(throws: ValidationError.self) { try Item(price: -1).validated() }
        #expect(try Item(price: 1).validated().price == 1)
    }
}
