import Sluice

@main
struct Shop {
    static func main() async throws {
        try await LambdaApp.run { makeApp() }
    }
}

func makeApp() -> LambdaApp {
    var routes = Router()
    routes.get("/") { _ in "Tea, and nothing but tea.\n" }
    return LambdaApp { routes }
}
