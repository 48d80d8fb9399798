import SluiceTestSupport
import Testing

@testable import SluiceMiddleware

@Suite struct TimeoutTests {
    @Test("what takes too long is cancelled and a 504, with one record")
    func late() async {
        var routes = Router()
        let seen = Collected<String>()
        routes.get("/") { _ in
            do {
                try await Task.sleep(for: .seconds(600))
            } catch {
                seen.add("\(type(of: error))")
                throw error
            }
            return "late"
        }
        routes.get("/deaf") { _ in
            try? await Task.sleep(for: .seconds(600))
            return "late all the same"
        }
        for path in ["/", "/deaf"] {
            let reporter = NotingReporter()
            let response = await respond(Request(.get, path), reporter) {
                RequestID()
                Timeout(after: .milliseconds(20))
                routes
            }
            #expect(response.status == .gatewayTimeout)
            #expect(response.headers[.requestID] != nil)
            #expect(reporter.failures.values.map(\.status) == [504])
        }
        #expect(seen.values == ["CancellationError"])
    }

    @Test("what is in time is as it is, errors and values included; the rest sees the request's scope")
    func inTime() async {
        var routes = Router()
        routes.get("/") { _ in "in time" }
        routes.get("/boom") { _ -> String in throw Boom() }
        routes.get("/stream") { _ in Response.stream(contentType: "a/b") { writer in try await writer.write("streamed") } }
        for (path, text) in [("/", "in time"), ("/stream", "streamed")] {
            let response = await respond(Request(.get, path)) {
                Timeout(after: .seconds(600))
                routes
            }
            #expect(response.text == text)
            #expect(response.route == path)
        }
        let failed = await respond(Request(.get, "/boom")) {
            Timeout(after: .seconds(600))
            routes
        }
        #expect(failed.error is Boom)
    }
}
