import Foundation
import SluiceTestSupport
import Testing

@testable import Sluice
@testable import SluiceCore

/// What a client reads of a stream that fails.
@Suite struct FailureMarkerTests {
    private static func failing(_ marker: FailureMarker?, encoding: String? = nil, error: any Error = Boom()) -> LambdaApp {
        app { _ in
            var response = Response.stream(contentType: "text/event-stream") { writer in
                try await writer.write("data: 1\n\n")
                throw error
            }
            response.failureMarker = marker
            response.headers[.contentEncoding] = encoding
            return response
        }
    }

    private func body(_ app: LambdaApp) async throws -> (body: String, message: WireMessage) {
        let served = await serve(app, [.init(eventJSON(), id: "the-id")], mode: "response_stream")
        let post = try #require(served.posts.first)
        #expect(served.failures.map(\.outcome) == [.streamCut])
        let type = post.trailer("lambda-runtime-function-error-type")
        #expect(type == "Function.Boom" || type == "Function.HandlerError" || type == "Function.HTTPError")
        let parts = try #require(splitPrelude(post.body))
        return (String(decoding: parts.body, as: UTF8.self), post)
    }

    @Test("a server-sent error event is the last thing before the trailers, and tells the client nothing but the id")
    func serverSentEvent() async throws {
        let body = try await body(Self.failing(.serverSentEvent)).body
        let events = body.split(separator: "\n\n").map(String.init)
        #expect(events.first == "data: 1")
        let event = try #require(events.last)
        let lines = event.split(separator: "\n").map(String.init)
        #expect(lines.count == 2)
        #expect(lines.first == "event: error")
        let last = try #require(lines.last)
        let data = try #require(JSONView(Array(last.dropFirst("data: ".count).utf8)))
        #expect(data["status"]?.number == 500)
        #expect(data["requestId"]?.text == "the-id")
        #expect(!body.contains("Boom"))
        #expect(body.hasSuffix("\n\n"))
    }

    @Test("a last line of JSON, with the words of an error that are meant for the client")
    func jsonLine() async throws {
        let error = HTTPError(.badGateway, "The kitchen is closed")
        let body = try await body(Self.failing(.jsonLine, error: error)).body
        #expect(body.hasSuffix("\n"))
        let last = try #require(body.split(separator: "\n").last)
        let json = try #require(JSONView(Array(last.utf8)))
        #expect(json["error"]?["status"]?.number == 502)
        #expect(json["error"]?["detail"]?.text == "The kitchen is closed")
    }

    @Test("also where the body was cancelled, and its writer has not heard of it yet")
    func cancelled() async throws {
        let app = app { _ in
            var response = Response.stream(contentType: "text/event-stream") { writer in
                try await writer.write("data: 1\n\n")
                withUnsafeCurrentTask { $0?.cancel() }
                try Task.checkCancellation()
            }
            response.failureMarker = FailureMarker { _, _ in Array("!".utf8) }
            return response
        }
        let served = await serve(app, [.init(eventJSON(), id: "1")], mode: "response_stream")
        let post = try #require(served.posts.first)
        let parts = try #require(splitPrelude(post.body))
        #expect(String(decoding: parts.body, as: UTF8.self) == "data: 1\n\n!")
    }

    @Test("nothing where none is set, and behind a content encoding")
    func nothing() async throws {
        #expect(try await body(Self.failing(nil)).body == "data: 1\n\n")
        #expect(try await body(Self.failing(.serverSentEvent, encoding: "gzip")).body == "data: 1\n\n")
        #expect(
            try await body(Self.failing(FailureMarker { _, _ in Array("!".utf8) }, encoding: "identity")).body == "data: 1\n\n!"
        )
    }

    @Test("a failure before the head, and buffered mode, have an error's own response")
    func honest() async throws {
        let early = app { _ in
            var response = Response.stream(contentType: "text/plain") { _ in throw Boom() }
            response.failureMarker = .jsonLine
            return response
        }
        for (app, mode) in [(early, "response_stream"), (Self.failing(.jsonLine), "buffered")] {
            let served = await serve(app, [.init(eventJSON(), id: "1")], mode: mode)
            let post = try #require(served.posts.first)
            let text = String(decoding: post.body, as: UTF8.self)
            #expect(text.contains("500"))
            #expect(!text.contains("{\"error\":"))
            #expect(served.failures.map(\.outcome) == [.handlerError])
        }
    }

    @Test("the deadline guard writes it too, when it ends a stream between two chunks")
    func guarded() async throws {
        let ended = Gate()
        let app = app { _ in
            var response = Response.stream(contentType: "text/event-stream") { writer in
                try await writer.write("data: 1\n\n")
                // Heeds nothing, until the guard has ended the stream.
                await ended.wait()
            }
            response.failureMarker = FailureMarker { error, _ in Array("event: error\ndata: \(error.status.code)\n\n".utf8) }
            return response
        }
        let api = MockRuntimeAPI([.init(eventJSON(), id: "1", timeout: 1000)]) { _ in
            ended.open()
            return .status(202)
        }
        let reporter = RecordingReporter()
        // Where all threads are busy the handler may come back late: that is no end of the tests.
        _ = await Server.serve(
            ["AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(api.port)", "AWS_LWA_INVOKE_MODE": "response_stream"],
            bootstrapsLogging: false, reporter: reporter, endProcess: {}
        ) { app }
        api.stop()
        let post = try #require(api.posts.first)
        let parts = try #require(splitPrelude(post.body))
        let body = String(decoding: parts.body, as: UTF8.self)
        #expect(body == "data: 1\n\nevent: error\ndata: 504\n\n")
        #expect(reporter.records.values.map(\.outcome).filter { $0 != .runtime } == [.timeout])
        #expect(post.trailer("lambda-runtime-function-error-type") == "Runtime.HandlerTimeout")
    }
}
