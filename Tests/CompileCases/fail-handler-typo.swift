// expect: value of type 'Order' has no member 'idd'
// line: 11
import Sluice

struct Order: Codable, Sendable { let id: Int }

func build() -> Router {
    var routes = Router()
    routes.get("/a") { request in
        let order = try request.decode(Order.self)
        let doubled = order.idd * 2
        return "\(doubled)"
    }
    return routes
}
