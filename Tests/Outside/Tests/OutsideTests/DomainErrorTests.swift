import Foundation
import Sluice
import Testing

private enum ShopError: Error, HTTPErrorConvertible {
    case soldOut(String)
    case broken

    var httpError: HTTPError {
        switch self {
        case .soldOut(let item): HTTPError(.conflict, "\(item) is sold out", detail: "shelf 7")
        case .broken: HTTPError(.serviceUnavailable, "come back tomorrow")
        }
    }
}

@MainActor private final class Till {
    var count = 0
    func next() -> Int {
        count += 1
        return count
    }
}

@Suite struct DomainErrorTests {
    private func app() async -> LambdaApp {
        let till = await Till()
        var orders = Router()
        orders.get("/{id}") { request in "\(request.route ?? "none") \(try request.parameters.require("id"))" }
        orders.get("/till") { _ in "\(await till.next())" }
        orders.fallback { request in Response.text("no order at \(request.path)", status: .notFound) }
        var routes = Router()
        routes.get("/thrown") { _ -> String in throw ShopError.soldOut("tea") }
        routes.get("/stream") { _ in Response.stream(contentType: "text/csv") { _ in throw ShopError.broken } }
        routes.get("/handled") { _ in Response.stream(contentType: "text/csv") { _ in throw ShopError.soldOut("cups") } }
        routes.get("/when") { _ in Date(timeIntervalSince1970: 0) }
        routes.post("/when") { request in "\(try request.decode([String: Date].self)["at"]?.timeIntervalSince1970 ?? -1)" }
        routes.mount("/orders", orders)
        struct Handles: Middleware {
            func handle(_ request: Request, next: Next) async throws -> Response {
                var response = await next(request)
                response.recover { error in
                    guard case ShopError.soldOut("cups") = error else { return nil }
                    return .text("take a glass")
                }
                return response
            }
        }
        let coders = JSONCoders(
            encoder: {
                let encoder = JSONEncoder()
                encoder.dateEncodingStrategy = .secondsSince1970
                return encoder
            },
            decoder: {
                let decoder = JSONDecoder()
                decoder.dateDecodingStrategy = .secondsSince1970
                return decoder
            })
        return LambdaApp(
            errorResponse: { error, request in .text("\(error.status.code): \(error.message)", status: error.status) },
            json: coders
        ) {
            RequestID()
            Handles()
            routes
        }
    }

    @Test("a domain error has its status and its words, thrown by a handler or by a stream before its first byte")
    func mapped() async {
        let app = await app()
        let thrown = await app.respond(to: Request(.get, "/thrown"))
        #expect(thrown.status == .conflict)
        #expect(thrown.text == "409: tea is sold out")
        #expect(thrown.error is ShopError)
        let stream = await app.respond(to: Request(.get, "/stream"))
        #expect(stream.status == .serviceUnavailable)
        #expect(stream.text == "503: come back tomorrow")
        #expect(stream.headers[HTTPField.Name("x-request-id")!] != nil)
    }

    @Test("a middleware that recovers from errors does so for streams too, and what others put on the response stays")
    func recovered() async {
        let response = await app().respond(to: Request(.get, "/handled"))
        #expect(response.status == .ok)
        #expect(response.text == "take a glass")
        #expect(response.error == nil)
        #expect(response.headers[HTTPField.Name("x-request-id")!] != nil)
        #expect(response.headers[.contentType] == "text/plain; charset=utf-8")
    }

    @Test("a router is mounted with its fallback, and knows its routes by their whole pattern")
    func mounted() async {
        let app = await app()
        #expect(await app.respond(to: Request(.get, "/orders/7")).text == "/orders/{id} 7")
        #expect(await app.respond(to: Request(.get, "/orders/till")).text == "1")
        let none = await app.respond(to: Request(.get, "/orders/7/x"))
        #expect(none.status == .notFound)
        #expect(none.text == "no order at /orders/7/x")
        #expect(await app.respond(to: Request(.post, "/orders/7")).status == .methodNotAllowed)
        #expect(await app.respond(to: Request(.get, "/elsewhere")).text == "404: Not Found")
    }

    @Test("the app's coders write results and read bodies")
    func coders() async {
        let app = await app()
        #expect(await app.respond(to: Request(.get, "/when")).text == "0")
        let request = Request(.post, "/when", body: "{\"at\":7}")
        #expect(await app.respond(to: request).text == "7.0")
    }
}
