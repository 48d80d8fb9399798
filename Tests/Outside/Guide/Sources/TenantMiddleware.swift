import Sluice

/// Whom a request is for.
struct Tenant: Sendable, Equatable {
    let id: Int
}

/// Names the value that ``TenantMiddleware`` hands down.
enum CurrentTenant: RequestKey { typealias Value = Tenant }

extension HTTPField.Name {
    static let tenant = Self("X-Tenant")!  // a literal that is a token
}

/// Finds the tenant that a header names, and hands it down: `try request.requireTenant()`.
struct TenantMiddleware: Middleware {
    let known: [String: Tenant]

    func validate() throws {
        guard known.isEmpty else { return }
        throw MiddlewareError("TenantMiddleware(known: [:]) would refuse every request: name the tenants")
    }

    func handle(_ request: Request, next: Next) async throws -> Response {
        let name = try request.headers.require(.tenant)  // a 400 that names the header
        guard let tenant = known[name] else {
            throw HTTPError(.badRequest, "the header 'X-Tenant' names no tenant", detail: "it is '\(name)'")
        }
        var request = request
        request[CurrentTenant.self] = tenant
        return await next(request)
    }
}

extension Request {
    /// - Throws: A 500: a route without the middleware above it is our mistake, not the client's.
    func requireTenant() throws -> Tenant {
        guard let tenant = self[CurrentTenant.self] else {
            throw HTTPError(.internalServerError, detail: "no TenantMiddleware stands above this route")
        }
        return tenant
    }
}
