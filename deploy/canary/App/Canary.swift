// deploy/canary/canary --local     asks it everything that docs/canary.md lists, under the local Lambda
import FoundationEssentials
import Sluice

/// The function that the canary asks: a route for each thing that only AWS can answer.
@main
struct Canary {
    static func main() async throws {
        let memory = Memory()
        let app = LambdaApp {
            PlatformWatch()
            RequestID()
            plain(memory)
            events(memory)
            CaptureErrors(to: LastWords())
            FlushReports(within: .seconds(1))
        }
        app.onThaw(after: .seconds(1)) { memory.thawed(after: $0) }
        try await app.run()
    }
}

/// Routes that answer in any mode, and those of ``addStreams(to:)``.
func plain(_ memory: Memory) -> Router {
    var routes = Router()
    routes.get("/hello") { _ in "hello" }

    // What the handler sees, and the event as it came.
    for path in ["/echo", "/echo/{rest*}"] {
        routes.get(path) { Seen(try await Sight(of: $0), memory) }
        routes.post(path) { Seen(try await Sight(of: $0), memory) }
    }

    // By four clocks, and what was kept of the last invocations.
    routes.get("/clocks") { _ in memory.look() }

    // Leaves a second of work for when the client has its response.
    routes.get("/after") { request in
        let id = request.id
        request.afterReply {
            try await Task.sleep(for: .seconds(1))
            memory.keepAfterReply(id)
            print("canary: after the reply to \(id)")
        }
        return "left"
    }

    // A handler that does not end in time, but heeds its cancellation; and one that does not.
    routes.get("/sleep") { _ in
        try await Task.sleep(for: .seconds(3600))
        return "too late"
    }
    routes.get("/hold") { _ in
        await withCheckedContinuation { (forever: CheckedContinuation<String, Never>) in memory.keep(forever) }
    }

    routes.get("/empty") { request in
        let code = try request.query.get("status", as: Int.self) ?? 200
        var response = Response(status: .init(code: code))
        if code == 302 { response.headers[.location] = "/hello" }
        return response
    }

    // A head of about so many bytes: many headers of a hundred, as each has a limit of its own somewhere.
    routes.get("/head") { request in
        var response = Response.text("head")
        let size = min(try request.query.require("size", as: Int.self), 1_000_000)
        for number in 0..<(size / 100) {
            guard let name = HTTPField.Name("x-canary-\(10_000 + number)") else { break }
            response.headers[name] = String(repeating: "x", count: 78)
        }
        return response
    }

    routes.get("/repeated") { _ in
        var response = Response.text("repeated")
        for value in ["a", "b"] {
            if let name = HTTPField.Name("x-canary") { response.headers.append(HTTPField(name: name, value: value)) }
            try response.setCookie(SetCookie(name: value, value: "1"))
        }
        return response
    }
    addStreams(to: &routes)
    return routes
}

/// Direct invocations, and messages of a queue.
func events(_ memory: Memory) -> Events {
    struct Refused: Error {}
    var events = Events()
    events.queue(of: String.self) { message in
        if message.body == "refuse" { throw Refused() }
    }
    events.any(of: String.self) { event in ["event": event.body, "process": memory.process] }
    return events
}
