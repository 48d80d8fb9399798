import Foundation
import Logging
import Sluice
import SluiceTestSupport
import SluiceTesting
import Testing

struct Boom: Error {}

/// The same app through all three ways.
@Suite struct TestClientTests {
    static let ways: [TestClient.Transport] = [.pipeline, .functionURL(.buffered), .functionURL(.responseStream)]

    private static func app() -> LambdaApp {
        var routes = Router()
        routes.get("/text") { request in
            Logger(label: "app").info("hello", metadata: ["n": "1"])
            return "hello \(request.query["n"] ?? "")"
        }
        routes.post("/echo") { request in Response(headers: [.contentType: "text/plain"], body: request.body) }
        routes.get("/boom") { _ -> String in throw Boom() }
        routes.get("/missing") { _ -> String in throw HTTPError(.notFound, "no such tea") }
        routes.get("/stream") { _ in
            Response.stream(contentType: "text/plain") { writer in
                for part in ["a", "b", "c"] {
                    try await writer.write(part)
                    await Task.yield()
                }
            }
        }
        routes.get("/cut") { _ in
            Response.stream(contentType: "text/plain") { writer in
                try await writer.write("half")
                throw Boom()
            }
        }
        routes.get("/early") { _ in Response.stream(contentType: "text/plain") { _ in throw Boom() } }
        routes.get("/cookie") { request in
            var response = Response.text(request.cookies["n"] ?? "none")
            try response.setCookie(SetCookie(name: "n", value: "1"))
            return response
        }
        routes.get("/wait") { _ in
            try await Task.sleep(for: .seconds(60))
            return "late"
        }
        return LambdaApp {
            RequestID()
            routes
            CaptureErrors(to: [])
        }
    }

    @Test("status, headers and text", arguments: ways)
    func plain(_ way: TestClient.Transport) async throws {
        let client = try TestClient(Self.app(), through: way)
        let response = try await client.get("/text?n=7")
        #expect(response.status == .ok)
        #expect(response.text == "hello 7")
        #expect(response.headers[.contentType] == "text/plain; charset=utf-8")
        #expect(response.error == nil && !response.isCut)
        #expect(try await client.post("/echo", body: "back").text == "back")
        #expect(client.reports.isEmpty)
        #expect(client.records.filter { $0.label == "app" }.map(\.message) == ["hello"])
    }

    @Test("a failure is a response, a report that was flushed, and a record", arguments: ways)
    func failure(_ way: TestClient.Transport) async throws {
        let client = try TestClient(Self.app(), through: way)
        let response = try await client.get("/boom")
        #expect(response.status == .internalServerError)
        #expect(response.error is Boom)
        #expect(client.reports.map(\.outcome) == [.handlerError])
        #expect(client.ledger == client.ledger && client.ledger.captured == 1 && client.ledger.pending == 0)
        #expect(client.records.filter { $0.level == .error }.map(\.message) == ["GET /boom failed with 500"])
        client.reset()
        #expect(try await client.get("/missing").status == .notFound)
        #expect(client.reports.isEmpty && client.records.filter { $0.level >= .error }.isEmpty)
        let early = try await client.get("/early")
        #expect(early.status == .internalServerError && !early.isCut && early.error is Boom)
    }

    @Test("a stream's chunks come as they are written; a cut one says so")
    func streams() async throws {
        for way in [TestClient.Transport.pipeline, .functionURL(.responseStream)] {
            let client = try TestClient(Self.app(), through: way)
            let response = try await client.get("/stream")
            #expect(response.text == "abc")
            if way == .pipeline { #expect(response.chunks.texts == ["a", "b", "c"]) }
            var again: [UInt8] = []
            for await chunk in response.chunks { again += chunk }
            #expect(again == response.bytes)
            let cut = try await client.get("/cut")
            #expect(cut.status == .ok && cut.text == "half" && cut.error is Boom)
            // What the Function URL makes of the trailers: the end of the stream, which is no cut for HTTP.
            if way == .pipeline { #expect(cut.isCut) }
            #expect(client.reports.map(\.outcome) == [.streamCut])
        }
    }

    @Test("a live stream: the head is there before the first chunk, and a reader may go away")
    func live() async throws {
        let opened = Gate()
        let ended = Collected<String>()
        var routes = Router()
        routes.get("/events") { _ in
            Response.events { events in
                await opened.wait()
                do {
                    while true { try await events.send("tick") }
                } catch {
                    ended.add("\(error)")
                    throw error
                }
            }
        }
        let app = LambdaApp {
            routes
            CaptureErrors(to: [])
        }
        let client = try TestClient(app)
        let stream = try await client.stream(Request(.get, "/events"))
        #expect(stream.status == .ok && stream.headers[.contentType] == "text/event-stream")
        opened.open()
        var iterator = stream.makeAsyncIterator()
        #expect(await iterator.next() == Array("data: tick\n\n".utf8))
        stream.cancel()
        #expect(await iterator.next() == nil)
        while ended.values.isEmpty { await Task.yield() }
        #expect(ended.values.first?.contains("gone") == true)
    }

    @Test("a clock that the test moves: the deadline is a 504 with one record")
    func clock() async throws {
        let clock = TestClock()
        let began = Gate()
        let left = Collected<Duration>()
        var routes = Router()
        routes.get("/wait") { request in
            left.add(request.deadline?.remaining ?? .zero)
            began.open()
            try await Task.sleep(for: .seconds(600))
            return "late"
        }
        let app = LambdaApp {
            routes
            CaptureErrors(to: [])
        }
        let client = try TestClient(app, timeout: .seconds(3), clock: clock)
        async let answer = client.get("/wait")
        await began.wait()
        clock.advance(by: .milliseconds(2400))
        #expect(client.reports.isEmpty)
        clock.advance(by: .milliseconds(200))
        let response = try await answer
        #expect(response.status == .gatewayTimeout)
        #expect(client.reports.map(\.outcome) == [.timeout])
        #expect(left.values == [.seconds(3)])
    }

    @Test("cookies are kept when asked for", arguments: [true, false])
    func cookies(_ keeps: Bool) async throws {
        let client = try TestClient(Self.app(), keepsCookies: keeps)
        #expect(try await client.get("/cookie").text == "none")
        #expect(try await client.get("/cookie").text == (keeps ? "1" : "none"))
    }

    @Test("an app that cannot start makes no client")
    func invalid() {
        var routes = Router()
        routes.get("/x") { _ in "1" }
        routes.get("/x") { _ in "2" }
        #expect(throws: RouteError.self) { try TestClient(LambdaApp { routes }) }
        #expect(throws: MiddlewareError.self) {
            try TestClient(
                LambdaApp {
                    CORS(origins: .any, credentials: true)
                    Router()
                })
        }
    }

    @Test("a recorded event is replayed")
    func replay() async throws {
        let event = """
            {"version":"2.0","rawPath":"/text","rawQueryString":"n=3","headers":{"host":"h"},"isBase64Encoded":false,
            "requestContext":{"http":{"method":"GET","path":"/text","protocol":"HTTP/1.1","sourceIp":"1.2.3.4"}}}
            """
        let client = try TestClient(Self.app())
        #expect(try await client.replay(event).text == "hello 3")
        let folder = TemporaryFolder()
        let path = folder.path + "/event.json"
        try event.write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try await client.replay(contentsOf: path).text == "hello 3")
        await #expect(throws: (any Error).self) { try await client.replay("{}") }
    }

    @Test("twenty clients at once keep what is theirs apart")
    func apart() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let client = try TestClient(Self.app(), through: number % 4 == 0 ? .functionURL(.buffered) : .pipeline)
                    let failing = number % 2 == 0
                    _ = try await client.get(failing ? "/boom" : "/text?n=\(number)")
                    #expect(client.reports.count == (failing ? 1 : 0))
                    #expect(client.records.filter { $0.label == "app" }.count == (failing ? 0 : 1))
                }
            }
            try await group.waitForAll()
        }
    }
}

/// Bodies as browsers and clients send them.
@Suite struct TestBodiesTests {
    struct Order: Codable, Equatable { let name: String, count: Int }

    @Test("JSON, forms and files arrive", arguments: TestClientTests.ways)
    func bodies(_ way: TestClient.Transport) async throws {
        var routes = Router()
        routes.post("/") { request in
            let order = try request.decode(Order.self)
            return "\(order.name) \(order.count)"
        }
        routes.post("/file") { request in
            let file = try request.multipart().requireFile("f")
            return "\(file.name) \(file.filename ?? "") \(file.contentType ?? "") \(file.bytes)"
        }
        let client = try TestClient(LambdaApp { routes }, through: way)
        let order = Order(name: "ä&=+", count: 3)
        #expect(try await client.send(.json(.post, "/", order)).text == "ä&=+ 3")
        #expect(try await client.send(.form(.post, "/", ["name": "ä&=+", "count": "3"])).text == "ä&=+ 3")
        let parts = [TestPart.field("name", "x\r\n"), .field("count", "4")]
        #expect(try await client.send(.multipart(.post, "/", parts)).text == "x\r\n 4")
        let file = TestPart.file("f", filename: "a.bin", contentType: "a/b", [0, 255, 13, 10])
        #expect(try await client.send(.multipart(.post, "/file", [file])).text == "f a.bin a/b [0, 255, 13, 10]")
        #expect(try await client.head("/").status == .methodNotAllowed)
        #expect(try await client.options("/").headers[.allow] == "OPTIONS, POST")
    }

    @Test("with a clock that stands in the past a flush is waited for; after the reply too")
    func flushed() async throws {
        var routes = Router()
        routes.get("/") { _ -> String in throw Boom() }
        for moment in [FlushReports.Moment.beforeReply, .afterReply] {
            let app = LambdaApp {
                routes
                CaptureErrors(to: [])
                FlushReports(when: moment)
            }
            for _ in 0..<20 {
                let client = try TestClient(app, clock: TestClock())
                _ = try await client.get("/")
                #expect(client.ledger.delivered == 1)
                #expect(client.ledger.captured == 1)
            }
        }
    }
}

/// What an attacker has found.
@Suite(.serialized) struct TestClientLifeTests {
    @Test("parallel requests through a Function URL have each its own error")
    func errors() async throws {
        var routes = Router()
        routes.get("/{n}") { request in
            let number = try request.parameters.require("n", as: Int.self)
            if number % 2 == 1 { throw Boom() }
            return "fine"
        }
        let client = try TestClient(LambdaApp { routes }, through: .functionURL(.buffered))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let response = try await client.get("/\(number)")
                    #expect((response.error is Boom) == (number % 2 == 1))
                    #expect((response.status == .ok) == (number % 2 == 0))
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("a caller that is cancelled does not wait", arguments: TestClientTests.ways)
    func cancelled(_ way: TestClient.Transport) async throws {
        let began = Gate()
        let never = Gate()
        var routes = Router()
        routes.get("/") { _ in
            began.open()
            await never.wait()
            return "late"
        }
        let client = try TestClient(LambdaApp { routes }, through: way)
        let task = Task { try await client.get("/") }
        await began.wait()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        never.open()
    }

    @Test("a stream that nobody has any more is cancelled")
    func letGo() async throws {
        let ended = Gate()
        var routes = Router()
        routes.get("/") { _ in
            Response.stream(contentType: "a/b") { writer in
                defer { ended.open() }
                while true { try await writer.write("x") }
            }
        }
        let client = try TestClient(LambdaApp { routes })
        var stream: TestStream? = try await client.stream(Request(.get, "/"))
        #expect(stream?.status == .ok)
        stream = nil
        await ended.wait()
    }

    @Test(
        "an event goes to its handler, whatever the transport; its failures are reported, and what fails it is thrown",
        arguments: TestClientTests.ways)
    func events(_ way: TestClient.Transport) async throws {
        var events = Events()
        events.queue(of: String.self) { message in
            Logger(label: "app").info("got \(message.id)")
            if message.body == "bad" { throw Boom() }
        }
        events.any(of: String.self) { _ in throw Boom() }
        let sent = events
        let client = try TestClient(LambdaApp { sent }, through: way)
        let records = [("1", "good"), ("2", "bad")].map { #"{"eventSource":"aws:sqs","messageId":"\#($0)","body":"\#($1)"}"# }
        let reply = try await client.send(event: #"{"Records":[\#(records.joined(separator: ","))]}"#)
        #expect(reply.text == #"{"batchItemFailures":[{"itemIdentifier":"2"}]}"#)
        #expect(client.reports.map { $0.tags["record_id"] } == ["2"])
        #expect(client.ledger.captured == 1 && client.ledger.pending == 0)
        #expect(client.records.map(\.message).filter { $0.hasPrefix("got") } == ["got 1", "got 2"])
        await #expect(throws: Boom.self) { try await client.send(event: "{}") }
        #expect(client.reports.count == 2)
    }
}

/// The process's descriptors: scripts/test runs this one alone, as other suites open some too.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["SLUICE_ALONE"] != nil)) struct DescriptorTests {
    private static func openDescriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }

    @Test("clients of a Function URL give back what they have opened")
    func descriptors() async throws {
        var routes = Router()
        routes.get("/") { _ in "x" }
        let before = try Self.openDescriptors()
        for _ in 0..<30 {
            let client = try TestClient(LambdaApp { routes }, through: .functionURL(.buffered))
            #expect(try await client.get("/").text == "x")
        }
        // They end on threads of their own. Thirty clients that keep theirs have a hundred.
        for _ in 0..<100_000 where try Self.openDescriptors() > before + 10 { await Task.yield() }
        #expect(try Self.openDescriptors() <= before + 10)
    }
}
