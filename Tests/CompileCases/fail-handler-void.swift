// expect: for no content return HTTPResponse.Status.noContent
// line: 9
import Sluice

struct Order: Codable, Sendable { let id: Int }

func build() -> Router {
    var routes = Router()
    routes.delete("/a") { request in
        print(request.id)
    }
    return routes
}
