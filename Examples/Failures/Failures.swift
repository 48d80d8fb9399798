// scripts/run Failures
// curl -i http://127.0.0.1:8080/throw     and the other routes below; each ends the trip in another way
import Sluice

struct OutOfStock: Error {
    let item: String
}

@main
struct Failures {
    static func main() async throws {
        // What making the app throws is told through init/error, and in a record: FAILURES_START=throw scripts/run Failures
        try await LambdaApp.run {
            guard !isToFailAtStart() else { throw OutOfStock(item: "coffee") }
            return makeApp()
        }
    }
}

func makeApp() -> LambdaApp {
    var routes = Router()
    routes.get("/fine") { _ in "fine" }

    // A handler that throws: 500, which tells the client nothing but the request's id.
    routes.get("/throw") { _ -> String in throw OutOfStock(item: "tea") }

    // An error with a response of its own: 404 with words for the client, and a detail for the log only.
    routes.get("/missing") { _ -> String in throw HTTPError(.notFound, "no such tea", detail: "shelf 7 is empty") }

    // A 500 or more that nobody threw is a failure too.
    routes.get("/returned") { _ in Response.text("upstream is down", status: .badGateway) }

    // A stream that fails before its first byte: an honest 500.
    routes.get("/stream/first") { _ in
        Response.stream(contentType: "text/plain") { _ in throw OutOfStock(item: "cups") }
    }

    // A stream that fails after the third chunk: the client has its 200, the platform gets the error trailers.
    routes.get("/stream/third") { _ in
        Response.stream(contentType: "text/plain") { writer in
            for chunk in ["one ", "two ", "three "] { try await writer.write(chunk) }
            throw OutOfStock(item: "milk")
        }
    }

    // A handler that does not end in time, but heeds cancellation: 504.
    routes.get("/slow") { _ in
        try await Task.sleep(for: .seconds(3600))
        return "too late"
    }

    // A handler that never returns and ignores cancellation: the guard answers in its place, then ends the process.
    routes.get("/never") { _ in
        await withCheckedContinuation { (forever: CheckedContinuation<String, Never>) in never.keep(forever) }
    }

    // One that blocks its thread: the same, from a thread that it cannot block.
    routes.get("/block") { _ in
        print("blocking the worker's thread")
        var spins: UInt64 = 0
        while true { spins &+= 1 }
        return "\(spins)"
    }

    // A stream that hangs after its first chunk.
    routes.get("/stream/slow") { _ in
        Response.stream(contentType: "text/plain") { writer in
            try await writer.write("begun ")
            try await Task.sleep(for: .seconds(3600))
        }
    }

    // A stream without an end. Only its writes tell it of the cancellation: `try?` keeps what the sleep says to itself.
    routes.get("/stream/endless") { request in
        let isSlow = request.query["slow"] != nil
        return Response.stream(contentType: "text/plain") { writer in
            while true {
                try await writer.write([UInt8](repeating: 0x61, count: isSlow ? 1000 : 50_000))
                if isSlow { try? await Task.sleep(for: .milliseconds(1)) }
            }
        }
    }

    // A response over the platform's limit of 6 MB.
    routes.get("/large") { _ in Response(body: .bytes([UInt8](repeating: 0x61, count: 7_000_000))) }

    // The process ends under an invocation.
    routes.get("/exit") { _ -> String in exitNow() }

    return LambdaApp {
        RequestID()
        routes
        CaptureErrors()
        FlushReports(within: .seconds(1))
    }
}
