import SluiceTestSupport
import Synchronization
import Testing

@testable import SluiceCore
@testable import Sluice
@testable import SluiceReporting

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A writer lives as long as its body: what is kept of it afterwards writes nothing and holds nothing open.
@Suite struct WriterLifeTests {
    @Test("a task that a failed body has left behind cannot make a 200 of its 404", arguments: ["buffered", "response_stream"])
    func leftBehind(mode: String) async throws {
        let (mayWrite, hasWritten) = (Gate(), Gate())
        let outcome = Collected<String>()
        let reporter = RecordingReporter {
            mayWrite.open()
            await hasWritten.wait()
        }
        let served = await serve(
            app { _ in
                .stream(contentType: "a/b") { writer in
                    Task.detached {
                        await mayWrite.wait()
                        do {
                            try await writer.write("stray")
                            outcome.add("written")
                        } catch { outcome.add("\(error)") }
                        hasWritten.open()
                    }
                    throw HTTPError(.notFound)
                }
            }, [.init(eventJSON())], mode: mode, reporter: reporter)
        #expect(outcome.values == ["\(BodyWriterError.finished)"])
        let post = try #require(served.posts.first)
        let head = mode == "buffered" ? JSONView(post.body) : splitPrelude(post.body)?.prelude
        #expect(head?["statusCode"]?.number == 404)
        #expect(!post.text.contains("stray"))
    }

    @Test("a task that a finished body has left behind writes nothing behind it")
    func leftBehindAtEnd() async throws {
        let (mayWrite, hasWritten) = (Gate(), Gate())
        let reporter = RecordingReporter {
            mayWrite.open()
            await hasWritten.wait()
        }
        let served = await serve(
            app { _ in
                .stream(contentType: "a/b") { writer in
                    Task {
                        await mayWrite.wait()
                        try? await writer.write("stray")
                        hasWritten.open()
                    }
                    try await writer.write("whole")
                }
            }, [.init(eventJSON())], mode: "response_stream", reporter: reporter)
        let post = try #require(served.posts.first)
        let body = try #require(splitPrelude(post.body)).body
        #expect(String(decoding: body, as: UTF8.self) == "whole")
    }

    /// Descriptors of this process whose peer is that port.
    private func connections(to port: UInt16) -> Int {
        (0..<4096).count { descriptor in
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let code = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(CInt(descriptor), $0, &length) }
            }
            return code == 0 && UInt16(bigEndian: address.sin_port) == port
        }
    }

    @Test("writers that the app keeps hold no connection")
    func keptWriters() async {
        let kept = Mutex<[BodyWriter]>([])
        let served = await serve(
            app { _ in
                .stream(contentType: "a/b") { writer in
                    kept.withLock { $0.append(writer) }
                    try await writer.write("x")
                }
            }, (0..<20).map { .init(eventJSON(), id: "\($0)") }, mode: "response_stream")
        #expect(served.posts.count == 20)
        #expect(connections(to: served.api.port) == 0)
        #expect(kept.withLock { $0.count } == 20)
        // Their loop has ended: nobody waits for it.
        for writer in kept.withLock({ $0 }) {
            await #expect(throws: BodyWriterError.finished) { try await writer.write("late") }
        }
    }

    @Test("a write that waits in line while its body ends writes nothing")
    func inLine() async throws {
        let api = MockRuntimeAPI([], receiveBuffer: 4096)
        let loop = try EventLoop()
        try loop.start("test")
        let address = try #require(HostPort("127.0.0.1:\(api.port)"))
        let outcome = Task(executorPreference: loop) {
            let reply = StreamReply(
                "a", RuntimeClient(loop, address: address), ReplyToken(), StreamForm(Response(), to: .get, .bare))
            var tasks: [Task<Void, any Error>] = []
            try await BodyWriter(reply).lent { writer in
                for size in [5_000_000, 10] {
                    tasks.append(
                        Task(executorPreference: loop) { try await writer.write([UInt8](repeating: 1, count: size)) })
                }
                // The loop runs them in their order: the first one waits for its reader, the second one for the first.
                await Task.yield()
                await Task.yield()
            }
            try await tasks[0].value
            await #expect(throws: BodyWriterError.finished) { try await tasks[1].value }
            try await reply.finish()
            return reply.bytesWritten
        }
        #expect(try await outcome.value == 5_000_000)
        loop.stop()
        api.stop()
    }

    @Test("a stream whose reader is gone holds no connection, while its body goes on")
    func broken() async throws {
        let api = MockRuntimeAPI([], cutsStreams: true)
        let loop = try EventLoop()
        try loop.start("test")
        let address = try #require(HostPort("127.0.0.1:\(api.port)"))
        let reply = Task(executorPreference: loop) {
            let client = RuntimeClient(loop, address: address)
            let reply = StreamReply("a", client, ReplyToken(), StreamForm(Response(), to: .get, .bare))
            while reply.failure == nil { try? await reply.write([UInt8](repeating: 0, count: 100_000)) }
            return reply
        }
        #expect(await reply.value.shared == nil)
        loop.stop()
        api.stop()
    }

    struct Watch: Middleware {
        let ends: Collected<ResponseEnd>
        func handle(_ request: Request, next: Next) async throws -> Response {
            var response = await next(request)
            response.onEnd { ends.add($0) }
            return response
        }
    }

    @Test(
        "a stream that the guard has taken over is the guard's to record, whatever its writer meets first",
        arguments: [[.claim], [.chunk, .seize], [.chunk, .claim, .seize]] as [[ReplyStep]])
    func guardsRecord(_ steps: [ReplyStep]) async throws {
        try await checkTakeOver(status: 200, isCut: true) { token, writer in
            try await writer.write("x")
            for step in steps { _ = token.take(step) }
            try await writer.write("y")
        }
    }

    @Test(
        "where the guard has answered, its status is the one that everybody hears of, whatever the app makes of a time-out",
        arguments: [true, false], [504, 503])
    func guardsStatus(_ writes: Bool, status: Int) async throws {
        try await checkTakeOver(status: status, isCut: false, announced: status) { token, writer in
            _ = token.take(.claim)
            if writes { try await writer.write("y") }
        }
    }

    private func checkTakeOver(
        status: Int, isCut: Bool, records: Int = 0, announced: Int? = nil,
        onFlush: @escaping @Sendable (ReplyToken) -> Void = { _ in },
        _ producer: @escaping @Sendable (ReplyToken, BodyWriter) async throws -> Void
    ) async throws {
        let api = MockRuntimeAPI([])
        let address = try #require(HostPort("127.0.0.1:\(api.port)"))
        let loop = try EventLoop()
        let settings = try Settings(["AWS_LAMBDA_RUNTIME_API": "\(address)", "AWS_LWA_INVOKE_MODE": "response_stream"])
        let reply = Reply(to: "a", settings, RuntimeClient(loop, address: address))
        let token = reply.token
        if let announced { reply.announce(Response(status: .init(code: announced))) }
        let reporter = RecordingReporter { onFlush(token) }
        let ends = Collected<ResponseEnd>()
        var routes = Router()
        routes.get("/{path*}") { _ in
            Response.stream(contentType: "a/b") { try await producer(token, $0) }
        }
        let app = LambdaApp {
            Watch(ends: ends)
            routes
        }
        var head = HTTPMessageHead()
        head.lines = [.init("lambda-runtime-aws-request-id", "a"), .init("lambda-runtime-deadline-ms", "9999999999999")]
        let invocation = try Invocation(head, event: Array(eventJSON().utf8))
        try loop.start("test")
        let scope = InvocationScope(requestID: "a")
        scope.state.isTimedOut = true
        let task = Task(executorPreference: loop) {
            try await InvocationScope.$current.withValue(scope) {
                try await InvocationHandler(
                    invocation: invocation, chain: app.chain, reporter: reporter, reply: reply, guarded: nil
                ).run()
            }
        }
        try await task.value
        #expect(reporter.records.values.count == records)
        #expect(reporter.steps.values == (records == 0 ? [] : ["capture"]) + ["flush"])
        #expect(ends.values.map(\.isCut) == [isCut])
        #expect(ends.values.map(\.status.code) == [status])
        // It is still the guard's to take.
        if records == 0 { #expect(scope.state.takeTimeoutRecord()) }
        loop.stop()
        api.stop()
    }

    @Test(
        "what a failed stream means is one status, for client, access line and record",
        arguments: ["buffered", "response_stream"])
    func oneStatus(mode: String) async throws {
        struct NoTea: Error {}
        for (thrown, code) in [(NoTea() as any Error & Sendable, 404), (HTTPError(.notFound), 500)] {
            let ends = Collected<ResponseEnd>()
            var routes = Router()
            routes.get("/{path*}") { _ in Response.stream(contentType: "a/b") { _ in throw thrown } }
            let app = LambdaApp(errorResponse: { _, _ in .text("shaped", status: .init(code: code)) }) {
                Watch(ends: ends)
                routes
            }
            let served = await serve(app, [.init(eventJSON())], mode: mode)
            let post = try #require(served.posts.first)
            let head = mode == "buffered" ? JSONView(post.body) : splitPrelude(post.body)?.prelude
            #expect(head?["statusCode"]?.number == code)
            #expect(ends.values.map(\.status.code) == [code])
            #expect(served.failures.map(\.status) == (code >= 500 ? [code] : []))
        }
    }

    @Test("an oversized reply has its record, whatever status the app gives it; a bad event's answer may be a stream")
    func shapes() async throws {
        let app = LambdaApp(errorResponse: { _, _ in
            Response.stream(contentType: "a/b", status: .notFound) { try await $0.write("shaped") }
        }) { Self.large() }
        for mode in ["buffered", "response_stream"] {
            let served = await serve(
                app, [.init(eventJSON()), .init(eventJSON(changes: ["rawPath": 1]), id: "bad")], mode: mode)
            #expect(served.failures.map(\.outcome) == (mode == "buffered" ? [.replyUnusable] : []) + [.badEvent])
            let post = try #require(served.posts.last)
            let text =
                mode == "buffered"
                ? JSONView(post.body)?["body"]?.text : splitPrelude(post.body).map { String(decoding: $0.body, as: UTF8.self) }
            #expect(mode == "buffered" ? text == "c2hhcGVk" : text == "shaped")
        }
    }

    private static func large() -> Router {
        var routes = Router()
        routes.get("/{path*}") { _ in [UInt8](repeating: 0, count: BufferedReply.limit) }
        return routes
    }

    @Test("a writer that outlived its body writes nothing, in the very turn of the loop in which the body wrote")
    func joined() async throws {
        let (kept, errors) = (Collected<BodyWriter>(), Collected<BodyWriterError>())
        let served = await serve(
            app { _ in
                var response = Response.stream(contentType: "a/b") { writer in
                    kept.add(writer)
                    try await writer.write("in")
                }
                response.wrapBody { writer, body in
                    try await body(writer)
                    do { try await kept.values[0].write("late") } catch let error as BodyWriterError { errors.add(error) }
                }
                return response
            }, [.init(eventJSON())], mode: "response_stream")
        #expect(errors.values == [.finished])
        let post = try #require(served.posts.first)
        #expect(splitPrelude(post.body)?.body == Array("in".utf8))
    }

    @Test("a body that is called twice after its first byte cuts the stream, with trailers and a record")
    func twice() async throws {
        let served = await serve(
            app { _ in
                var response = Response.stream(contentType: "a/b") { try await $0.write("x") }
                response.wrapBody { writer, body in
                    try await body(writer)
                    try? await body(writer)
                }
                return response
            }, [.init(eventJSON())], mode: "response_stream")
        let post = try #require(served.posts.first)
        #expect(post.trailer("Lambda-Runtime-Function-Error-Type") != nil)
        #expect(splitPrelude(post.body)?.body == Array("x".utf8))
        #expect(served.failures.map(\.outcome) == [.streamCut])
    }

    @Test("what a worker has accounted for is nobody else's any more: what it said stays true", arguments: [0, 1, 2])
    func committed(_ kind: Int) async throws {
        let claims = Collected<Bool>()
        try await checkTakeOver(
            status: kind == 2 ? 500 : 200, isCut: kind == 1, records: kind == 0 ? 0 : 1,
            onFlush: { claims.add($0.take(.claim)) }
        ) { _, writer in
            if kind < 2 { try await writer.write("x") }
            if kind > 0 { throw Boom() }
        }
        #expect(claims.values == [false])
    }

    @Test("a reply that is broken has its record, whatever was recorded of its handler")
    func brokenReply() async {
        let served = await serve(app { _ in throw Boom() }, [.init(eventJSON())], mode: "response_stream") { _ in .reset }
        #expect(served.failures.map(\.outcome) == [.handlerError, .replyRefused])
    }

    @Test("what wraps the body of a HEAD request writes nothing either", arguments: ["buffered", "response_stream"])
    func head(mode: String) async throws {
        let served = await serve(
            app { _ in
                var response = Response.text("x")
                response.wrapBody { writer, body in
                    try await writer.write("header")
                    try await body(writer)
                }
                return response
            }, [.init(eventJSON(method: "HEAD"))], mode: mode)
        let post = try #require(served.posts.first)
        if mode == "buffered" {
            #expect(JSONView(post.body)?["body"]?.text == "")
        } else {
            #expect(splitPrelude(post.body)?.body == [])
        }
        #expect(served.failures.isEmpty)
    }
}
