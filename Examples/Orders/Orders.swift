// scripts/run Orders
// curl -i http://127.0.0.1:8080/orders -H 'Authorization: Bearer alice-token' -d '{"item":"tea","quantity":2}'
// curl -i http://127.0.0.1:8080/orders -H 'Authorization: Bearer alice-token' -d '{"item":"tea"}'
import Sluice

@main
struct Orders {
    static func main() async throws {
        try await makeApp(store: OrderStore()).run()
    }
}

/// Building the app is a function, so that a test can call it without a server or Lambda.
func makeApp(store: OrderStore) -> LambdaApp {
    var routes = Router()
    routes.get("/orders") { request in
        await store.all(of: request[SignedIn.self])
    }
    routes.post("/orders") { request in
        let draft = try request.decode(OrderDraft.self)  // a bad body is a 400 that names the field
        guard draft.quantity > 0 else { throw HTTPError(.unprocessableContent, "quantity must be positive") }
        return try Response.json(await store.insert(draft, for: request[SignedIn.self]), status: .created)
    }
    routes.get("/orders/{id}") { request in
        await store.find(try request.parameters.require("id", as: Int.self))  // nil is a 404
    }
    routes.delete("/orders/{id}") { request in
        try await store.delete(request.parameters.require("id", as: Int.self))
        return HTTPResponse.Status.noContent
    }
    return LambdaApp(errorResponse: shopError) {
        RequestID()
        AccessLog()
        SignIn(tokens: ["alice-token": User(name: "alice"), "bob-token": User(name: "bob")])
        routes
        CaptureErrors()
        FlushReports(within: .seconds(2))
    }
}

/// A custom error response: every error of this shop, those of middleware included, has this shape.
func shopError(_ error: HTTPError, _ request: Request) -> Response {
    var response = Response(
        status: error.status, headers: [.contentType: "text/plain; charset=utf-8"],
        body: .text("Sorry: \(error.message) (\(request.id))\n"))
    if error.status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
    return response
}
