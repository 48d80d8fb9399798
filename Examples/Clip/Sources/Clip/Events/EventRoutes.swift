import Sluice

/// Which events, how many, and how long to wait for them: `/events?after=17&count=10&seconds=20`.
struct EventQuery: Decodable, Sendable, Validatable {
    let after: Int64?
    let count: Int?
    let seconds: Int?

    func validate(_ checks: inout Validation) {
        checks.require((1...1000).contains(count ?? 1), "count", "must be from 1 to 1000")
        checks.require((0...25).contains(seconds ?? 0), "seconds", "must be from 0 to 25")
    }
}

/// New links as server-sent events. A stream ends after some seconds, as each holds a worker; the browser comes back and names
/// the last event that it has, so that nothing is lost, whichever sandbox takes it.
func eventRoutes(_ store: Store, _ feed: Feed, heartbeat: Duration) -> Router {
    var routes = Router()
    routes.group("", RequireUser(store: store)) { members in
        members.get("/events") { request in
            let query = try request.query.decode(EventQuery.self)
            let seen = try request.headers.get(.lastEventID, as: Int64.self) ?? query.after
            let start = if let seen { seen } else { try await store.lastLinkID() }
            // The end is ours, and not the deadline guard's.
            let remaining = (request.deadline?.remaining ?? .seconds(60)) - .seconds(2)
            let time = min(.seconds(query.seconds ?? 20), remaining)

            return Response.events(heartbeat: heartbeat) { events in
                let news = await feed.listen(for: time)
                var (last, left) = (start, query.count ?? 1000)
                // What came before we listened; what comes twice is told once.
                for link in try await store.links(after: last, limit: left) {
                    try await events.send(event(link, for: request))
                    (last, left) = (link.id, left - 1)
                }
                guard left > 0 else { return }
                for await link in news where link.id > last {
                    try await events.send(event(link, for: request))
                    (last, left) = (link.id, left - 1)
                    if left == 0 { return }
                }
            }
        }
    }
    return routes
}

private func event(_ link: Link, for request: Request) throws -> ServerSentEvent {
    // The app's own JSON, as text.
    let json = try Response.json(link, for: request).text
    return ServerSentEvent(json, event: "link", id: "\(link.id)", retry: .seconds(2))
}
