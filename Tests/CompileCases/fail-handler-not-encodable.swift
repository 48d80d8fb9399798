// expect: a handler returns a String, bytes ([UInt8], Data), a Response
// line: 10
import Sluice

struct Order: Codable, Sendable { let id: Int }

func build() -> Router {
    var routes = Router()
    struct Plain: Sendable {}
    routes.get("/a") { _ in Plain() }
    return routes
}
