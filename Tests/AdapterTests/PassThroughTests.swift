import SluiceTestSupport
import Testing

@testable import Sluice
@testable import SluiceCore

/// Events that are no HTTP requests, by way of a route: what Lambda Web Adapter does with them.
@Suite struct PassThroughTests {
    @Test(
        "case 40: an event without a handler is a POST to the path of the settings, unchanged; its answer's body is the result",
        arguments: ["/q", "q"], ["buffered", "response_stream"])
    func passThrough(_ path: String, mode: String) async throws {
        let seen = Collected<Request>()
        var routes = Router()
        routes.post("/q") { request in
            seen.add(request)
            return Response(headers: [.contentType: "application/json"], body: #" {"batchItemFailures":[]}"#)
        }
        let json = " " + queueEvent(["1"]) + " "
        let served = await serve(
            LambdaApp { routes }, [.init(json)], mode: mode, environment: ["AWS_LWA_PASS_THROUGH_PATH": path])
        let request = try #require(seen.values.first)
        #expect(
            request.method == .post && request.rawPath == "/q" && request.lambda?.frontEnd == nil
                && request.headers[.contentType] == "application/json")
        #expect(request.body.bytes == Array(json.utf8) && request.id == "req-1" && request.lambda?.event.text == json)
        let post = try #require(served.posts.first)
        #expect(post.target.hasSuffix("/response") && post.body == Array(#" {"batchItemFailures":[]}"#.utf8))
        #expect(post["transfer-encoding"] == nil && served.failures.isEmpty)
    }

    @Test("an event that has a handler does not pass through")
    func handledFirst() async throws {
        let seen = Collected<String>()
        var (routes, events) = (Router(), Events())
        routes.post("/q") { _ in "route" }
        events.queue(of: String.self) { seen.add($0.body) }
        let served = await serve(
            LambdaApp {
                routes; events
            }, [.init(queueEvent(["1"]))], environment: ["AWS_LWA_PASS_THROUGH_PATH": "/q"])
        #expect(seen.values == ["1"] && served.posts.first?.body == Array(#"{"batchItemFailures":[]}"#.utf8))
    }

    enum Answer: String, CaseIterable, Sendable { case text, empty, thrown, refused, missing, returned, large, stream }

    @Test("what passes through: no JSON is null; an error fails the invocation with one record", arguments: Answer.allCases)
    func answers(_ answer: Answer) async throws {
        var routes = Router()
        if answer != .missing {
            routes.post("/q") { _ -> Response in
                switch answer {
                case .text: return .text("no JSON")
                case .thrown: throw Boom()
                case .refused: throw HTTPError(.conflict, "taken")
                case .returned: return Response(status: .serviceUnavailable)
                case .large: return Response(body: .bytes([UInt8](repeating: 0x31, count: 7_000_000)))
                case .stream:
                    return .stream(contentType: "application/json") { writer in
                        try await writer.write("[1,")
                        try await writer.write("2]")
                    }
                case .empty, .missing: return Response(status: .noContent)
                }
            }
        }
        let served = await serve(
            LambdaApp { routes }, [.init(queueEvent(["1"]))], mode: "response_stream",
            environment: ["AWS_LWA_PASS_THROUGH_PATH": "/q"])
        let post = try #require(served.posts.first)
        #expect(served.posts.count == 1)
        let types = [
            Answer.thrown: "Function.Boom", .refused: "Function.HTTPError", .missing: "Function.HTTPError",
            .returned: "Function.ErrorStatus", .large: "Function.ReplyTooLarge",
        ]
        #expect(post["lambda-runtime-function-error-type"] == types[answer])
        #expect(post.target.hasSuffix(types[answer] == nil ? "/response" : "/error"))
        #expect(served.failures.count == (types[answer] == nil ? 0 : 1))
        switch answer {
        case .text, .empty: #expect(post.body == Array("null".utf8))
        case .stream: #expect(post.body == Array("[1,2]".utf8))
        case .refused, .missing: #expect(served.failures.map(\.outcome) == [.errorStatus])
        default: break
        }
    }
}
