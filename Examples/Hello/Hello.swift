// scripts/run
// curl -i http://127.0.0.1:8080/hello/World
import Sluice

@main
struct Hello {
    static func main() async throws {
        try await LambdaApp.run {
            var routes = Router()
            routes.get("/hello/{name}") { request in
                "Hello, \(try request.parameters.require("name"))!"
            }
            return LambdaApp { routes }
        }
    }
}
