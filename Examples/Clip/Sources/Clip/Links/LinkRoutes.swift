import Sluice

/// Links, and where the next page of them begins.
struct LinkPage: Codable, Sendable {
    let links: [Link]
    /// The `before` of the next page; nil on the last one.
    let next: Int64?
}

/// Which links: `?before=17&limit=50`.
struct Paging: Decodable, Sendable, Validatable {
    let before: Int64?
    let limit: Int?

    func validate(_ checks: inout Validation) {
        checks.require((1...100).contains(limit ?? 20), "limit", "must be from 1 to 100")
        checks.require((before ?? 1) > 0, "before", "must be positive")
    }
}

extension Store {
    func page(_ paging: Paging) async throws -> LinkPage {
        let limit = paging.limit ?? 20
        let links = try await links(before: paging.before, limit: limit)
        return LinkPage(links: links, next: links.count == limit ? links.last?.id : nil)
    }
}

func linkRoutes(_ store: Store, _ feed: Feed) -> Router {
    var routes = Router()
    routes.get("/l/{slug}") { request in
        // HEAD comes here too: those who look where it leads do not follow it.
        let link = try await store.follow(request.parameters.require("slug"), counts: request.method == .get)
        guard let link else { throw HTTPError(.notFound, "there is no such link") }
        return Response.redirect(to: link.target)
    }

    routes.group("", RequireUser(store: store)) { members in
        members.get("/") { request in
            let user = try request.requirePrincipal(User.self)
            let page = try await store.page(request.query.decode(Paging.self))
            return try await Response.page(homePage(user, page.links), or: page, for: request)
        }
        members.post("/links") { request in
            let link = try await store.insert(request.decode(LinkDraft.self), owner: request.requirePrincipal(User.self))
            await feed.send(link)
            return try Response.made(link, at: "/l/\(link.slug)", page: "/", for: request)
        }
    }
    return routes
}
