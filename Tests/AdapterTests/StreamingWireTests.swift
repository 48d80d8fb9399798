import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import Sluice
@testable import SluiceReporting

/// Section 8.3 of the conformance cases: the streaming wire, byte for byte, read by the tests' own reader.
@Suite struct StreamingWireTests {
    private func stream(
        _ events: [MockRuntimeAPI.Event] = [.init(eventJSON())], environment: [String: String] = [:],
        _ handler: @escaping @Sendable (Request) async throws -> Response
    ) async -> Served {
        await serve(app(handler), events, mode: "response_stream", environment: environment)
    }

    @Test("cases 61, 67: the head of a stream, and an empty answer's every byte")
    func emptyHandler() async throws {
        let served = await stream { _ in Response() }
        let post = try #require(served.posts.first)
        let head = [
            "POST /2018-06-01/runtime/invocation/req-1/response HTTP/1.1",
            "Host: 127.0.0.1:\(served.api.port)",
            "User-Agent: Sluice/0.1",
            "Content-Type: application/vnd.awslambda.http-integration-response",
            "Lambda-Runtime-Function-Response-Mode: streaming",
            "Transfer-Encoding: chunked",
            "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
        ].joined(separator: "\r\n")
        // Typed: an older compiler makes a slice of it.
        let body: [UInt8] = Array("{\"statusCode\":200}".utf8) + [UInt8](repeating: 0, count: 8)
        let expected = Array("\(head)\r\n\r\n\(String(body.count, radix: 16))\r\n".utf8) + body + Array("\r\n0\r\n\r\n".utf8)
        #expect(post.raw == expected)
        #expect(post.trailers.isEmpty)
    }

    @Test("case 62: a status alone is a prelude of one field")
    func statusOnly() async throws {
        let served = await stream { _ in Response(status: .init(code: 418)) }
        #expect(served.posts.first?.body == Array("{\"statusCode\":418}".utf8) + [UInt8](repeating: 0, count: 8))
    }

    @Test("case 63: status, header, cookies and body")
    func all() async throws {
        let served = await stream { _ in
            var response = Response(status: .init(code: 418), body: "<html>Hello Hello</html>")
            response.headers[HTTPField.Name("hello")!] = "world"
            response.headers[values: .setCookie] = ["cookies", "are", "yummy"]
            return response
        }
        let (prelude, text, body) = try #require(served.posts.first.flatMap { splitPrelude($0.body) })
        #expect(text == "{\"statusCode\":418,\"headers\":{\"hello\":\"world\"},\"cookies\":[\"cookies\",\"are\",\"yummy\"]}")
        #expect(prelude["cookies"]?.texts == ["cookies", "are", "yummy"])
        #expect(String(decoding: body, as: UTF8.self) == "<html>Hello Hello</html>")
    }

    @Test("cases 64, 78: repeated headers are joined, cookies keep their number and order")
    func repeats() async throws {
        let served = await stream([.init(eventJSON(changes: ["cookies": ["foo=bar", "hello=hello"]]))]) { request in
            var response = Response(body: "x")
            response.headers[values: HTTPField.Name("hello")!] = ["world1", "world2"]
            let own = ["yummy=1", "yummy=2", "fruit=banana; Expires=Fri, 31 Dec 1999 00:00:00 GMT"]
            response.headers[values: .setCookie] = own + request.cookies.all.map { "\($0.name)=\($0.value)" }
            return response
        }
        let prelude = try #require(served.posts.first.flatMap { splitPrelude($0.body) }?.prelude)
        #expect(prelude["headers"]?.dictionary == ["hello": "world1,world2"])
        #expect(
            prelude["cookies"]?.texts == [
                "yummy=1", "yummy=2", "fruit=banana; Expires=Fri, 31 Dec 1999 00:00:00 GMT", "foo=bar", "hello=hello",
            ])
    }

    @Test("case 65: a NUL inside the prelude's JSON is escaped")
    func nulInPrelude() {
        var json = JSONWriter()
        json.object { $0.field("loc", "mare\0tranquillitatis") }
        #expect(json.bytes == Array("{\"loc\":\"mare\\u0000tranquillitatis\"}".utf8))
    }

    @Test("case 66: a body that begins with NULs is intact behind the delimiter")
    func nulBody() async throws {
        let served = await stream { _ in Response(body: .bytes([0, 0, 0, 0, 0])) }
        let split = try #require(served.posts.first.flatMap { splitPrelude($0.body) })
        #expect(split.body == [0, 0, 0, 0, 0])
    }

    @Test("case 69: writes of 1 B, 64 KiB and 1 MiB arrive equal, without an empty chunk")
    func sizes() async throws {
        let pieces = [1, 65_536, 1_048_576].map { size in [UInt8]((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }) }
        let served = await stream { _ in
            Response.stream(contentType: "application/octet-stream") { writer in
                for piece in pieces {
                    try await writer.write(piece)
                    try await writer.write([UInt8]())
                }
            }
        }
        let post = try #require(served.posts.first)
        #expect(post.problem == nil)
        #expect(post.chunks.allSatisfy { !$0.isEmpty })
        #expect(try #require(splitPrelude(post.body)).body == pieces.flatMap { $0 })
        #expect(served.failures.isEmpty)
    }

    @Test("case 70: a throw before any write is an honest 500, not a 200 that breaks; one record")
    func throwBeforeWrite() async throws {
        let served = await stream { _ in
            var response = Response.stream(contentType: "text/csv") { _ in throw Boom() }
            response.headers[.accessControlAllowOrigin] = "*"
            response.headers[.contentEncoding] = "gzip"
            return response
        }
        #expect(served.posts.count == 1)
        let (prelude, _, body) = try #require(served.posts.first.flatMap { splitPrelude($0.body) })
        #expect(prelude["statusCode"]?.number == 500)
        // What middleware put on the response stays, what described the lost body goes.
        #expect(
            prelude["headers"]?.dictionary == ["content-type": "application/problem+json", "access-control-allow-origin": "*"])
        #expect(JSONView(body)?["status"]?.number == 500)
        #expect(served.posts.first?.trailers.isEmpty == true)
        #expect(served.failures.map(\.outcome) == [.handlerError])
    }

    @Test("case 70, an invocation that is no HTTP: no /response at all, one /error with body and type")
    func notHTTP() async throws {
        let served = await stream([.init("{\"Records\":[]}")]) { _ in Response() }
        #expect(served.posts.map(\.target) == ["/2018-06-01/runtime/invocation/req-1/error"])
        let json = try #require(JSONView(served.posts[0].body))
        #expect(json.keys == ["errorType", "errorMessage", "stackTrace"])
    }

    @Test("cases 71, 72: an error after the head is delivered in announced trailers, behind the bytes that were written")
    func throwAfterWrite() async throws {
        struct StreamFailed: Error, CustomStringConvertible { var description: String { "stream failed \"ü\"" } }
        let served = await stream([.init(eventJSON(), id: "a"), .init(eventJSON(), id: "b")]) { _ in
            Response.stream(contentType: "text/plain") { writer in
                try await writer.write("partial")
                throw StreamFailed()
            }
        }
        #expect(served.posts.count == 2)
        let post = served.posts[0]
        #expect(try #require(splitPrelude(post.body)).body == Array("partial".utf8))
        #expect(post.trailers.map(\.name) == ["Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"])
        #expect(post.trailer("Lambda-Runtime-Function-Error-Type") == "Function.StreamFailed")
        let value = try #require(post.trailer("Lambda-Runtime-Function-Error-Body"))
        let body = try #require(base64(value).flatMap { JSONView($0) })
        #expect(body["errorType"]?.text == "StreamFailed")
        #expect(body["errorMessage"]?.text == "stream failed \"ü\"")
        #expect(served.failures.map(\.outcome) == [.streamCut, .streamCut])
        #expect(served.steps.prefix(2) == ["capture", "flush"])
    }

    @Test("case 74: the writer says when status and headers are gone")
    func changeAfterWrite() async throws {
        let served = await stream { _ in
            return Response.stream(contentType: "text/plain") { writer in
                #expect(writer.canStillChangeStatus)
                try await writer.write("x")
                #expect(!writer.canStillChangeStatus)
            }
        }
        #expect(splitPrelude(served.posts[0].body)?.prelude["statusCode"]?.number == 200)
    }

    @Test("case 75: a write after the end throws and leaves the wire as it is")
    func writeAfterEnd() async throws {
        let kept = Collected<BodyWriter>()
        let errors = Collected<BodyWriterError>()
        let served = await stream([.init(eventJSON(), id: "a"), .init(eventJSON(), id: "b")]) { request in
            if let old = kept.values.first {
                do { try await old.write("late") } catch let error as BodyWriterError { errors.add(error) }
                return .text("second")
            }
            return Response.stream(contentType: "text/plain") { writer in
                try await writer.write("first")
                kept.add(writer)
            }
        }
        #expect(errors.values == [.finished])
        #expect(served.posts.map { String(decoding: splitPrelude($0.body)?.body ?? [], as: UTF8.self) } == ["first", "second"])
    }

    @Test(
        "case 76: a status that no final answer may have is a 500 and a record that names it",
        arguments: [100, 103, 199, 99, 0])
    func badStatus(_ code: Int) async throws {
        let served = await stream { _ in Response(status: .init(code: code)) }
        #expect(splitPrelude(served.posts[0].body)?.prelude["statusCode"]?.number == 500)
        #expect(served.failures.count == 1)
        #expect(served.failures.first?.error.map { "\($0)" }?.contains("\(code) is not a final HTTP status") == true)
    }

    @Test(
        "case 76: a thrown status that cannot end an exchange is a 500 too, before and in a stream; middleware's headers stay")
    func thrownBadStatus() async throws {
        struct Dress: Middleware {
            func handle(_ request: Request, next: Next) async throws -> Response {
                var response = await next(request)
                response.headers[.accessControlAllowOrigin] = "*"
                return response
            }
        }
        for inStream in [false, true] {
            var routes = Router()
            routes.get("/{path*}") { _ -> Response in
                guard inStream else { throw HTTPError(.continue) }
                return .stream(contentType: "a/b") { _ in throw HTTPError(.continue) }
            }
            let app = LambdaApp {
                Dress()
                routes
            }
            let served = await serve(app, [.init(eventJSON())], mode: "response_stream")
            let prelude = try #require(splitPrelude(served.posts[0].body)?.prelude)
            #expect(prelude["statusCode"]?.number == 500)
            #expect(prelude["headers"]?.dictionary?["access-control-allow-origin"] == "*")
            #expect(served.failures.map(\.outcome) == [.handlerError])
        }
    }

    @Test("case 65: the first raw NUL of an answer is the delimiter's, whatever its headers hold")
    func nulInHeader() async throws {
        let served = await stream { _ in Response(headers: [.location: "mare\0tranquillitatis"], body: "x") }
        let (prelude, _, body) = try #require(splitPrelude(served.posts[0].body))
        #expect(prelude["headers"]?["location"]?.text?.hasPrefix("mare") == true)
        #expect(body == Array("x".utf8))
    }

    @Test("case 77: three events are three chunks, in order")
    func events() async throws {
        let events = [
            ServerSentEvent("one\ntwo", event: "a", id: "1"), ServerSentEvent("x", retry: .seconds(2)), ServerSentEvent(""),
        ]
        let served = await stream { _ in
            Response.events { writer in for event in events { try await writer.send(event) } }
        }
        let post = try #require(served.posts.first)
        let (prelude, _, body) = try #require(splitPrelude(post.body))
        #expect(prelude["headers"]?.dictionary?["content-type"] == "text/event-stream")
        #expect(
            String(decoding: body, as: UTF8.self)
                == "event: a\nid: 1\ndata: one\ndata: two\n\nretry: 2000\ndata: x\n\ndata: \n\n")
        #expect(post.chunks.count == 4)  // the prelude, at once, and one chunk for each event
    }

    @Test("case 79: a redirect without a body ends at once")
    func redirect() async throws {
        let served = await stream { _ in .redirect(to: "/there") }
        let post = try #require(served.posts.first)
        #expect(
            post.body == Array("{\"statusCode\":302,\"headers\":{\"location\":\"/there\"}}".utf8)
                + [UInt8](repeating: 0, count: 8))
        #expect(post.chunks.count == 1)
    }

    @Test(
        "what an empty streamed answer looks like is one setting",
        arguments: [("bare", 0, false), ("content-length", 0, true), ("newline", 1, false)])
    func emptyForms(_ form: String, bytes: Int, length: Bool) async throws {
        let served = await stream(environment: ["SLUICE_EMPTY_STREAM": form]) { _ in Response(status: .init(code: 404)) }
        let (prelude, _, body) = try #require(splitPrelude(served.posts[0].body))
        #expect(body.count == bytes)
        #expect(prelude["headers"]?.dictionary?["content-length"] == (length ? "0" : nil))
        // A stream that sends its head and then no event is as empty, though it is too late for a header.
        let flushed = await stream(environment: ["SLUICE_EMPTY_STREAM": form]) { _ in Response.events { _ in } }
        #expect(splitPrelude(flushed.posts[0].body)?.body.count == bytes)
        // HEAD, 204 and 304 have no body and claim no length, whatever the setting and the handler say.
        for (method, status) in [("GET", 204), ("GET", 304), ("HEAD", 200)] {
            let none = await serve(
                app { _ in Response(status: .init(code: status), body: "not this") }, [.init(eventJSON(method: method))],
                mode: "response_stream", environment: ["SLUICE_EMPTY_STREAM": form])
            let split = try #require(splitPrelude(none.posts[0].body))
            #expect(split.body == [])
            #expect(split.prelude["headers"]?.dictionary?["content-length"] == nil)
        }
    }

    @Test("the connection of a stream is kept, unless it is to be closed as documented", arguments: [nil, "close", "keep"])
    func connection(_ setting: String?) async throws {
        let environment = setting.map { ["SLUICE_STREAM_CONNECTION": $0] } ?? [:]
        let served = await stream(
            [.init(eventJSON()), .init(eventJSON()), .init(eventJSON())], environment: environment
        ) { _ in
            Response.stream(contentType: "text/plain") { writer in for word in ["a", "b"] { try await writer.write(word) } }
        }
        #expect(served.posts.count == 3)
        for post in served.posts {
            #expect(splitPrelude(post.body)?.body == Array("ab".utf8))
            #expect(post.chunks.suffix(2) == [Array("a".utf8), Array("b".utf8)])
            #expect(String(decoding: post.raw, as: UTF8.self).contains("\r\nConnection: close\r\n") == (setting == "close"))
        }
        #expect(served.api.connections == (setting == "close" ? 4 : 1))
    }

    @Test(
        "a stream's kept connection that is dead afterwards is replaced, and each stream arrives once",
        arguments: [10, 200_000])
    func connectionDies(_ size: Int) async throws {
        let events = (0..<3).map { MockRuntimeAPI.Event(eventJSON(), id: "id-\($0)") }
        let served = await serve(
            app { _ in
                Response.stream(contentType: "text/plain") { writer in
                    for _ in 0..<2 { try await writer.write([UInt8](repeating: 0x61, count: size / 2)) }
                }
            }, events, mode: "response_stream", verdict: { _ in .statusAndEnd(202) })
        #expect(served.posts.map(\.target) == (0..<3).map { "/2018-06-01/runtime/invocation/id-\($0)/response" })
        #expect(served.posts.map { splitPrelude($0.body)?.body.count } == [size, size, size])
        #expect(served.failures.isEmpty)
        #expect(served.api.connections == 4)
    }

    @Test("a HEAD answer has the headers of GET and no body, and its stream does not run")
    func head() async throws {
        let ran = Collected<Int>()
        let served = await serve(
            app { _ in Response.stream(contentType: "text/csv") { _ in ran.add(1) } },
            [.init(eventJSON(method: "HEAD"))], mode: "response_stream")
        let (prelude, _, body) = try #require(splitPrelude(served.posts[0].body))
        #expect(prelude["headers"]?.dictionary == ["content-type": "text/csv"])
        #expect(body.isEmpty)
        #expect(ran.values.isEmpty)
    }

    @Test("case 83: what an invoker gets that knows no prelude: the JSON, eight NULs, the body, and not a byte more")
    func collected() async throws {
        let served = await stream { _ in
            .stream(contentType: "text/html; charset=utf-8") { writer in
                try await writer.write("<p>")
                await Task.yield()
                try await writer.write("hello</p>")
            }
        }
        let post = try #require(served.posts.first)
        #expect(
            post.text == #"{"statusCode":200,"headers":{"content-type":"text/html; charset=utf-8"}}"#
                + String(repeating: "\0", count: 8) + "<p>hello</p>")
    }

    @Test("case 82: the mode header is on the streamed answer only, in one process")
    func bothModes() async throws {
        let api = MockRuntimeAPI([])
        let loop = try EventLoop()
        try loop.start("test")
        let task = Task(executorPreference: loop) {
            let client = RuntimeClient(loop, address: HostPort("127.0.0.1:\(api.port)")!)
            try await client.respond("1", [])
            let reply = StreamReply("2", client, ReplyToken(), StreamForm(Response(), to: .get, .bare))
            try await reply.finish()
            try await client.respond("3", [])
        }
        try await task.value
        loop.stop()
        #expect(api.posts.map { $0["Lambda-Runtime-Function-Response-Mode"] } == [nil, "streaming", nil])
        api.stop()
    }

    actor Author {
        func write(_ writer: BodyWriter, _ piece: [UInt8]) async throws { try await writer.write(piece) }
    }

    @Test("an actor whose jobs run on many threads may write: the socket stays on its loop")
    func actorWrites() async throws {
        let author = Author()
        let served = await stream { _ in
            let other = Task.detached {
                for _ in 0..<2000 { _ = try? await author.write(BodyWriter(CollectingSink(limit: 10)), [1]) }
            }
            return Response.stream(contentType: "text/plain") { writer in
                for _ in 0..<300 { try await author.write(writer, [UInt8](repeating: 0x61, count: 30_000)) }
                await other.value
            }
        }
        #expect(splitPrelude(served.posts[0].body)?.body.count == 9_000_000)
        #expect(served.failures.isEmpty)
    }

    @Test("the first write after a cancellation throws, a farewell after it leaves")
    func farewell() async throws {
        let served = await stream { _ in
            Response.stream(contentType: "text/plain") { writer in
                withUnsafeCurrentTask { $0?.cancel() }
                await #expect(throws: CancellationError.self) { try await writer.write("lost") }
                try await writer.write("goodbye")
            }
        }
        #expect(splitPrelude(served.posts[0].body)?.body == Array("goodbye".utf8))
    }

    @Test("writers at once wait in line: no chunk is torn")
    func concurrentWriters() async throws {
        let served = await stream { _ in
            Response.stream(contentType: "text/plain") { writer in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for letter in ["a", "b", "c", "d"] {
                        group.addTask {
                            for _ in 0..<8 {
                                try await writer.write([UInt8](repeating: letter.utf8.first ?? 0, count: 10_000))
                            }
                        }
                        group.addTask(executorPreference: globalConcurrentExecutor) {
                            for _ in 0..<8 {
                                try await writer.write([UInt8](repeating: letter.utf8.first ?? 0, count: 10_000))
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
        let post = try #require(served.posts.first)
        #expect(post.problem == nil && !post.isCut)
        #expect(post.chunks.dropFirst().count == 64)
        #expect(post.chunks.dropFirst().allSatisfy { $0.count == 10_000 && Set($0).count == 1 })
    }
}
