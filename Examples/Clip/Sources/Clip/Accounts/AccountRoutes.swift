import Sluice
import SluiceSessions

/// A token for the API, when it is made.
struct NewToken: Codable, Sendable {
    let token: String
}

func accountRoutes(_ accounts: Accounts) -> Router {
    var routes = Router()
    routes.get("/sign-in") { _ in signInPage() }

    routes.post("/sign-in") { request in
        let credentials = try request.decode(Credentials.self)
        guard let user = try await accounts.user(credentials) else {
            return signInPage(isSecondTry: true).response(for: request)
        }
        let session = try request.session
        session.renew()
        session["user"] = user.name
        return Response.redirect(to: "/", status: .seeOther)
    }

    routes.post("/sign-out") { request in
        try request.session.removeAll()
        return Response.redirect(to: "/sign-in", status: .seeOther)
    }

    routes.group("", RequireUser(store: accounts.store)) { members in
        members.post("/tokens") { request in
            let user = try request.requirePrincipal(User.self)
            let made = NewToken(token: try await accounts.makeToken(for: user))
            let content: HTML = """
                <h2>A token for the API</h2>
                <p>It is shown this once: <code>\(made.token)</code></p>
                """
            return try await Response.page(Page("Token", for: user, content), or: made, for: request)
        }
    }
    return routes
}

/// 403 and not 401 after a wrong try: a 401 needs a challenge (RFC 9110, section 15.5.2), and there is none for a form.
private func signInPage(isSecondTry: Bool = false) -> Page {
    let complaint: HTML = isSecondTry ? "<p role=\"alert\">That is no name with its password.</p>" : ""
    let content: HTML = """
        \(complaint)
        <form method="post" action="/sign-in">
          <label>Name <input name="name" autocomplete="username" required></label>
          <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
          <button>Sign in</button>
        </form>
        """
    return Page("Sign in", content, status: isSecondTry ? .forbidden : .ok)
}
