import Sluice

@main
struct Shop {
    static func main() async throws {
        try await LambdaApp.run { makeApp() }
    }
}

struct Tea: Codable, Sendable {
    let name: String
    let price: Int
}

struct Order: Codable, Sendable {
    let tea: String
    let cups: Int
}

struct Receipt: Codable, Sendable {
    let total: Int
}

struct Customer: Sendable {
    let name: String
}

/// Names the value that `LoyaltyCard` hands down.
enum CurrentCustomer: RequestKey { typealias Value = Customer }

extension HTTPField.Name {
    static let card = Self("X-Card")!  // a literal that is a token
}

/// Finds whose card a request shows, and hands the customer down. A stranger is welcome, a forged card is not.
struct LoyaltyCard: Middleware {
    let cards: [String: Customer]

    func handle(_ request: Request, next: Next) async throws -> Response {
        guard let number = request.headers[.card] else { return await next(request) }
        guard let customer = cards[number] else {
            throw HTTPError(.forbidden, "this card is none of ours", detail: "it says '\(number)'")
        }
        var request = request
        request[CurrentCustomer.self] = customer
        var response = await next(request)  // never throws: what was thrown below is response.error
        response.headers[.cacheControl] = "private"
        return response
    }
}

let menu = ["assam": Tea(name: "Assam", price: 4), "sencha": Tea(name: "Sencha", price: 6)]

func makeApp() -> LambdaApp {
    var routes = Router()
    routes.get("/") { _ in "Tea, and nothing but tea.\n" }
    routes.get("/teas/{id}") { request in
        menu[try request.parameters.require("id")]  // nil is a 404
    }
    routes.post("/orders") { request in
        let order = try request.decode(Order.self)  // a bad body is a 400 that names the field
        guard let tea = menu[order.tea] else {
            throw HTTPError(.unprocessableContent, "we have no tea called '\(order.tea)'")
        }
        return try Response.json(Receipt(total: tea.price * order.cups), status: .created)
    }
    return LambdaApp {
        RequestID()
        AccessLog()
        routes
    }
}
