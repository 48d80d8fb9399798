import Foundation
import SluiceTestSupport
import Testing

/// The built examples behind every front end of the local Lambda: what a client sees does not depend on it.
@Suite(.serialized) struct FrontEndTests {
    /// A front end, and whether it streams.
    struct Way: Sendable, CustomTestStringConvertible {
        let front: String
        let streams: Bool
        var testDescription: String { streams ? "\(front), streaming" : front }

        /// An error's own header has another name behind a REST API.
        var challenge: String { front == "rest" ? "x-amzn-Remapped-www-authenticate" : "www-authenticate" }
        /// A load balancer without multi-value headers has one value of each.
        var isSingle: Bool { front == "alb" }
        /// What is over the limit of a buffered response.
        var limit: Int { front.hasPrefix("alb") ? 1024 * 1024 : 6 * 1024 * 1024 }
    }

    static let ways =
        ["url", "http", "rest", "alb", "alb-multi", "lattice", "lattice1"].map { Way(front: $0, streams: false) }
        + ["url", "rest"].map { Way(front: $0, streams: true) }

    /// The front ends that cannot stream, each with an app that would.
    static let buffering = ["http", "alb", "alb-multi", "lattice", "lattice1"]

    private func local(_ name: String, _ way: Way, _ environment: [String: String] = [:]) throws -> LocalProgram {
        var environment = environment
        environment["SLUICE_LOCAL_FRONT"] = way.front
        return try #require(try LocalProgram(name, mode: way.streams ? "response_stream" : "buffered", environment))
    }

    private func request(_ method: String, _ target: String, _ lines: [String] = [], _ body: String = "") -> String {
        let length = body.isEmpty ? [] : ["Content-Length: \(body.utf8.count)"]
        return ["\(method) \(target) HTTP/1.1", "Host: local", "Connection: close"].joined(separator: "\r\n") + "\r\n"
            + (lines + length).map { "\($0)\r\n" }.joined() + "\r\n\(body)"
    }

    @Test("a path in UTF-8, HEAD, a route that is not there", arguments: ways)
    func hello(_ way: Way) throws {
        let local = try local("Hello", way)
        let plain = try #require(local.get("/hello/World"))
        #expect(plain.status == 200 && plain.text == "Hello, World!")
        #expect(plain["content-type"] == "text/plain; charset=utf-8")
        #expect(plain["transfer-encoding"] == (way.streams ? "chunked" : nil))
        #expect(local.get("/hello/%C3%A9%20%E7%82%8E")?.text == "Hello, é 炎!")
        #expect(local.get("/nope")?.status == 404)
        let head = try #require(local.send(request("HEAD", "/hello/x"), hasBody: false))
        #expect(head.status == 200 && head["content-type"] == "text/plain; charset=utf-8")
        let report = try #require(local.report("/hello/World"))
        #expect(report.contains(way.streams ? "streamed  13 B" : "buffered  13 B"))
        #expect(!report.contains("mismatch") && !report.contains("malformed") && !report.contains("cannot stream"))
    }

    @Test("sign-in by header, JSON, 201, 204, 404, 405", arguments: ways)
    func orders(_ way: Way) throws {
        let local = try local("Orders", way)
        func call(_ method: String, _ target: String, token: String? = "alice-token", _ body: String = "") -> WireMessage? {
            let authorization = token.map { ["authorization: Bearer \($0)"] } ?? []
            return local.send(
                request(method, target, authorization + ["content-type: application/json"], body), hasBody: method != "DELETE")
        }
        let refused = try #require(call("GET", "/orders", token: nil))
        #expect(refused.status == 401 && refused[way.challenge] == "Bearer")
        #expect(refused.text.hasPrefix("Sorry: sign in first") && refused["x-request-id"] != nil)
        let created = try #require(call("POST", "/orders", #"{"item":"thé λ","quantity":2}"#))
        #expect(created.status == 201 && JSONView(created.body)?["item"]?.text == "thé λ")
        #expect(JSONView(try #require(call("GET", "/orders")).body)?.count == 1)
        let gone = try #require(call("DELETE", "/orders/1"))
        #expect(gone.status == 204 && gone["content-length"] == nil && gone["transfer-encoding"] == nil)
        #expect(call("GET", "/orders/1")?.status == 404)
        #expect(call("PATCH", "/orders/1", token: "alice-token")?["allow"] == "DELETE, GET, HEAD, OPTIONS")
    }

    @Test("a query, a body in base64, a long body", arguments: ways)
    func streams(_ way: Way) throws {
        let local = try local("Streams", way)
        let csv = try #require(local.get("/export?rows=1000"))
        #expect(csv.status == 200 && csv["content-type"] == "text/csv" && csv.isCut == false)
        #expect(csv.text.hasSuffix("999,998001\n") && csv.text.split(separator: "\n").count == 1001)
        // Whether version 1 decodes its parameters is not documented.
        if way.front != "lattice1" { #expect(local.get("/export?rows=%33")?.text.split(separator: "\n").count == 4) }
        // Nobody listens: the room's answer is that number, whatever the type of the body.
        for type in ["text/plain", "application/octet-stream"] {
            let said = local.send(request("POST", "/room", ["Content-Type: \(type)"], "hello"))
            #expect(said?.status == 200 && said?.text == "0")
        }
        let large = try #require(
            local.send(request("POST", "/room", ["Content-Type: text/plain"], String(repeating: "x", count: way.limit + 1))))
        #expect(large.status == 413)
        #expect(local.get("/export?rows=1")?.status == 200)
    }

    @Test("an app in streaming mode answers whole where nobody can stream", arguments: buffering)
    func streamingApp(_ front: String) throws {
        let local = try #require(
            try LocalProgram("Streams", mode: "response_stream", ["SLUICE_LOCAL_FRONT": front]))
        let csv = try #require(local.get("/export?rows=3"))
        #expect(csv.status == 200 && csv.text == "id,square\n0,0\n1,1\n2,4\n")
        #expect(try #require(local.report("/export?rows=3")).contains("  buffered  "))
    }

    @Test("an error, a reported response, a stream that fails before its first byte", arguments: ways)
    func failures(_ way: Way) throws {
        let local = try local("Failures", way)
        for (route, status) in [("/throw", 500), ("/missing", 404), ("/returned", 502), ("/stream/first", 500)] {
            let answer = try #require(local.get(route))
            #expect(answer.status == status, "\(route)")
            #expect(!answer.text.contains("OutOfStock") && answer["x-request-id"] != nil)
        }
        // Over 6 MB: the app says so itself.
        if !way.streams { #expect(local.get("/large")?.status == 500) }
        #expect(local.get("/exit")?.status == (way.front == "http" ? 500 : 502))
        #expect(local.get("/fine")?.text == "fine")
    }

    @Test(
        "cookies, repeated headers and parameters, redirects and binary bodies, through a program that shows what it saw",
        arguments: ways)
    func mirror(_ way: Way) throws {
        let local = try local("Mirror", way)
        let cookies = try #require(local.get("/cookies"))
        let sent = cookies.lines.filter { $0.name.lowercased() == "set-cookie" }.map(\.value)
        // A reply of Lattice's first version has one value for each name, as far as anybody has told.
        if way.isSingle || way.front == "lattice1" {
            #expect(sent.count == 1 && ["a=1", "b=2"].contains { sent.first?.hasPrefix($0) == true })
        } else {
            #expect(sent.count == 2 && sent.contains { $0.hasPrefix("a=1") } && sent.contains { $0.hasPrefix("b=2") })
        }
        let seen = try #require(
            local.send(
                request(
                    "POST", "/seen?x=1&x=2&y=a%20b",
                    ["Cookie: a=1; b=2", "X-Probe: one", "Content-Type: application/octet-stream"],
                    "bytes")))
        let json = try #require(JSONView(seen.body))
        let isLast = way.isSingle || way.front == "lattice1"
        #expect(json["x"]?.texts == (isLast ? ["2"] : ["1", "2"]))
        #expect(json["cookies"]?.dictionary == ["a": "1", "b": "2"])
        #expect(json["probe"]?.text == "one" && json["body"]?.text == "bytes")
        // VPC Lattice has no field for it.
        if !way.front.hasPrefix("lattice") { #expect(json["address"]?.text == "127.0.0.1") }
        if way.front != "lattice1" { #expect(json["y"]?.texts == ["a b"]) }
        let binary = try #require(local.get("/binary"))
        #expect(binary.body == Array(0...255) && binary["content-type"] == "image/png")
        let moved = try #require(local.get("/moved"))
        #expect(moved.status == 302 && moved["location"] == "/elsewhere")
        #expect(local.send(request("GET", "/unchanged"), hasBody: false)?.status == 304)
    }
}
