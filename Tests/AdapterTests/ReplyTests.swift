import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import Sluice

/// What becomes of responses: limits, listed statuses, and when failures are captured and flushed.
@Suite struct ReplyTests {
    @Test("case 60: an answer over the limit becomes a 500 and one record that names the size")
    func tooLarge() async throws {
        let size = BufferedReply.limit
        let served = await serve(
            app { _ in Response(headers: [.contentType: "text/plain"], body: .bytes([UInt8](repeating: 0x61, count: size))) },
            [.init(eventJSON())])
        #expect(served.posts.count == 1)
        #expect(JSONView(served.posts[0].body)?["statusCode"]?.number == 500)
        #expect(served.failures.map(\.outcome) == [.replyUnusable])
        let text = try #require(served.failures.first?.error.map { "\($0)" })
        #expect(text.contains("\(6 * 1024 * 1024 + 100)"))
        #expect(text.firstMatch(of: /has (\d+) bytes/).flatMap { Int($0.1) }.map { $0 > size } == true)
    }

    @Test("a collected stream over the limit is a 500 and one record, and the handler's write throws")
    func collectedTooLarge() async throws {
        let served = await serve(
            app { _ in
                Response.stream(contentType: "text/plain") { writer in
                    while true { try await writer.write([UInt8](repeating: 0x61, count: 1_000_000)) }
                }
            }, [.init(eventJSON())])
        #expect(JSONView(served.posts[0].body)?["statusCode"]?.number == 500)
        #expect(served.failures.count == 1)
        #expect(served.failures.first?.error as? BodyWriterError == .tooLarge(size: 7_000_000, limit: BufferedReply.limit))
    }

    @Test("an answer of exactly the limit leaves, one byte more does not")
    func exactlyTheLimit() async throws {
        let overhead = BufferedReply.encode(Response(headers: [.contentType: "text/plain"], body: "a")).count - 1
        for (extra, outcome) in [(0, [Failure.Outcome]()), (1, [.replyUnusable])] {
            let body = [UInt8](repeating: 0x61, count: BufferedReply.limit - overhead + extra)
            let served = await serve(
                app { _ in Response(headers: [.contentType: "text/plain"], body: .bytes(body)) }, [.init(eventJSON())])
            #expect(served.failures.map(\.outcome) == outcome)
            #expect((served.posts.first?.body.count == BufferedReply.limit) == (extra == 0))
        }
    }

    @Test(
        "a large binary body is whole, whatever its length: its base64 is made in parts while it is sent",
        arguments: [2_097_151, 2_097_152, 2_097_153, 3_145_727, 3_145_728, 3_145_729, 3_145_730, 4_700_000])
    func largeBody(_ size: Int) async throws {
        // No two parts alike.
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &* 7 &+ $0 >> 16) }
        let response = Response(headers: [.contentType: "application/octet-stream"], body: .bytes(body))
        let served = await serve(app { _ in response }, [.init(eventJSON())])
        #expect(served.failures.isEmpty && served.posts.count == 1)
        let post = try #require(served.posts.first)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(post.body)) as? [String: Any])
        #expect(object["isBase64Encoded"] as? Bool == true && object["statusCode"] as? Int == 200)
        let text = try #require(object["body"] as? String)
        #expect(Data(base64Encoded: text) == Data(body))
        // Announced, drafted and sent are one length.
        #expect(BufferedReply.encode(response).count == post.body.count)
        #expect(BufferedReply.encode(response).bytes == post.body)
        #expect((BufferedReply.encode(response).body == nil) == (size < BufferedReply.large))
    }

    @Test("case 58: an unknown route is a 404 answer without a record", arguments: ["buffered", "response_stream"])
    func unknownRoute(_ mode: String) async throws {
        var routes = Router()
        routes.get("/known") { _ in "x" }
        let served = await serve(LambdaApp { routes }, [.init(eventJSON(path: "/unknown"))], mode: mode)
        #expect(served.posts[0].target.hasSuffix("/response"))
        let status =
            mode == "buffered"
            ? JSONView(served.posts[0].body)?["statusCode"] : splitPrelude(served.posts[0].body)?.prelude["statusCode"]
        #expect(status?.number == 404)
        #expect(served.failures.isEmpty)
    }

    @Test(
        "case 59: a listed status fails the invocation, with one record; others do not",
        arguments: ["buffered", "response_stream"])
    func errorStatusCodes(_ mode: String) async throws {
        let early = await serve(
            app { _ in .stream(contentType: "a/b") { _ in throw Boom() } }, [.init(eventJSON())], mode: mode,
            environment: ["AWS_LWA_ERROR_STATUS_CODES": "500"])
        #expect(early.posts.map(\.target) == ["/2018-06-01/runtime/invocation/req-1/error"])
        #expect(early.failures.map(\.outcome) == [.handlerError])
        for (code, call, outcomes) in [
            (502, "error", [Failure.Outcome.serverErrorResponse]), (418, "error", [.errorStatus]), (404, "response", []),
        ] {
            let served = await serve(
                app { _ in Response(status: .init(code: code)) }, [.init(eventJSON())], mode: mode,
                environment: ["AWS_LWA_ERROR_STATUS_CODES": "500-504, 418"])
            #expect(served.posts.map(\.target) == ["/2018-06-01/runtime/invocation/req-1/\(call)"])
            #expect(served.failures.map(\.outcome) == outcomes)
        }
    }

    @Test(
        "case 80: a reader that goes away in mid-stream: the handler's write throws, one record, and the loop goes on or ends by the table"
    )
    func brokenStream() async throws {
        let errors = Collected<any Error>()
        let served = await serve(
            app { _ in
                Response.stream(contentType: "text/plain") { writer in
                    do {
                        while true { try await writer.write([UInt8](repeating: 0x61, count: 100_000)) }
                    } catch {
                        errors.add(error)
                        throw error
                    }
                }
            }, [.init(eventJSON())], mode: "response_stream", cutsStreams: true)
        guard (errors.values.first as? BodyWriterError)?.code == .disconnected else {
            Issue.record("the write did not fail: \(errors.values)")
            return
        }
        #expect(served.failures.map(\.outcome) == [.replyRefused])
        #expect(served.failures.first?.path == "/my/path")
    }

    @Test("a write that failed and was kept quiet is a failure all the same", arguments: ["buffered", "response_stream"])
    func swallowed(_ mode: String) async throws {
        let served = await serve(
            app { _ in
                Response.stream(contentType: "text/plain") { writer in
                    do {
                        while true { try await writer.write([UInt8](repeating: 0x61, count: 1_000_000)) }
                    } catch {}
                }
            }, [.init(eventJSON())], mode: mode, cutsStreams: mode == "response_stream")
        #expect(served.failures.count == 1)
        if mode == "buffered" { #expect(JSONView(served.posts[0].body)?["statusCode"]?.number == 500) }
    }

    @Test("headers that are too large for an answer: 500 without them, one record, one POST")
    func largeHeaders() async throws {
        let served = await serve(
            app { _ in Response(headers: [.location: String(repeating: "x", count: BufferedReply.limit)]) },
            [.init(eventJSON())])
        #expect(served.posts.count == 1)
        #expect(JSONView(served.posts[0].body)?["statusCode"]?.number == 500)
        #expect(served.failures.map(\.outcome) == [.replyUnusable])
    }

    @Test("a failure that the chain cannot see is flushed before its answer leaves")
    func lateFailuresAreFlushed() async throws {
        let posted = Collected<Int>()
        let seen = Collected<Int>()
        let reporter = RecordingReporter { seen.add(posted.values.count) }
        let served = await serve(
            app { _ in Response(body: .bytes([UInt8](repeating: 0, count: BufferedReply.limit))) },
            [.init(eventJSON()), .init("{}")],
            reporter: reporter
        ) { _ in
            posted.add(1)
            return .status(202)
        }
        // Each failure is captured and flushed before its reply, and once more before `next`.
        #expect(served.steps.prefix(6) == ["capture", "flush", "flush", "capture", "flush", "flush"])
        #expect(seen.values.prefix(4) == [0, 1, 1, 2])
    }

    @Test("afterReply: the answer leaves first, the flush comes before the next `next`")
    func afterReply() async {
        for moment in [FlushReports.Moment.beforeReply, .afterReply] {
            let api = Collected<Int>()
            let posted = Collected<Int>()
            let reporter = RecordingReporter { api.add(posted.values.count) }
            var routes = Router()
            routes.get("/{path*}") { _ -> String in throw Boom() }
            let app = LambdaApp {
                routes
                CaptureErrors()
                FlushReports(when: moment, within: .seconds(1))
            }
            _ = await serve(app, [.init(eventJSON())], reporter: reporter) { _ in
                posted.add(1)
                return .status(202)
            }
            // Before the reply, once more before `next`, for what came up in between, and when the process ends.
            #expect(api.values == (moment == .beforeReply ? [0, 1, 1] : [1, 1]))
        }
    }

    @Test("the flush comes after the capture and before the last byte of a stream")
    func flushOrder() async throws {
        let lastByteSeen = Collected<Bool>()
        let posted = Collected<Int>()
        let reporter = RecordingReporter { lastByteSeen.add(!posted.values.isEmpty) }
        let served = await serve(
            app { _ in
                Response.stream(contentType: "text/plain") { writer in
                    try await writer.write("x")
                    throw Boom()
                }
            }, [.init(eventJSON())], mode: "response_stream", reporter: reporter
        ) { _ in
            posted.add(1)
            return .status(202)
        }
        #expect(served.steps.prefix(2) == ["capture", "flush"])
        #expect(lastByteSeen.values.first == false)
    }
}
