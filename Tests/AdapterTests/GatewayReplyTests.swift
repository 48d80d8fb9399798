import Foundation
import SluiceTestSupport
import Testing

@testable import Sluice
@testable import SluiceCore

/// Section 8.2 of the conformance cases for the front ends that are not a Function URL, read with Foundation's JSON.
@Suite struct GatewayReplyTests {
    private static var response: Response {
        var response = Response(headers: [.contentType: "text/plain", .eTag: "\"1\""], body: "grönt")
        response.headers[values: .setCookie] = ["a=1", "b=2; Expires=Fri, 31 Dec 1999 00:00:00 GMT"]
        response.headers[values: .vary] = ["Accept", "Origin"]
        response.headers[.connection] = "close"
        return response
    }

    private func reply(_ form: EventForm, _ response: Response = Self.response) throws -> [String: Any] {
        let bytes = BufferedReply.encode(response, as: form).bytes
        return try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    @Test("case 52: payload 1.0 has every value in its place", arguments: [EventForm.restAPI, .httpAPI1])
    func payload1(_ form: EventForm) throws {
        let json = try reply(form)
        #expect(Set(json.keys) == ["statusCode", "multiValueHeaders", "body", "isBase64Encoded"])
        #expect(
            json["multiValueHeaders"] as? [String: [String]] == [
                "content-type": ["text/plain"], "etag": ["\"1\""], "vary": ["Accept", "Origin"],
                "set-cookie": ["a=1", "b=2; Expires=Fri, 31 Dec 1999 00:00:00 GMT"],
            ])
        #expect(json["body"] as? String == "grönt")
        #expect(json["isBase64Encoded"] as? Bool == false)
    }

    @Test("cases 55, 56: a load balancer gets the map of its mode, a description of the status, and an intact cookie")
    func loadBalancer() throws {
        let single = try reply(.loadBalancer)
        #expect(single["statusDescription"] as? String == "200 OK")
        #expect(
            single["headers"] as? [String: String] == [
                "content-type": "text/plain", "etag": "\"1\"", "vary": "Accept,Origin",
                "set-cookie": "b=2; Expires=Fri, 31 Dec 1999 00:00:00 GMT",
            ])
        #expect(single["multiValueHeaders"] == nil)
        let multi = try reply(.loadBalancerMulti)
        #expect(multi["headers"] == nil)
        #expect((multi["multiValueHeaders"] as? [String: [String]])?["set-cookie"]?.count == 2)
        #expect(multi["statusDescription"] as? String == "200 OK")
        #expect(try reply(.loadBalancer, Response(status: .init(code: 599)))["statusDescription"] as? String == "599 Status")
    }

    @Test("case 57: VPC Lattice gets several cookies as a list")
    func lattice() throws {
        let json = try reply(.lattice2)
        let headers = try #require(json["headers"] as? [String: Any])
        #expect(headers["set-cookie"] as? [String] == ["a=1", "b=2; Expires=Fri, 31 Dec 1999 00:00:00 GMT"])
        #expect(headers["vary"] as? String == "Accept,Origin")
        #expect((try reply(.lattice1)["headers"] as? [String: String])?["set-cookie"]?.hasPrefix("b=2") == true)
    }

    @Test("bytes are base64 behind each front end", arguments: EventForm.allCases)
    func bytes(_ form: EventForm) throws {
        let bytes = (0...255).map { UInt8($0) }
        let json = try reply(form, Response(headers: [.contentType: "image/png"], body: .bytes(bytes)))
        #expect(json["isBase64Encoded"] as? Bool == true)
        #expect((json["body"] as? String).flatMap { Data(base64Encoded: $0) } == Data(bytes))
    }

    static let fixtures: [(String, Bool)] = [
        ("function-url", true), ("http-api", false), ("rest", true), ("http-api-v1", false), ("alb", false),
        ("alb-multi", false), ("lattice-v1", false), ("lattice-v2", false),
    ]

    @Test("what cannot stream gets a whole reply in either mode, the others a prelude", arguments: fixtures, [false, true])
    func modes(_ fixture: (file: String, streams: Bool), streaming: Bool) async throws {
        let app = app { _ in
            var response = Response.stream(contentType: "text/plain") { writer in
                try await writer.write("a")
                try await writer.write("b")
            }
            response.headers[values: .setCookie] = ["a=1", "b=2"]
            return response
        }
        let served = await serve(
            app, [.init(try Fixture.text(fixture.file), id: "1")],
            mode: streaming ? "response_stream" : "buffered")
        let post = try #require(served.posts.first)
        #expect(served.posts.count == 1)
        #expect(served.failures.isEmpty)
        guard streaming, fixture.streams else {
            let json = try #require(try JSONSerialization.jsonObject(with: Data(post.body)) as? [String: Any])
            #expect(json["body"] as? String == "ab")
            #expect(post["lambda-runtime-function-response-mode"] == nil)
            return
        }
        #expect(post["lambda-runtime-function-response-mode"] == "streaming")
        let parts = try #require(splitPrelude(post.body))
        #expect(parts.body == Array("ab".utf8))
        #expect(parts.prelude["statusCode"]?.number == 200)
        let multi = parts.prelude["multiValueHeaders"]?["set-cookie"]?.texts
        #expect((parts.prelude["cookies"]?.texts ?? multi) == ["a=1", "b=2"])
        #expect((multi == nil) == (fixture.file == "function-url"))
    }

    @Test("a 400 is in the event's own form")
    func refusals() async throws {
        let bad: [String: Any] = ["headers": ["a b": "x"], "multiValueHeaders": Removed()]
        let served = await serve(
            app { _ in .text("fine") },
            [
                .init(try Fixture.text("alb", bad), id: "1"), .init(try Fixture.text("rest", bad), id: "2"),
                .init(try Fixture.text("alb"), id: "3"),
            ])
        try #require(served.posts.count == 3)
        let balancer = try #require(JSONView(served.posts[0].body))
        #expect(balancer["statusCode"]?.number == 400)
        #expect(balancer["statusDescription"]?.text == "400 Bad Request")
        #expect(balancer["headers"]?["content-type"]?.text == "application/problem+json")
        let rest = try #require(JSONView(served.posts[1].body))
        #expect(rest["statusCode"]?.number == 400)
        #expect(rest["multiValueHeaders"]?["content-type"]?.texts == ["application/problem+json"])
        #expect(JSONView(served.posts[2].body)?["statusCode"]?.number == 200)
        #expect(served.failures.map(\.status) == [400, 400])
    }

    @Test("a load balancer takes a megabyte: more is a 500 and one record with the size")
    func tooLarge() async throws {
        let served = await serve(
            app { _ in Response(headers: [.contentType: "text/plain"], body: .bytes([UInt8](repeating: 0x61, count: 1_048_576)))
            },
            [.init(try Fixture.text("alb"), id: "1"), .init(try Fixture.text("rest"), id: "2")])
        try #require(served.posts.count == 2)
        #expect(JSONView(served.posts[0].body)?["statusCode"]?.number == 500)
        #expect(JSONView(served.posts[1].body)?["statusCode"]?.number == 200)
        #expect(served.failures.map(\.outcome) == [.replyUnusable])
        #expect(served.failures.first?.error.map { "\($0)" }?.contains("the limit is 1048576") == true)
    }

    @Test("a REST API's stream has its head within 16 KB: a longer one is a 500 and one record", arguments: [false, true])
    func longHead(isStream: Bool) async throws {
        let long = String(repeating: "x", count: 20_000)
        let served = await serve(
            app { _ in
                var response = isStream ? Response.stream(contentType: "text/plain") { try await $0.write("a") } : .text("a")
                response.headers[.eTag] = long
                return response
            }, [.init(try Fixture.text("rest"), id: "1")], mode: "response_stream")
        let post = try #require(served.posts.first)
        #expect(splitPrelude(post.body)?.prelude["statusCode"]?.number == 500)
        #expect(served.failures.map(\.outcome) == [.replyUnusable])
    }
}
