// AWS_LWA_INVOKE_MODE=response_stream scripts/run Streams
// curl -N 'http://127.0.0.1:8080/export?rows=5'
// curl -N 'http://127.0.0.1:8080/ticks?count=3'
// With AWS_LAMBDA_MAX_CONCURRENCY=2 as well, in two terminals:
// curl -N http://127.0.0.1:8080/room
// curl http://127.0.0.1:8080/room -d 'hello, everyone'
import Sluice

@main
struct Streams {
    static func main() async throws {
        try await makeApp().run()
    }
}

func makeApp() -> LambdaApp {
    var routes = Router()

    // A CSV export: rows leave as they come; a slow reader slows the loop down.
    routes.get("/export") { request in
        let rows = min(max(Int(request.query["rows"] ?? "") ?? 10, 0), 1_000_000)
        return Response.stream(contentType: "text/csv") { writer in
            try await writer.write("id,square\n")
            for id in 0..<rows {
                try await writer.write("\(id),\(id * id)\n")
            }
        }
    }

    // Server-sent events, one each half second. In a browser: new EventSource("/ticks?count=10").
    routes.get("/ticks") { request in
        let count = min(max(Int(request.query["count"] ?? "") ?? 3, 0), 100)
        return Response.events { events in
            for tick in 0..<count {
                if tick > 0 { try await Task.sleep(for: .milliseconds(500)) }
                try await events.send(ServerSentEvent("\(tick)", event: "tick", id: "\(tick)"))
            }
        }
    }

    // A room: whoever listens gets what others say, when they say it. Needs invocations that run at the same time, in one
    // process: Lambda Managed Instances, or AWS_LAMBDA_MAX_CONCURRENCY on this machine.
    let room = Room()
    routes.get("/room") { _ in
        Response.events { events in
            for await word in await room.join() { try await events.send(word) }
        }
    }
    routes.post("/room") { request in
        let word = String(decoding: try await request.body.collect(), as: UTF8.self)
        return word == "bye" ? "\(await room.close())" : "\(await room.say(word))"
    }

    return LambdaApp {
        RequestID()
        AccessLog()
        routes
    }
}
