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
    return LambdaApp { routes }
}
