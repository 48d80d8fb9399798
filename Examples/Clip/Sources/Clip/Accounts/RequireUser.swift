import Sluice
import SluiceSessions

/// Lets those through who have signed in, and hands down who they are. A browser is led to the sign-in, anybody else is told.
struct RequireUser: Middleware {
    let store: Store

    func handle(_ request: Request, next: Next) async throws -> Response {
        guard let name = try request.session["user"], let user = try await store.user(named: name) else {
            guard request.method == .get, request.accepts("application/json", "text/html") == "text/html" else {
                throw HTTPError(.unauthorized, "sign in first")
            }
            return .redirect(to: "/sign-in", status: .seeOther)
        }
        LogContext.add("user", "\(user.name)")
        Reports.setUser(ReportUser(id: user.name))
        var request = request
        request.setPrincipal(user)
        return await next(request)
    }
}
