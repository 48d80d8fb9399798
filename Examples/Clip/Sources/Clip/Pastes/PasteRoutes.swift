import Sluice

func pasteRoutes(_ store: Store) -> Router {
    var routes = Router()
    // Whoever knows the address may read it.
    routes.get("/p/{id}") { request in
        guard let paste = try await store.paste(request.parameters.require("id")) else {
            throw HTTPError(.notFound, "there is no such paste")
        }
        var response: Response
        switch request.accepts("text/html", "text/plain", "application/json") {
        case "text/html": response = pastePage(paste).response(for: request)
        case "text/plain": response = .text(paste.text)
        case "application/json": response = try .json(paste, for: request)
        default: throw HTTPError(.notAcceptable, "there is text/html, text/plain and application/json")
        }
        response.headers[.vary] = "Accept"
        return response
    }

    routes.group("", RequireUser(store: store)) { members in
        members.post("/pastes") { request in
            let paste = try await store.insert(request.decode(PasteDraft.self), owner: request.requirePrincipal(User.self))
            return try Response.made(paste, at: "/p/\(paste.id)", for: request)
        }
    }
    return routes
}

private func pastePage(_ paste: Paste) -> Page {
    let content: HTML = """
        <p>by \(paste.owner)</p>
        <pre>\(paste.text)</pre>
        """
    return Page(paste.title, content)
}
