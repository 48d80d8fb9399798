import Sluice

/// JSON for programs, who have a token.
func apiRoutes(_ accounts: Accounts, _ feed: Feed) -> Router {
    let store = accounts.store
    var routes = Router()
    let auth = BearerAuth<User>(realm: "clip") { token in try await accounts.user(ofToken: token) }
    routes.group("/api", auth) { api in
        api.get("/links") { request in
            try await store.page(request.query.decode(Paging.self))
        }
        api.post("/links") { request in
            let link = try await store.insert(request.decode(LinkDraft.self), owner: request.requirePrincipal(User.self))
            await feed.send(link)
            return try Response.created(link, at: "/api/links/\(link.slug)", for: request)
        }
        api.get("/links/{slug}") { request in
            try await store.link(request.parameters.require("slug"))  // nil is a 404
        }
        api.delete("/links/{slug}") { request in
            try await store.deleteLink(request.parameters.require("slug"), by: request.requirePrincipal(User.self))
            return HTTPResponse.Status.noContent
        }
    }
    return routes
}
