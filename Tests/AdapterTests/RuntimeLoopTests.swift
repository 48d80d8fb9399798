import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import Sluice

/// Section 8.4 of the conformance cases: the loop, against a Runtime API of raw sockets.
@Suite struct RuntimeLoopTests {
    @Test("case 84: next is a GET with our User-Agent and the API's host")
    func next() async throws {
        let served = await serve(app { _ in .text("x") }, [])
        let message = try #require(served.api.messages.first)
        #expect(
            message.raw
                == Array(
                    "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: 127.0.0.1:\(served.api.port)\r\nUser-Agent: Sluice/0.1\r\n\r\n"
                        .utf8))
    }

    @Test("cases 85, 86: an answer's declared length is its length", arguments: ["", "hello swift lambda!"])
    func lengths(_ body: String) async throws {
        let api = MockRuntimeAPI([])
        let loop = try EventLoop()
        try loop.start("test")
        try await Task(executorPreference: loop) {
            try await RuntimeClient(loop, address: HostPort("127.0.0.1:\(api.port)")!).respond("id", Array(body.utf8))
        }.value
        loop.stop()
        let post = try #require(api.posts.first)
        #expect(post.firstLine == "POST /2018-06-01/runtime/invocation/id/response HTTP/1.1")
        #expect(post["Content-Length"] == String(body.utf8.count))
        #expect(post.text == body)
        api.stop()
    }

    @Test("case 87: an error has its three fields and a type of the platform's form")
    func error() async throws {
        struct SomeError: Error, CustomStringConvertible { var description: String { "An error happened" } }
        let document = ErrorDocument(SomeError())
        let json = try #require(JSONView(document.json))
        #expect(json["errorType"]?.text == "SomeError")
        #expect(json["errorMessage"]?.text == "An error happened")
        #expect(json["stackTrace"]?.count == 0)
        #expect(document.type.description == "Function.SomeError")
        let api = MockRuntimeAPI([])
        let loop = try EventLoop()
        try loop.start("test")
        try await Task(executorPreference: loop) {
            try await RuntimeClient(loop, address: HostPort("127.0.0.1:\(api.port)")!).fail("id", document)
        }.value
        loop.stop()
        let post = try #require(api.posts.first)
        #expect(post.firstLine == "POST /2018-06-01/runtime/invocation/id/error HTTP/1.1")
        #expect(post["Lambda-Runtime-Function-Error-Type"] == "Function.SomeError")
        #expect(post.body == document.json)
        // SDK callers get this text: of an HTTPError, only what is meant for them; and never more than a few KiB.
        let public_ = ErrorDocument(HTTPError(.conflict, "public", detail: "secret", cause: SomeError()))
        #expect(public_.message == "public")
        struct Long: Error, CustomStringConvertible { var description: String { String(repeating: "ü", count: 100_000) } }
        #expect(ErrorDocument(Long()).message.utf8.count <= 8192)
        // One character of Swift's may be as long as it likes.
        struct Marked: Error, CustomStringConvertible {
            var description: String { "x" + String(repeating: "\u{301}", count: 100_000) }
        }
        let marked = ErrorDocument(Marked()).message
        #expect(marked.utf8.count <= 8192)
        #expect(marked.utf8.elementsEqual(("x" + String(repeating: "\u{301}", count: 4094) + "…").utf8))
    }

    @Test("case 88: a start-up error with an emoji goes to init/error, its length counted in bytes; then the end")
    func startUp() async throws {
        var routes = Router()
        routes.get("/🚀/{a}") { _ in "x" }
        routes.get("/🚀/{b}") { _ in "y" }
        let served = await serve(LambdaApp { routes }, [.init(eventJSON())])
        #expect(served.end == .failed)
        let message = try #require(served.api.messages.first)
        #expect(served.api.messages.count == 1)
        #expect(message.firstLine == "POST /2018-06-01/runtime/init/error HTTP/1.1")
        #expect(message["Content-Length"] == String(message.body.count))
        #expect(message["Lambda-Runtime-Function-Error-Type"] == "Runtime.RouteError")
        #expect(
            JSONView(message.body)?["errorMessage"]?.text == "two routes answer the same requests: GET /🚀/{a} and GET /🚀/{b}")
        #expect(served.records.map(\.outcome) == [.startUp])
    }

    @Test("a bad value of a variable of ours stops start-up and names the variable")
    func badVariable() async throws {
        let served = await serve(app { _ in .text("x") }, [], environment: ["SLUICE_EMPTY_STREAM": "perhaps"])
        #expect(served.end == .failed)
        let json = try #require(served.api.messages.first.flatMap { JSONView($0.body) })
        #expect(json["errorMessage"]?.text == "SLUICE_EMPTY_STREAM: expected one of bare, content-length, newline")
    }

    @Test("case 89: ten invocations of which every third fails: 11 GETs, 10 POSTs, one record each, end on 410")
    func tenInvocations() async {
        let events = (0..<10).map { MockRuntimeAPI.Event(eventJSON(query: "n=\($0)"), id: "id-\($0)") }
        let served = await serve(
            app { request in
                if try request.query.require("n", as: Int.self) % 3 == 0 { throw Boom() }
                return .text("ok")
            }, events)
        #expect(served.api.messages.filter { $0.method == "GET" }.count == 11)
        #expect(served.posts.map(\.target) == (0..<10).map { "/2018-06-01/runtime/invocation/id-\($0)/response" })
        #expect(served.posts.map { JSONView($0.body)?["statusCode"]?.number } == (0..<10).map { $0 % 3 == 0 ? 500 : 200 })
        #expect(served.failures.map(\.outcome) == [.handlerError, .handlerError, .handlerError, .handlerError])
        #expect(served.end == .failed)
        #expect(served.records.last?.error.map { "\($0)" }?.contains("410") == true)
    }

    @Test("case 90: exactly 200 is an event, exactly 202 is accepted; the rest follows the table")
    func statuses() {
        for status in 200...599 {
            #expect((RuntimeRule.next(status) == .accepted) == (status == 200))
            #expect(RuntimeRule.next(status) == (status == 200 ? .accepted : .exit))
            #expect((RuntimeRule.post(status) == .accepted) == (status == 202))
        }
        for status in [400, 403, 410, 413, 200, 404] { #expect(RuntimeRule.post(status) == .goOn) }
        for status in [500, 502, 503] { #expect(RuntimeRule.post(status) == .exit) }
    }

    @Test(
        "case 81: a refused answer is on record once and the loop goes on", arguments: [400, 403, 410, 413],
        ["buffered", "response_stream"])
    func refused(_ status: Int, mode: String) async {
        let served = await serve(
            app { _ in .text("ok") }, [.init(eventJSON(), id: "a"), .init(eventJSON(), id: "b")], mode: mode
        ) { .status($0 == 0 ? status : 202) }
        #expect(served.posts.count == 2)
        #expect(served.failures.map(\.outcome) == [.replyRefused])
        #expect(served.failures.first?.status == status)
        #expect(served.api.messages.filter { $0.method == "GET" }.count == 3)
    }

    @Test("a 500 of the API ends the process, with a record", arguments: ["buffered", "response_stream"])
    func containerError(_ mode: String) async {
        let served = await serve(
            app { _ in .text("ok") }, [.init(eventJSON(), id: "a"), .init(eventJSON(), id: "b")], mode: mode
        ) { _ in .status(500) }
        #expect(served.end == .failed)
        #expect(served.posts.count == 1)
        #expect(served.records.map(\.outcome) == [.runtime])
        #expect(served.records.first?.level == .critical)
    }

    struct HeaderCase: Sendable, CustomTestStringConvertible {
        let name: String
        let value: String?
        var testDescription: String { "\(name): \(value ?? "(none)")" }
    }

    static let badHeaders = [
        HeaderCase(name: "Lambda-Runtime-Client-Context", value: "{not json"),
        HeaderCase(name: "Lambda-Runtime-Client-Context", value: "[1]"),
        HeaderCase(name: "Lambda-Runtime-Cognito-Identity", value: "{\"cognitoIdentityId\":1}"),
        HeaderCase(name: "Lambda-Runtime-Cognito-Identity", value: "nonsense"),
        HeaderCase(name: "Lambda-Runtime-Deadline-Ms", value: "soon"),
        HeaderCase(name: "Lambda-Runtime-Deadline-Ms", value: "99999999999999999999"),
        HeaderCase(name: "Lambda-Runtime-Deadline-Ms", value: nil),
    ]

    @Test("case 91: headers that cannot be used fail that invocation, and the loop goes on", arguments: badHeaders)
    func badContext(_ one: HeaderCase) async throws {
        var bad = MockRuntimeAPI.Event(eventJSON(), id: "bad")
        bad.headers = [one.name: one.value]
        let served = await serve(app { _ in .text("ok") }, [bad, .init(eventJSON(), id: "good")])
        #expect(served.posts.map(\.target) == ["bad/error", "good/response"].map { "/2018-06-01/runtime/invocation/\($0)" })
        #expect(served.posts.first?["Lambda-Runtime-Function-Error-Type"] == "Runtime.InvocationError")
        #expect(served.failures.map(\.outcome) == [.badEvent])
        #expect(served.failures.first?.error.map { "\($0)" }?.contains(one.name) == true)
    }

    @Test("an invocation without an id cannot be answered, and would come again for ever: records, and the end")
    func noID() async {
        var bad = MockRuntimeAPI.Event(eventJSON())
        bad.headers = ["Lambda-Runtime-Aws-Request-Id": nil]
        let served = await serve(app { _ in .text("ok") }, [bad, .init(eventJSON(), id: "good")])
        #expect(served.posts.isEmpty)
        #expect(served.end == .failed)
        #expect(served.failures.map(\.outcome) == [.badEvent])
        #expect(served.records.last?.outcome == .runtime)
    }

    @Test("what Lambda says of an invocation reaches the handler; empty headers are as good as none")
    func context() async throws {
        var event = MockRuntimeAPI.Event(eventJSON(), id: "the-id")
        event.headers = [
            "Lambda-Runtime-Client-Context": "",
            "Lambda-Runtime-Cognito-Identity": "{\"cognitoIdentityId\":\"i\",\"cognitoIdentityPoolId\":\"p\"}",
            "Lambda-Runtime-Aws-Tenant-Id": "123",
        ]
        let seen = Collected<Request>()
        _ = await serve(
            app { request in
                seen.add(request); return .text("x")
            }, [event])
        let request = try #require(seen.values.first)
        #expect(request.id == "the-id")
        #expect(request.lambda?.functionARN == "arn:aws:lambda:eu-west-2:123456789012:function:shop:live")
        #expect(request.lambda?.traceID?.hasPrefix("Root=1-5bef4de7") == true)
        #expect(request.lambda?.tenantID == "123")
        #expect(request.lambda?.cognitoIdentity == CognitoIdentity(identityID: "i", poolID: "p"))
        #expect(request.lambda?.clientContext == nil)
        #expect(request.deadline != nil && request.deadline == request.lambda?.deadline)
        struct Version: Decodable { let version: String }
        #expect(try request.lambda?.event.decode(Version.self).version == "2.0")
    }

    @Test("case 95: an answer that cannot be encoded is a 500 with a record of the encoding error")
    func unencodable() async throws {
        struct Bad: Encodable { let value = Double.nan }
        let served = await serve(app { _ in try .json(Bad()) }, [.init(eventJSON())])
        #expect(JSONView(served.posts[0].body)?["statusCode"]?.number == 500)
        #expect(served.failures.first?.error is EncodingError)
    }

    @Test("case 96: a request id is percent-encoded in the path")
    func oddID() async throws {
        var event = MockRuntimeAPI.Event(eventJSON())
        event.headers = ["Lambda-Runtime-Aws-Request-Id": "a/b?#⚡.."]
        let served = await serve(app { _ in .text("x") }, [event])
        #expect(served.posts.map(\.target) == ["/2018-06-01/runtime/invocation/a%2Fb%3F%23%E2%9A%A1../response"])
    }

    @Test("case 97: our error types always have the platform's form")
    func errorTypes() {
        for reason in ["", "myError", "My1", "My_Error", "M", "My.Error", "MyErrör"] {
            #expect(ErrorType(.function, reason: reason) == nil)
        }
        #expect(ErrorType(.runtime, reason: "InvalidEvent")?.description == "Runtime.InvalidEvent")
        enum lower_case1: Error { case a }
        #expect(ErrorDocument(lower_case1.a).type.description == "Function.HandlerError")
        #expect(ErrorDocument(lower_case1.a).errorType == "lower_case1")
    }

    @Test(
        "case 101: a kept connection that died is replaced, and the answer is delivered once",
        arguments: ["buffered", "response_stream"])
    func staleConnection(_ mode: String) async {
        let events = (0..<3).map { MockRuntimeAPI.Event(eventJSON(), id: "id-\($0)") }
        let served = await serve(app { _ in .text("ok") }, events, mode: mode, resetsAfterNext: true)
        #expect(served.posts.map(\.target) == (0..<3).map { "/2018-06-01/runtime/invocation/id-\($0)/response" })
        #expect(served.failures.isEmpty)
    }

    @Test("a POST on a fresh connection is not repeated: it may have arrived")
    func noBlindRepeat() async throws {
        for (closes, connections) in [(false, 2), (true, 2)] {
            var event = MockRuntimeAPI.Event(eventJSON())
            event.closes = closes
            let served = await serve(app { _ in .text("ok") }, [event]) { _ in .reset }
            #expect(served.posts.isEmpty)
            #expect(served.end == .failed)
            #expect(served.records.map(\.outcome) == [.runtime])
            // Kept: `next` and the first try on one connection, the repeat on a second, no third. Fresh: one try.
            #expect(served.api.connections == connections)
        }
    }

    @Test("an API that is not there ends the process with a record")
    func nobodyThere() async {
        let reporter = RecordingReporter()
        let app = app { _ in .text("x") }
        let end = await Server.serve(["AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"], bootstrapsLogging: false, reporter: reporter) {
            app
        }
        #expect(end == .failed)
        #expect(reporter.records.values.map(\.outcome) == [.runtime])
    }

    @Test("case 103: run() lets one caller through, and cancellation ends it")
    func runOnce() async throws {
        let first = Once()
        #expect([first.take(), first.take()] == [true, false])

        let (listener, port) = RawSocket.listen()
        let asked = Gate()
        let thread = Thread {
            let socket = listener.accept()
            _ = socket?.read()  // `next`, never answered
            asked.open()
            _ = socket?.read()
        }
        thread.start()
        let app = app { _ in .text("x") }
        let task = Task {
            await Server.serve(
                ["AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(port)"], bootstrapsLogging: false, reporter: RecordingReporter()
            ) { app }
        }
        await asked.wait()
        task.cancel()
        #expect(await task.value == .cancelled)
    }

    @Test("case 104: an event may come chunked", arguments: [true, false])
    func chunkedEvent(_ chunked: Bool) async throws {
        var event = MockRuntimeAPI.Event(
            eventJSON(method: "POST", changes: ["body": String(repeating: "0123456789", count: 500)]))
        event.chunked = chunked
        let served = await serve(
            app { request in Response(headers: [.contentType: "text/plain"], body: request.body) }, [event])
        #expect(JSONView(served.posts[0].body)?["body"]?.text?.count == 5000)
    }

    @Test("a stale connection under a stream of many small writes is replaced, and nothing is lost")
    func staleUnderSmallWrites() async throws {
        let served = await serve(
            app { _ in
                Response.stream(contentType: "text/plain") { writer in
                    for index in 0..<2000 { try await writer.write("\(index),") }
                }
            }, [.init(eventJSON())], mode: "response_stream", resetsAfterNext: true)
        #expect(served.failures.isEmpty)
        let body = try #require(served.posts.first.flatMap { splitPrelude($0.body) }?.body)
        #expect(String(decoding: body, as: UTF8.self) == (0..<2000).map { "\($0)," }.joined())
    }

    @Test(
        "case 90: on the wire, a `next` with another status than 200 ends the loop with a record",
        arguments: [201, 204, 302, 404, 410, 500, 503])
    func nextStatuses(_ status: Int) async {
        let served = await serve(app { _ in .text("x") }, [], endStatus: status)
        #expect(served.end == .failed)
        #expect(served.api.messages.count == 1)
        #expect(served.records.map(\.outcome) == [.runtime])
        #expect(served.records.first?.error.map { "\($0)" }?.contains("\(status)") == true)
    }

    @Test("five workers answer each on its own id, and no scope is mixed")
    func workers() async throws {
        let events = (0..<100).map { MockRuntimeAPI.Event(eventJSON(query: "n=\($0)"), id: "id-\($0)") }
        let served = await serve(
            app { request in
                await Task.yield()
                let inner = await Task { InvocationScope.current?.requestID }.value
                return .text(
                    "\(request.query["n"] ?? "") \(request.id) \(InvocationScope.current?.requestID ?? "") \(inner ?? "")")
            }, events, environment: ["AWS_LAMBDA_MAX_CONCURRENCY": "5"])
        #expect(served.posts.count == 100)
        for post in served.posts {
            let text = try #require(JSONView(post.body)?["body"]?.text)
            let n = try #require(text.split(separator: " ").first)
            #expect(text == "\(n) id-\(n) id-\(n) id-\(n)")
            #expect(post.target == "/2018-06-01/runtime/invocation/id-\(n)/response")
        }
    }

    @Test("every socket to the Runtime API is without Nagle's delay")
    func noDelay() throws {
        let (listener, port) = RawSocket.listen()
        let socket = try Socket(connectingTo: "127.0.0.1", port: port)
        #expect(RawSocket(adopting: dup(socket.descriptor)).hasNoDelay)
        _ = listener
        let named = try Socket(connectingTo: "localhost", port: port)
        #expect(RawSocket(adopting: dup(named.descriptor)).hasNoDelay)
    }

    @Test("bytes behind an answer are nobody's event: the connection ends there")
    func strayBytes() async {
        let stray =
            "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: forged\r\nLambda-Runtime-Deadline-Ms: 9\r\nContent-Length: 2\r\n\r\n{}"
        let served = await serve(app { _ in .text("x") }, [.init(eventJSON(), id: "a"), .init(eventJSON(), id: "b")]) { _ in
            .statusAndMore(202, stray)
        }
        #expect(served.posts.map(\.target) == ["a", "b"].map { "/2018-06-01/runtime/invocation/\($0)/response" })
        #expect(served.api.connections == 3)
        #expect(served.failures.isEmpty)
    }

    @Test("an error of the settings is told to the Runtime API that the settings name, or past one that cannot be read")
    func settingsErrors() async {
        for proxyIsUsable in [true, false] {
            let (api, proxy) = (MockRuntimeAPI([]), MockRuntimeAPI([]))
            let end = await Server.serve(
                [
                    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(api.port)",
                    "AWS_LWA_LAMBDA_RUNTIME_API_PROXY": proxyIsUsable ? "127.0.0.1:\(proxy.port)" : "nowhere",
                    "SLUICE_EMPTY_STREAM": "wrong",
                ], bootstrapsLogging: false, reporter: RecordingReporter()
            ) { app { _ in .text("x") } }
            #expect(end == .failed)
            let told = ["/2018-06-01/runtime/init/error"]
            #expect(api.posts.map(\.target) == (proxyIsUsable ? [] : told))
            #expect(proxy.posts.map(\.target) == (proxyIsUsable ? told : []))
            api.stop()
            proxy.stop()
        }
    }

    @Test("an app that cannot start answers a test's request with what is wrong")
    func respondWithProblem() async {
        var routes = Router()
        routes.get("/a/{x}") { _ in "1" }
        routes.get("/a/{y}") { _ in "2" }
        let app = LambdaApp { routes }
        let response = await app.respond(to: Request(.get, "/a/b"))
        #expect(response.status == .internalServerError)
        #expect((response.error as? RouteError)?.description.contains("GET /a/{x} and GET /a/{y}") == true)
        #expect(!response.text.contains("/a/{x}"))
    }
}
