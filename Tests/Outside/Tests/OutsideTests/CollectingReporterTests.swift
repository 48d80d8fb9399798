import Foundation
import Sluice
import Testing

/// What a team writes that has an error tracker of its own, or wants to see in a test what would be reported.
private final class Collecting: ErrorReporter, @unchecked Sendable {  // protected by the lock
    private let lock = NSLock()
    private var failures: [Failure] = []
    private var flushes = 0
    private let hangs: Bool

    init(hangs: Bool = false) { self.hangs = hangs }

    var all: [Failure] { lock.withLock { failures } }
    var flushCount: Int { lock.withLock { flushes } }

    func capture(_ failure: Failure) { lock.withLock { failures.append(failure) } }

    func flush(within limit: Duration) async {
        lock.withLock { flushes += 1 }
        // Heeds nothing, not even its cancellation.
        if hangs { await withCheckedContinuation { (_: CheckedContinuation<Void, Never>) in } }
    }
}

@Suite struct CollectingReporterTests {
    struct Boom: Error {}

    private func app(_ reporters: Collecting...) -> LambdaApp {
        var routes = Router()
        routes.get("/fine") { _ in "fine" }
        routes.get("/thrown") { _ -> String in throw Boom() }
        routes.get("/missing") { _ -> String in throw HTTPError(.notFound) }
        routes.get("/returned") { _ in Response(status: .badGateway) }
        routes.get("/stream") { _ in Response.stream(contentType: "text/plain") { _ in throw Boom() } }
        return LambdaApp {
            RequestID()
            routes
            CaptureErrors(to: reporters)
            FlushReports(within: .milliseconds(100))
        }
    }

    @Test("a reporter of ours hears of each failure once, with what the client got")
    func hears() async throws {
        let (one, two) = (Collecting(), Collecting())
        let app = app(one, two)
        for path in ["/fine", "/thrown", "/missing", "/returned", "/stream"] { _ = await app.respond(to: Request(.get, path)) }
        #expect(one.all.map(\.status) == [500, 502, 500])
        #expect(one.all.map(\.outcome) == [.handlerError, .serverErrorResponse, .handlerError])
        #expect(one.all.map(\.path) == ["/thrown", "/returned", "/stream"])
        #expect(one.all.first?.error is Boom)
        #expect(two.all.count == 3)
        #expect(one.flushCount == 5)
    }

    @Test("one that hangs in its flush costs its limit, and no more")
    func hangs() async {
        let response = await app(Collecting(hangs: true)).respond(to: Request(.get, "/thrown"))
        #expect(response.status == .internalServerError)
    }
}
