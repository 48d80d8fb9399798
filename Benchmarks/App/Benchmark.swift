import Sluice

/// The app that `scripts/bench` measures: the default pipeline and four routes.
@main
struct Benchmark {
    struct User: Encodable {
        let id: String
        let name: String
    }

    struct PassThrough: Middleware {
        func handle(_ request: Request, next: Next) async throws -> Response { await next(request) }
    }

    /// In the order that the guide recommends.
    static let twelve: [any Middleware] = [
        RequestID(), LogContext(), AccessLog(), Metrics(), Tracing(), CORS(origins: .list(["https://a.example"])),
        SecurityHeaders(), BodyLimit(bytes: 1_000_000), Compression(), CacheControl("public, max-age=60"),
        ConditionalRequests(), APIKeyAuth(isRequired: false) { key in key.isEqual(inConstantTime: "secret") ? key : nil },
    ]

    static func main() async throws {
        let environment = Settings()
        var routes = Router()
        for number in 0..<environment.routes {
            routes.get("/extra/\(number)/{id}") { request in try request.parameters.require("id") }
        }
        routes.get("/hello") { _ in "Hello, World!" }
        routes.get("/users/{id}") { request in
            User(id: try request.parameters.require("id"), name: "Ada Lovelace")
        }
        routes.post("/echo") { request in
            var response = Response(body: request.body)
            response.headers[.contentType] = request.headers[.contentType]
            return response
        }
        routes.get("/stream") { request in
            let chunks = try request.query.require("chunks", as: Int.self)
            let chunk = [UInt8](repeating: 0x78, count: try request.query.require("size", as: Int.self))
            return Response.stream(contentType: "application/octet-stream") { writer in
                for _ in 0..<chunks { try await writer.write(chunk) }
            }
        }
        // Of Benchmarks/workers.py.
        routes.get("/wait") { _ in
            try await Task.sleep(for: .milliseconds(20))
            return "waited"
        }
        routes.get("/compute") { _ in "\(Self.compute())" }
        routes.get("/fail") { _ -> String in throw Failure() }

        try await LambdaApp {
            for _ in 0..<environment.middleware { PassThrough() }
            // Made where they are measured alone: a start is not to pay for them.
            for (bit, middleware) in (environment.twelve == 0 ? [] : Self.twelve).enumerated()
            where environment.twelve >> bit & 1 == 1 {
                [middleware]
            }
            routes
            CaptureErrors()
            FlushReports(within: .seconds(2))
        }.run()
    }

    /// Some milliseconds of one processor.
    static func compute() -> UInt64 {
        var state: UInt64 = 1
        for _ in 0..<4_000_000 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
        }
        return state
    }
}

struct Failure: Error {}
