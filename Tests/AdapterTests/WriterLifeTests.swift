import SluiceTestSupport
import Synchronization
import Testing

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

    @Test("a stream that the guard has taken over is the guard's to record, whatever its writer meets first")
    func guardsRecord() async throws {
        let api = MockRuntimeAPI([])
        let address = try #require(HostPort("127.0.0.1:\(api.port)"))
        let reporter = RecordingReporter()
        let token = ReplyToken()
        let ends = Collected<ResponseEnd>()
        struct Watch: Middleware {
            let ends: Collected<ResponseEnd>
            func handle(_ request: Request, next: Next) async throws -> Response {
                var response = await next(request)
                response.onEnd { ends.add($0) }
                return response
            }
        }
        var routes = Router()
        routes.get("/{path*}") { _ in
            Response.stream(contentType: "a/b") { writer in
                try await writer.write("x")
                _ = token.take(.claim)
                try await writer.write("y")
            }
        }
        let app = LambdaApp {
            Watch(ends: ends)
            routes
        }
        let settings = try Settings(["AWS_LAMBDA_RUNTIME_API": "\(address)", "AWS_LWA_INVOKE_MODE": "response_stream"])
        let guardian = try DeadlineGuard(
            workers: 1, address: address, mode: .responseStream, answer: problemAnswer(to:for:), reporter: reporter)
        let context = WorkerContext(
            chain: app.chain, settings: settings, address: address, reporter: reporter, guardian: guardian)
        var head = HTTPMessageHead()
        head.lines = [.init("lambda-runtime-aws-request-id", "a"), .init("lambda-runtime-deadline-ms", "9999999999999")]
        let invocation = try Invocation(head, event: Array(eventJSON().utf8))
        let loop = try EventLoop()
        try loop.start("test")
        let scope = InvocationScope(requestID: "a")
        scope.progress.isPastGuard = true
        let task = Task(executorPreference: loop) {
            let client = Confined(RuntimeClient(loop, address: address))
            try await InvocationScope.$current.withValue(scope) {
                try await Trip(invocation: invocation, context: context, client: client, token: token, guarded: nil).run()
            }
        }
        try await task.value
        #expect(reporter.records.values.isEmpty)
        #expect(reporter.steps.values == ["flush"])
        #expect(ends.values.map(\.isCut) == [true])
        // It is still the guard's to take.
        #expect(scope.progress.takeTimeoutRecord())
        loop.stop()
        api.stop()
    }
}
