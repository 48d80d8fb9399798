// expect: value of type 'Request' has no member 'paramaters'
// line: 10
import Sluice

struct Order: Codable, Sendable { let id: Int }

func build() -> Router {
    var routes = Router()
    routes.get("/a") { request in
        "Hello, \(try request.paramaters.require("name"))!"
    }
    return routes
}
