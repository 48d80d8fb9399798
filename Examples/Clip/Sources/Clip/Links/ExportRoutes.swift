import Foundation
import Sluice

/// All links as a file that is written while it is sent: how many there are makes no difference to the memory.
func exportRoutes(_ store: Store) -> Router {
    var routes = Router()
    routes.group("/export", RequireUser(store: store)) { members in
        members.get("/links.csv") { _ in
            let rows = EveryLink(store: store).map { link in
                [link.slug, link.target, link.owner, String(link.hits), link.createdAt.formatted(.iso8601)]
            }
            return Response.csv(
                header: ["slug", "target", "owner", "hits", "createdAt"], rows,
                headers: [.contentDisposition: "attachment; filename=\"links.csv\""])
        }
        members.get("/links.ndjson") { request in
            Response.ndjson(
                EveryLink(store: store), headers: [.contentDisposition: "attachment; filename=\"links.ndjson\""], for: request)
        }
    }
    return routes
}
