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

let menu = ["assam": Tea(name: "Assam", price: 4), "sencha": Tea(name: "Sencha", price: 6)]

func makeApp() -> LambdaApp {
    var routes = Router()
    routes.get("/") { _ in "Tea, and nothing but tea.\n" }
    routes.get("/teas/{id}") { request in
        menu[try request.parameters.require("id")]  // nil is a 404
    }
    return LambdaApp { routes }
}
