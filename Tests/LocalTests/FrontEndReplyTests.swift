import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceLocal

/// Replies of an app that speaks the Runtime API by hand, as each front end's client sees them.
@Suite struct FrontEndReplyTests {
    /// What the front end answers for itself.
    private static func page(_ kind: FrontEndKind) -> (status: Int, type: String, text: String) {
        switch kind {
        case .functionURL: (502, "application/json", #"{"Message":"Internal Server Error"}"#)
        case .httpAPI: (500, "application/json", #"{"message":"Internal Server Error"}"#)
        case .restAPI: (502, "application/json", #"{"message": "Internal server error"}"#)
        case .loadBalancer, .loadBalancerMulti:
            (
                502, "text/html",
                "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
                    + "</body>\r\n</html>\r\n"
            )
        case .lattice, .latticeV1: (502, "text/plain", "Bad Gateway")
        }
    }

    private static func values(_ name: String, _ message: WireMessage) -> [String] {
        message.lines.filter { $0.name.lowercased() == name }.map(\.value)
    }

    /// A good envelope of each: status 201, one cookie or two, a body in base64.
    private static func envelope(_ kind: FrontEndKind) -> (json: String, cookies: [String]) {
        let end = #""body":"AAH/","isBase64Encoded":true"#
        switch kind {
        case .functionURL, .httpAPI:
            return (#"{"statusCode":201,"headers":{"x-a":"1,2"},"cookies":["a=1","b=2"],\#(end)}"#, ["a=1", "b=2"])
        case .restAPI:
            let headers = #""headers":{"x-a":"lost"},"multiValueHeaders":{"X-A":["1,2"],"set-cookie":["a=1","b=2"]}"#
            return (#"{"statusCode":201,\#(headers),\#(end)}"#, ["a=1", "b=2"])
        case .loadBalancer:
            let headers = #""headers":{"x-a":"1,2","set-cookie":"a=1"},"multiValueHeaders":{"x-b":["never read"]}"#
            return (#"{"statusCode":201,"statusDescription":"201 Made",\#(headers),\#(end)}"#, ["a=1"])
        case .loadBalancerMulti:
            let headers = #""multiValueHeaders":{"x-a":["1,2"],"set-cookie":["a=1","b=2"]},"headers":{"x-b":"never read"}"#
            return (#"{"statusCode":201,"statusDescription":"201 Made",\#(headers),\#(end)}"#, ["a=1", "b=2"])
        case .lattice, .latticeV1:
            return (#"{"statusCode":201,"headers":{"x-a":"1,2","set-cookie":["a=1","b=2"]},\#(end)}"#, ["a=1", "b=2"])
        }
    }

    @Test("status, headers, cookies and a binary body reach the client", arguments: FrontEndKind.allCases)
    func whole(_ kind: FrontEndKind) throws {
        let (json, cookies) = Self.envelope(kind)
        let exchange = try FrontHarness(kind).exchange(reply: FrontHarness.whole(json))
        #expect(exchange.accepted == 202 && exchange.client.status == 201)
        #expect(exchange.client.body == [0, 1, 255] && exchange.client["content-length"] == "3")
        #expect(Self.values("set-cookie", exchange.client) == cookies)
        #expect(Self.values("x-a", exchange.client) == ["1,2"] && exchange.client["x-b"] == nil)
        let isBalancer = kind == .loadBalancer || kind == .loadBalancerMulti
        #expect(exchange.client.firstLine == "HTTP/1.1 201 \(isBalancer ? "Made" : "Created")")
        #expect(!exchange.report.contains("malformed"))
    }

    @Test("HEAD, 204 and 304 have no body", arguments: FrontEndKind.allCases)
    func bodiless(_ kind: FrontEndKind) throws {
        let harness = try FrontHarness(kind)
        for (method, status) in [("HEAD", 200), ("POST", 204), ("POST", 304)] {
            let reply = FrontHarness.whole(#"{"statusCode":\#(status),"body":"text"}"#)
            let exchange = try harness.exchange(method: method, hasBody: false, reply: reply)
            #expect(exchange.client.status == status)
            #expect(exchange.client["content-length"] == (method == "HEAD" ? "4" : nil))
        }
    }

    @Test("a header with a list of values is for VPC Lattice only", arguments: FrontEndKind.allCases)
    func lists(_ kind: FrontEndKind) throws {
        let reply = FrontHarness.whole(#"{"statusCode":200,"headers":{"x-a":["1","2"]}}"#)
        let exchange = try FrontHarness(kind).exchange(reply: reply)
        switch kind {
        case .lattice, .latticeV1: #expect(Self.values("x-a", exchange.client) == ["1", "2"])
        case .loadBalancerMulti:
            #expect(exchange.client.status == 200 && exchange.client["x-a"] == nil)
            #expect(exchange.report.contains("reads 'multiValueHeaders' only: what is in 'headers' is lost"))
        default: try Self.expectPage(exchange, kind, "'x-a' is no text")
        }
    }

    private static func expectPage(_ exchange: FrontHarness.Exchange, _ kind: FrontEndKind, _ note: String) throws {
        let page = page(kind)
        #expect(exchange.client.status == page.status && exchange.client["content-type"] == page.type)
        #expect(exchange.client.text == page.text)
        #expect(exchange.report.contains(note), "\(exchange.report)")
    }

    @Test(
        "what no front end can use",
        arguments: FrontEndKind.allCases,
        [
            (#"{"statusCode":99}"#, "statusCode 99 is no final HTTP status"),
            (#"{"statusCode":199}"#, "statusCode 199 is no final HTTP status"),
            (#"{"statusCode":"200"}"#, "statusCode is no whole number"),
            (#"{"statusCode":200,"headers":{"a b":"x"},"multiValueHeaders":{"a b":["x"]}}"#, "'a b' is no header name"),
            (#"{"statusCode":200,"headers":{"a":"x\r\ny"},"multiValueHeaders":{"a":["x\r\ny"]}}"#, "'a' holds CR, LF or NUL"),
            (#"{"statusCode":200,"headers":{"a":1},"multiValueHeaders":{"a":[1]}}"#, "'a' "),
            (#"{"statusCode":200,"body":{"a":1}}"#, "the body is no text"),
            (#"{"statusCode":200,"body":"&","isBase64Encoded":true}"#, "the body is no base64"),
            (#"{"statusCode":200"#, "it is no JSON"),
        ])
    func unusable(_ kind: FrontEndKind, reply: (json: String, note: String)) throws {
        let exchange = try FrontHarness(kind).exchange(reply: FrontHarness.whole(reply.json))
        try Self.expectPage(exchange, kind, "the envelope is malformed (")
        #expect(exchange.report.contains(reply.note))
        #expect(exchange.accepted == 202)
    }

    struct Special: Sendable {
        let kind: FrontEndKind
        let json: String
        let note: String
    }

    @Test(
        "what one of them cannot use",
        arguments: [
            Special(
                kind: .functionURL, json: #"{"statusCode":200,"cookies":["a\u0000"]}"#, note: "'cookies' holds CR, LF or NUL"),
            Special(kind: .httpAPI, json: #"{"statusCode":200,"cookies":"a=1"}"#, note: "'cookies' is no list of texts"),
            Special(kind: .restAPI, json: #"{"statusCode":200,"cookies":["a=1"]}"#, note: "does not know the field 'cookies'"),
            Special(kind: .restAPI, json: #"{"body":"x"}"#, note: "statusCode is no whole number"),
            Special(
                kind: .restAPI, json: #"{"statusCode":200,"multiValueHeaders":{"a":"x"}}"#, note: "'a' is no list of texts"),
            Special(kind: .loadBalancer, json: #"{"statusCode":200,"body":null}"#, note: "'body' is null"),
            Special(
                kind: .loadBalancer, json: #"{"statusCode":200,"statusDescription":"OK"}"#,
                note: "statusDescription 'OK' is not"),
            Special(
                kind: .loadBalancerMulti, json: #"{"statusCode":200,"statusDescription":"404 Not Found"}"#,
                note: "statusDescription '404 Not Found' is not"),
            Special(kind: .loadBalancer, json: #"{"body":"x"}"#, note: "statusCode is no whole number"),
            Special(kind: .lattice, json: #"{"statusCode":200,"headers":{"a":[1]}}"#, note: "'a' has a value that is no text"),
            Special(kind: .lattice, json: "[]", note: "it is no JSON object"),
        ])
    func special(_ special: Special) throws {
        let exchange = try FrontHarness(special.kind).exchange(reply: FrontHarness.whole(special.json))
        try Self.expectPage(exchange, special.kind, special.note)
    }

    @Test("JSON without a status is the body, for payload 2.0", arguments: [FrontEndKind.functionURL, .httpAPI])
    func inferred(_ kind: FrontEndKind) throws {
        for json in [#"{"a":1}"#, "[1]", #""text""#] {
            let exchange = try FrontHarness(kind).exchange(reply: FrontHarness.whole(json))
            #expect(exchange.client.status == 200 && exchange.client.text == json)
            #expect(exchange.client["content-type"] == "application/json")
        }
        let text = try FrontHarness(kind).exchange(reply: FrontHarness.whole("no JSON"))
        if kind == .functionURL {
            #expect(text.client.status == 200 && text.client.text == "no JSON")
        } else {
            try Self.expectPage(text, kind, "it is no JSON")
        }
    }

    @Test("a REST API gives some headers other names")
    func remapped() throws {
        let json = #"{"statusCode":401,"headers":{"WWW-Authenticate":"Bearer","x-a":"1"}}"#
        let exchange = try FrontHarness(.restAPI).exchange(reply: FrontHarness.whole(json))
        #expect(exchange.client["x-amzn-remapped-www-authenticate"] == "Bearer" && exchange.client["www-authenticate"] == nil)
        #expect(exchange.client["x-a"] == "1")
        #expect(exchange.report.contains("sends the header 'WWW-Authenticate' as x-amzn-Remapped-WWW-Authenticate"))
    }

    @Test("a reply over a load balancer's limit, and one of it", arguments: [(1_048_576, 200), (1_048_577, 502)])
    func large(_ size: Int, status: Int) throws {
        let frame = #"{"statusCode":200,"body":""}"#.utf8.count
        let json = #"{"statusCode":200,"body":"\#(String(repeating: "a", count: size - frame))"}"#
        let exchange = try FrontHarness(.loadBalancer).exchange(reply: FrontHarness.whole(json))
        #expect(exchange.client.status == status)
        #expect(exchange.report.contains("the load balancer takes up to 1048576 bytes, these are 1048577") == (status == 502))
    }

    @Test("an error that the app reports is the front end's own answer", arguments: FrontEndKind.allCases)
    func errors(_ kind: FrontEndKind) throws {
        let type = "Lambda-Runtime-Function-Error-Type: Function.Boom"
        let reply = "error HTTP/1.1\r\nHost: x\r\n\(type)\r\nContent-Length: 2\r\n\r\n{}"
        let exchange = try FrontHarness(kind).exchange(reply: Array(reply.utf8))
        try Self.expectPage(exchange, kind, "the app reported Function.Boom: {}")
    }
}

/// Streams of an app that speaks the Runtime API by hand.
@Suite struct FrontEndStreamTests {
    private static let head = #"{"statusCode":201,"headers":{"x-a":"1"},"cookies":["a=1","b=2"]}"#

    @Test("a stream passes through, however it is cut", arguments: [FrontEndKind.functionURL, .restAPI], [1, 7, 1000])
    func passes(_ kind: FrontEndKind, size: Int) throws {
        let bytes = FrontHarness.prelude(Self.head, "one two")
        let chunks = stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
        let exchange = try FrontHarness(kind, streams: true).exchange(reply: FrontHarness.stream(chunks))
        #expect(exchange.client.status == 201 && exchange.client.text == "one two" && exchange.accepted == 202)
        #expect(exchange.client["transfer-encoding"] == "chunked" && exchange.client["x-a"] == "1")
        #expect(exchange.client.lines.filter { $0.name == "set-cookie" }.map(\.value) == ["a=1", "b=2"])
    }

    @Test("a prelude with multiValueHeaders is for REST APIs", arguments: [FrontEndKind.functionURL, .restAPI])
    func lists(_ kind: FrontEndKind) throws {
        let prelude = #"{"statusCode":200,"headers":{"x-a":"0"},"multiValueHeaders":{"x-a":["1","2"]}}"#
        let reply = FrontHarness.stream([FrontHarness.prelude(prelude, "text")])
        let exchange = try FrontHarness(kind, streams: true).exchange(reply: reply)
        #expect(exchange.client.text == "text")
        let values = exchange.client.lines.filter { $0.name == "x-a" }.map(\.value)
        #expect(values == (kind == .restAPI ? ["1", "2"] : ["0"]))
        #expect(exchange.report.contains("multiValueHeaders are not read here") == (kind == .functionURL))
    }

    @Test(
        "a REST API finds the delimiter within 16 KB, a Function URL wherever it is",
        arguments: [FrontEndKind.functionURL, .restAPI], [16_384, 16_385])
    func delimiter(_ kind: FrontEndKind, end: Int) throws {
        let frame = #"{"statusCode":200,"headers":{"x-a":""}}"#.utf8.count + 8
        let json = #"{"statusCode":200,"headers":{"x-a":"\#(String(repeating: "a", count: end - frame))"}}"#
        let reply = FrontHarness.stream([FrontHarness.prelude(json, "text")])
        let exchange = try FrontHarness(kind, streams: true).exchange(reply: reply)
        let isFound = kind == .functionURL || end == 16_384
        #expect(exchange.client.status == (isFound ? 200 : 502) && exchange.accepted == 202)
        #expect(exchange.client.text == (isFound ? "text" : #"{"message": "Internal server error"}"#))
        #expect(exchange.report.contains("no delimiter in the first 16384 bytes") == !isFound)
    }

    @Test("a REST API without a delimiter answers once, and reads on")
    func noDelimiter() throws {
        let chunks = (0..<5).map { _ in [UInt8](repeating: 0x20, count: 10_000) }
        let exchange = try FrontHarness(.restAPI, streams: true).exchange(reply: FrontHarness.stream(chunks))
        #expect(exchange.client.status == 502 && exchange.accepted == 202)
        #expect(exchange.report.components(separatedBy: "no delimiter").count == 2)
    }

    @Test(
        "who cannot stream sees a payload that is no JSON, and the console says why",
        arguments: [FrontEndKind.httpAPI, .loadBalancer, .loadBalancerMulti, .lattice, .latticeV1], [false, true])
    func cannot(_ kind: FrontEndKind, streams: Bool) throws {
        let reply = FrontHarness.stream([FrontHarness.prelude(Self.head, "text")])
        let exchange = try FrontHarness(kind, streams: streams).exchange(reply: reply)
        #expect(exchange.client.status == (kind == .httpAPI ? 500 : 502) && exchange.accepted == 202)
        #expect(exchange.report.contains(" cannot stream, the app streamed: "))
    }

    @Test("an envelope that is only sent in chunks is an envelope", arguments: [FrontEndKind.httpAPI, .restAPI, .loadBalancer])
    func chunkedEnvelope(_ kind: FrontEndKind) throws {
        let reply = FrontHarness.stream(
            [Array(#"{"statusCode":200,"#.utf8), Array(#""body":"x"}"#.utf8)], type: "application/json")
        let exchange = try FrontHarness(kind).exchange(reply: reply)
        #expect(exchange.client.status == 200 && exchange.client.text == "x")
    }

    @Test("modes that do not match")
    func mismatches() throws {
        let stream = FrontHarness.stream([FrontHarness.prelude(Self.head, "text")])
        let url = try FrontHarness(.functionURL).exchange(reply: stream)
        #expect(url.client.status == 200 && splitPrelude(url.client.body)?.body == Array("text".utf8))
        let rest = try FrontHarness(.restAPI).exchange(reply: stream)
        #expect(rest.client.status == 502)
        for exchange in [url, rest] { #expect(exchange.report.contains("is buffered, the app streamed")) }
        let envelope = FrontHarness.whole(#"{"statusCode":404,"body":"x"}"#)
        let verbatim = try FrontHarness(.functionURL, streams: true).exchange(reply: envelope)
        #expect(verbatim.client.status == 200 && verbatim.client.text == #"{"statusCode":404,"body":"x"}"#)
        let refused = try FrontHarness(.restAPI, streams: true).exchange(reply: envelope)
        #expect(refused.client.status == 502 && refused.report.contains("there are no eight NULs"))
        for exchange in [verbatim, refused] { #expect(exchange.report.contains("streams, the app answered buffered")) }
    }

    @Test("a stream of another type goes through a Function URL as it is")
    func otherType() throws {
        let reply = FrontHarness.stream([Array("plain".utf8)], type: "text/plain")
        let exchange = try FrontHarness(.functionURL, streams: true).exchange(reply: reply)
        #expect(exchange.client.status == 200 && exchange.client.text == "plain")
        #expect(exchange.client["content-type"] == "text/plain")
    }
}
