import Sluice

@main
struct Shop {
    static func main() async throws {
        try await LambdaApp.run { makeApp() }
    }
}

struct Order: Codable, Sendable {
    let item: String
    let quantity: Int
}

/// Building the app is a function, so that a test can call it without a server or Lambda.
func makeApp() -> LambdaApp {
    var routes = Router()
    routes.get("/hello/{name}") { request in
        "Hello, \(try request.parameters.require("name"))!"
    }
    routes.post("/orders") { request in
        let order = try request.decode(Order.self)  // a bad body is a 400 that names the field
        guard order.quantity > 0 else { throw HTTPError(.unprocessableContent, "quantity must be positive") }
        return try Response.json(order, status: .created)
    }
    // Lines leave as they come where the URL streams, and together where it does not.
    routes.get("/squares") { _ in
        Response.stream(contentType: "text/csv") { writer in
            for number in 1...100 { try await writer.write("\(number),\(number * number)\n") }
        }
    }
    return LambdaApp {
        RequestID()
        AccessLog()
        routes
        CaptureErrors()
        FlushReports(within: .seconds(2))
    }
}
