import Foundation
import Sluice
import Synchronization
import Testing

/// What a test of an app needs, made by hand: parameters, Lambda's context, a scope, a failure, a stream that is read as it comes.
@Suite struct WithoutTestableTests {
    @Test("parameters and Lambda's context are made for a handler that is called alone")
    func handler() async throws {
        @Sendable func show(_ request: Request) throws -> String {
            "\(try request.parameters.require("id", as: Int.self)) \(request.lambda?.tenantID ?? "nobody")"
        }
        var request = Request(.get, "/orders/7")
        request.parameters = ["id": "7"]
        #expect(try show(request) == "7 nobody")
        request.lambda = LambdaContext(event: "{}", tenantID: "blue")
        #expect(try show(request) == "7 blue")
    }

    @Test("an event's JSON becomes the request that a handler would get, or an error that says why not")
    func event() async throws {
        let event = """
            {"version":"2.0","rawPath":"/a%20b","rawQueryString":"x=1","cookies":["c=d"],"headers":{"host":"h","x-a":"1"},
             "requestContext":{"http":{"method":"POST","sourceIp":"192.0.2.1"},"stage":"live"},"body":"aGk=","isBase64Encoded":true}
            """
        let request = try Request(LambdaContext(event: event, requestID: "the-id"))
        #expect(request.id == "the-id")
        #expect(request.method == .post)
        #expect(request.path == "/a b")
        #expect(request.query["x"] == "1")
        #expect(request.cookies["c"] == "d")
        #expect(request.remoteAddress == "192.0.2.1")
        #expect(request.body.bytes == Array("hi".utf8))
        struct Event: Decodable {
            struct Context: Decodable { let stage: String }
            let requestContext: Context
        }
        #expect(try request.lambda?.event.decode(Event.self).requestContext.stage == "live")
        for bad in ["", "[]", "{", #"{"requestContext":{"http":{"method":"G T"}}}"#] {
            #expect(throws: (any Error).self) { try Request(LambdaContext(event: bad)) }
        }
    }

    @Test("a scope of one's own is what code under an invocation asks for")
    func scope() async {
        await InvocationScope.$current.withValue(InvocationScope(requestID: "r", tenantID: "blue")) {
            Reports.setTag("plan", "gold")
            #expect(InvocationScope.current?.requestID == "r")
            #expect(await Task { InvocationScope.current?.tenantID }.value == "blue")
        }
    }

    @Test("the chunks of a stream are read as they come: each write waits for its reader")
    func chunks() async {
        let order = Mutex<[String]>([])
        var routes = Router()
        routes.get("/rows") { _ in
            Response.stream(contentType: "text/csv") { writer in
                for row in 1...3 {
                    order.withLock { $0.append("write \(row)") }
                    try await writer.write("\(row)")
                }
            }
        }
        let app = LambdaApp { routes }
        let response = await app.respond(to: Request(.get, "/rows")) { chunk in
            await Task.yield()
            order.withLock { $0.append("read \(String(decoding: chunk, as: UTF8.self))") }
        }
        #expect(response.status == .ok)
        #expect(response.error == nil)
        #expect(order.withLock(\.self) == ["write 1", "read 1", "write 2", "read 2", "write 3", "read 3"])
    }

    @Test(
        "a stream that fails: before its first byte an honest response, afterwards a cut one; a reader that goes away stops it")
    func failing() async {
        struct Broken: Error {}
        struct Gone: Error {}
        let ends = Mutex<[String]>([])
        struct Watch: Middleware {
            let note: @Sendable (ResponseEnd) -> Void
            func handle(_ request: Request, next: Next) async throws -> Response {
                var response = await next(request)
                response.onEnd(note)
                return response
            }
        }
        var routes = Router()
        routes.get("/{bytes}") { request in
            let bytes = try request.parameters.require("bytes", as: Int.self)
            return Response.stream(contentType: "text/plain") { writer in
                if bytes > 0 { try await writer.write(String(repeating: "x", count: bytes)) }
                throw Broken()
            }
        }
        let app = LambdaApp {
            Watch { end in ends.withLock { $0.append("\(end.status.code) \(end.bytesWritten) \(end.isCut)") } }
            routes
        }
        let read = Mutex(0)
        let early = await app.respond(to: Request(.get, "/0")) { chunk in read.withLock { $0 += chunk.count } }
        #expect(early.status == .internalServerError)
        #expect(early.error is Broken)
        #expect(read.withLock(\.self) > 0)
        let late = await app.respond(to: Request(.get, "/5")) { _ in }
        #expect(late.status == .ok)
        #expect(late.error is Broken)
        let gone = await app.respond(to: Request(.get, "/5")) { _ in throw Gone() }
        #expect((gone.error as? BodyWriterError)?.code == .disconnected)
        #expect(ends.withLock { $0.dropFirst() } == ["200 5 true", "200 0 true"])
    }

    @Test("a body's bytes are nil for a stream, and collected on demand, up to a limit")
    func collect() async throws {
        let stream = Body.stream { writer in for _ in 0..<3 { try await writer.write("ab") } }
        #expect(stream.bytes == nil)
        #expect(try await stream.collect() == Array("ababab".utf8))
        #expect(try await Body.text("ab").collect(upTo: 2) == Array("ab".utf8))
        await #expect(throws: BodyWriterError.self) { try await stream.collect(upTo: 5) }
        await #expect(throws: BodyWriterError.self) { try await Body.text("abc").collect(upTo: 2) }
        do {
            _ = try await stream.collect(upTo: 5)
        } catch BodyWriterError.finished {
            Issue.record("another reason")
        } catch let error as BodyWriterError {
            #expect(error.code == .tooLarge)
        }
    }
}
