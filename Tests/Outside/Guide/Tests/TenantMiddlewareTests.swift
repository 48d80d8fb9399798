import SluiceTesting
import Testing

@testable import Guide

@Suite struct TenantMiddlewareTests {
    private func app(_ known: [String: Tenant] = ["blue": Tenant(id: 7)]) -> LambdaApp {
        var routes = Router()
        routes.get("/whoami") { request in "tenant \(try request.requireTenant().id)" }
        return LambdaApp {
            RequestID()
            TenantMiddleware(known: known)
            routes
        }
    }

    @Test("the tenant that the header names reaches the handler")
    func handsDown() async throws {
        let response = try await TestClient(app()).get("/whoami", headers: [.tenant: "blue"])
        #expect(response.status == .ok)
        #expect(response.text == "tenant 7")
    }

    @Test("no tenant is a 400, dressed like any response, and no failure", arguments: [nil, "", "green"] as [String?])
    func refuses(_ name: String?) async throws {
        let client = try TestClient(app())
        var headers: HTTPFields = [:]
        headers[.tenant] = name
        let response = try await client.get("/whoami", headers: headers)
        #expect(response.status == .badRequest)
        #expect(response.text.contains("X-Tenant") && !response.text.contains("green"))
        #expect(response.headers[HTTPField.Name("X-Request-ID")!] != nil)
        #expect(client.reports.isEmpty)
    }

    @Test("an app without tenants does not start")
    func startUp() {
        #expect(throws: MiddlewareError.self) { try TestClient(app([:])) }
    }
}
