// scripts/run Reporting
// curl -i http://127.0.0.1:8080/fail     and the other routes below; each report shows in the console as it arrives
import Logging
import Sluice

struct OutOfStock: Error {
    let item: String
}

/// An error with a cause: its report shows both.
struct OrderFailed: CausedError {
    let order: Int
    let cause: (any Error)?
}

/// Everything that is reported of a request carries its customer's plan.
struct Customer: Middleware {
    func handle(_ request: Request, next: Next) async throws -> Response {
        Reports.setTag("plan", request.query["plan"] ?? "free")
        Reports.setUser(ReportUser(id: request.query["user"] ?? "anonymous"))
        return await next(request)
    }
}

/// Ends a request that takes too long. The rest runs in a task of its own, and its tags are the request's all the same.
struct TimeLimit: Middleware {
    let limit: Duration
    struct TooSlow: Error {}

    func handle(_ request: Request, next: Next) async throws -> Response {
        try await withThrowingTaskGroup(of: Response.self) { group in
            group.addTask { await next(request) }
            group.addTask {
                try await Task.sleep(for: limit)
                throw TooSlow()
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw TooSlow() }
            return first
        }
    }
}

@main
struct Reporting {
    static func main() async throws {
        let options = ReportOptions {
            $0.release = "reporting@1.0.0"
            $0.enableLogs = true
            $0.ignoreErrors = ["OutOfStock(item: \"ignored\")"]
            $0.beforeBreadcrumb = { $0.category == "access" ? nil : $0 }
        }
        try await LambdaApp {
            // What Lambda counts as an error and nobody here has seen: SLUICE_LOCAL_PLATFORM_ERROR=1/10 shows it.
            PlatformWatch()
            RequestID()
            AccessLog()
            // With SENTRY_TRACES_SAMPLE_RATE=1 each request is a transaction, too.
            Tracing()
            Customer()
            routes()
            events()
            CaptureErrors(options)
            FlushReports(within: .seconds(2))
        }.run()
    }

    // curl http://127.0.0.1:8080/2015-03-31/functions/reporting/invocations -d '{"Records":[{"messageId":"1","eventSource":"aws:sqs","body":"{\"item\":\"tea\",\"quantity\":0}"}]}'
    static func events() -> Events {
        struct Delivery: Decodable {
            let item: String
            let quantity: Int
        }
        var events = Events()
        // Each message that fails has its own report, and is the only one that the queue hands out again.
        events.queue(of: Delivery.self) { message in
            Reports.setTag("item", message.body.item)
            guard message.body.quantity > 0 else { throw OutOfStock(item: message.body.item) }
        }
        return events
    }

    static func routes() -> Router {
        var routes = Router()
        routes.get("/fine") { _ in "fine" }
        routes.post("/echo") { request in Response(body: request.body) }

        // What most errors look like.
        routes.get("/fail") { request -> String in
            Reports.addBreadcrumb("looking for it", category: "stock", data: ["n": .string(request.query["n"] ?? "")])
            throw OutOfStock(item: "n=\(request.query["n"] ?? "0") ")
        }

        // Under a middleware that runs it in a child task.
        routes.group("/limited", TimeLimit(limit: .seconds(1))) { limited in
            limited.get("/fail") { _ -> String in
                Reports.setTag("limited", "yes")
                throw OutOfStock(item: "limited")
            }
        }

        // Two errors, the cause first.
        routes.get("/chain") { _ -> String in
            do {
                try stock("tea")
            } catch {
                throw OrderFailed(order: 7, cause: error)
            }
            return "never"
        }

        // A stream that fails after its head: the client has its 200, the report arrives before the stream ends.
        routes.get("/stream/fail") { request in
            let number = request.query["n"] ?? "0"
            return Response.stream(contentType: "text/plain") { writer in
                try await writer.write("begun ")
                throw OutOfStock(item: "n=\(number) ")
            }
        }

        // One that does not: rows, a moment apart.
        routes.get("/stream") { request in
            let rows = min(max(Int(request.query["rows"] ?? "") ?? 10, 0), 1000)
            return Response.stream(contentType: "text/plain") { writer in
                for row in 0..<rows {
                    try await Task.sleep(for: .milliseconds(10))
                    try await writer.write("row \(row)\n")
                }
            }
        }

        // Not an error, but worth telling: a message, with a context and breadcrumbs of its own.
        routes.get("/message") { _ in
            Reports.withScope {
                Reports.setContext("cache", ["hits": 3, "ratio": 0.25, "keys": ["tea", "milk"]])
                Reports.setFingerprint(["{{ default }}", "cold cache"])
                Reports.addBreadcrumb(
                    "GET https://a.example/", category: "http.client",
                    data: ["url": "https://a.example/?token=secret", "method": "GET", "status_code": 200])
                Reports.capture("the cache is cold", level: .warning)
            }
            return "told"
        }

        // Story 1: a structured log must leave before the freeze, also on a time-out.
        routes.get("/story/logs") { _ in
            Logger(label: "story").warning("this log is sent before the freeze")
            return "logged"
        }
        routes.get("/story/timeout") { _ in
            Logger(label: "story").warning("this log is sent before the deadline")
            try await Task.sleep(for: .seconds(3600))
            return "too late"
        }

        // Story 2: an error, a freeze, another error: both arrive. Call it twice.
        routes.get("/story/freeze") { _ -> String in throw OutOfStock(item: "after the thaw") }

        // Story 3: tags of child tasks do not mix.
        routes.get("/story/scopes") { _ in
            await withTaskGroup(of: Void.self) { group in
                for number in 1...3 {
                    group.addTask {
                        Reports.setTag("child", "\(number)")
                        await Task.yield()
                        Reports.capture(OutOfStock(item: "child \(number)"))
                    }
                }
            }
            return "three reports"
        }

        // Story 4: an error with no trace of why. Nobody threw this one.
        routes.get("/story/silent") { _ in Response.text("upstream is down", status: .badGateway) }
        return routes
    }

    static func stock(_ item: String) throws { throw OutOfStock(item: item) }
}
