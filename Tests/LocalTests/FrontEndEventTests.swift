import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceLocal
@testable import SluiceStreaming

/// One request through each front end; the event is read by Foundation.
@Suite struct FrontEndEventTests {
    private static let target = "/a%20b/%C3%A9?x=1&x=2&y=a%2Bb+c&flag"
    private static let lines = [
        "X-Probe: first", "x-probe: second", "Cookie: a=1; b=2", "X-Forwarded-For: 9.9.9.9", "User-Agent: probe/1",
        "Content-Type: application/json",
    ]
    private static let body = Array(#"{"λ":1}"#.utf8)

    private func event(_ kind: FrontEndKind, target: String = target, lines: [String] = lines, body: [UInt8] = body) throws
        -> JSONView
    {
        try FrontHarness(kind).exchange(target, lines, body: body).event
    }

    @Test("Function URL: path and query as they were sent, repeats joined, cookies twice")
    func functionURL() throws {
        let event = try event(.functionURL)
        #expect(event["version"]?.text == "2.0" && event["routeKey"]?.text == "$default")
        #expect(event["rawPath"]?.text == "/a%20b/%C3%A9")
        #expect(event["rawQueryString"]?.text == "x=1&x=2&y=a%2Bb+c&flag")
        #expect(event["queryStringParameters"]?.dictionary == ["x": "1,2", "y": "a+b c", "flag": ""])
        #expect(event["headers"]?["x-probe"]?.text == "first,second")
        #expect(event["headers"]?["cookie"]?.text == "a=1; b=2" && event["cookies"]?.texts == ["a=1", "b=2"])
        #expect(event["headers"]?["x-forwarded-proto"]?.text == "http")
        #expect(event["headers"]?["connection"] == nil)
        #expect(event["requestContext"]?["http"]?["path"]?.text == "/a b/é")
        #expect(event["requestContext"]?["http"]?["sourceIp"]?.text == "127.0.0.1")
        #expect(event["requestContext"]?["http"]?["userAgent"]?.text == "probe/1")
        #expect(event["requestContext"]?["domainName"]?.text?.contains(".lambda-url.") == true)
        #expect(event["body"]?.text == #"{"λ":1}"# && event["isBase64Encoded"]?.flag == false)
        let bare = try self.event(.functionURL, target: "/", lines: [], body: [])
        #expect(bare["body"] == nil && bare["cookies"] == nil && bare["queryStringParameters"] == nil)
    }

    @Test("HTTP API: the path decoded, cookies in their list only, the stage $default")
    func httpAPI() throws {
        let event = try event(.httpAPI)
        #expect(event["version"]?.text == "2.0")
        #expect(event["rawPath"]?.text == "/a b/é" && event["requestContext"]?["http"]?["path"]?.text == "/a b/é")
        #expect(event["rawQueryString"]?.text == "x=1&x=2&y=a%2Bb+c&flag")
        #expect(event["cookies"]?.texts == ["a=1", "b=2"] && event["headers"]?["cookie"] == nil)
        #expect(event["headers"]?["x-probe"]?.text == "first,second")
        #expect(event["headers"]?["x-forwarded-for"]?.text == "9.9.9.9, 127.0.0.1")
        #expect(event["requestContext"]?["stage"]?.text == "$default")
        #expect(event["requestContext"]?["domainName"]?.text?.contains(".execute-api.") == true)
    }

    @Test(
        "an HTTP API decodes the path twice, and cuts it in between",
        arguments: [
            ("/plain", "/plain"), ("/space%20value", "/space value"), ("/question%3Fvalue", "/question"),
            ("/slash%2Fvalue", "/slash/value"), ("/literal%252Fvalue", "/literal/value"),
            ("/literal%253Fvalue", "/literal?value"),
            ("/literal%2525value", "/literal%value"), ("/hash%23value", "/hash#value"),
        ])
    func httpAPIPaths(_ sent: String, seen: String) throws {
        #expect(try event(.httpAPI, target: sent)["rawPath"]?.text == seen)
    }

    @Test("an HTTP API refuses a path that it cannot decode twice")
    func httpAPIRefusal() throws {
        let (client, line) = try FrontHarness(.httpAPI).refused(FrontHarness.request("/percent%25done"))
        #expect(client.status == 400 && client.text == #"{"message":"Bad Request"}"#)
        #expect(line.hasPrefix("400  POST /percent%25done  the HTTP API") || line.contains("decodes the path twice"))
    }

    @Test("REST API: the client's case and the gateway's, the last value and all values, the query decoded")
    func restAPI() throws {
        let event = try event(.restAPI)
        #expect(event["version"] == nil)
        #expect(event["path"]?.text == "/a%20b/%C3%A9" && event["httpMethod"]?.text == "POST")
        #expect(event["resource"]?.text == "/{proxy+}" && event["pathParameters"]?["proxy"]?.text == "a%20b/%C3%A9")
        #expect(event["queryStringParameters"]?.dictionary == ["x": "2", "y": "a+b c", "flag": ""])
        #expect(event["multiValueQueryStringParameters"]?["x"]?.texts == ["1", "2"])
        #expect(event["multiValueQueryStringParameters"]?["y"]?.texts == ["a+b c"])
        // Two cases of one name are two names for the gateway's maps.
        #expect(event["multiValueHeaders"]?["X-Probe"]?.texts == ["first"])
        #expect(event["multiValueHeaders"]?["x-probe"]?.texts == ["second"])
        #expect(event["headers"]?["Cookie"]?.text == "a=1; b=2")
        #expect(event["headers"]?["Content-Type"]?.text == "application/json")
        #expect(event["headers"]?["Host"]?.text == "shop.example")
        #expect(event["headers"]?["X-Forwarded-For"]?.text == "9.9.9.9, 127.0.0.1")
        #expect(event["headers"]?["X-Forwarded-Proto"]?.text == "http")
        #expect(event["multiValueHeaders"]?["X-Amzn-Trace-Id"]?.count == 1)
        #expect(event["headers"]?.keys.contains { $0.lowercased() == "content-length" } == false)
        let context = try #require(event["requestContext"])
        #expect(context["path"]?.text == "/local/a%20b/%C3%A9" && context["stage"]?.text == "local")
        #expect(context["identity"]?["sourceIp"]?.text == "127.0.0.1")
        #expect(context["identity"]?["userAgent"]?.text == "probe/1" && context["identity"]?["userArn"]?.isNull == true)
        #expect(context["http"] == nil && context["elb"] == nil)
        #expect(event["stageVariables"]?.isNull == true)
        let bare = try self.event(.restAPI, target: "/", lines: [], body: [])
        #expect(bare["body"]?.isNull == true && bare["queryStringParameters"]?.isNull == true)
        #expect(bare["multiValueQueryStringParameters"]?.isNull == true && bare["pathParameters"]?.isNull == true)
        #expect(bare["resource"]?.text == "/")
    }

    @Test("REST API: a header that is repeated in one case has its last value in one map, and all in the other")
    func restRepeats() throws {
        let event = try event(.restAPI, lines: ["x-Probe: first", "x-Probe: second"])
        #expect(event["headers"]?["x-Probe"]?.text == "second")
        #expect(event["multiValueHeaders"]?["x-Probe"]?.texts == ["first", "second"])
    }

    @Test("load balancer: nothing decoded, the last value, one pair of maps")
    func loadBalancer() throws {
        let event = try event(.loadBalancer)
        #expect(event["requestContext"]?.keys == ["elb"] && event["requestContext"]?["elb"]?["targetGroupArn"]?.text != nil)
        #expect(event["path"]?.text == "/a%20b/%C3%A9" && event["httpMethod"]?.text == "POST")
        #expect(event["queryStringParameters"]?.dictionary == ["x": "2", "y": "a%2Bb+c", "flag": ""])
        #expect(event["headers"]?["x-probe"]?.text == "second" && event["headers"]?["cookie"]?.text == "a=1; b=2")
        #expect(event["headers"]?["x-forwarded-for"]?.text == "9.9.9.9, 127.0.0.1")
        #expect(event["headers"]?["x-forwarded-port"]?.text != nil)
        #expect(event["multiValueHeaders"] == nil && event["multiValueQueryStringParameters"] == nil)
        let bare = try self.event(.loadBalancer, target: "/", lines: [], body: [])
        #expect(bare["body"]?.text == "" && bare["isBase64Encoded"]?.flag == false)
        #expect(bare["queryStringParameters"]?.dictionary == [:])
    }

    @Test("load balancer with multi-value headers: every value, and the other pair of maps")
    func loadBalancerMulti() throws {
        let event = try event(.loadBalancerMulti)
        #expect(event["multiValueQueryStringParameters"]?["x"]?.texts == ["1", "2"])
        #expect(event["multiValueQueryStringParameters"]?["y"]?.texts == ["a%2Bb+c"])
        #expect(event["multiValueHeaders"]?["x-probe"]?.texts == ["first", "second"])
        #expect(event["headers"] == nil && event["queryStringParameters"] == nil)
    }

    @Test("VPC Lattice: the query in the path, headers as lists, what does not apply is absent")
    func lattice() throws {
        let event = try event(.lattice)
        #expect(event["version"]?.text == "2.0" && event["method"]?.text == "POST")
        #expect(event["path"]?.text == Self.target)
        #expect(event["headers"]?["x-probe"]?.texts == ["first", "second"])
        #expect(event["queryStringParameters"]?["x"]?.texts == ["1", "2"])
        #expect(event["requestContext"]?["serviceArn"]?.text?.hasPrefix("arn:aws:vpc-lattice:") == true)
        #expect(event["requestContext"]?["timeEpoch"]?.text?.count == 16)
        #expect(event["isBase64Encoded"] == nil)
        let bare = try self.event(.lattice, target: "/", lines: [], body: [])
        #expect(bare["path"]?.text == "/" && bare["body"] == nil && bare["queryStringParameters"] == nil)
    }

    @Test("VPC Lattice, version 1: names with underscores, repeats joined, the last parameter")
    func latticeV1() throws {
        let event = try event(.latticeV1)
        #expect(event["raw_path"]?.text == "/a%20b/%C3%A9" && event["method"]?.text == "POST" && event["version"] == nil)
        #expect(event["headers"]?["x-probe"]?.text == "first, second")
        #expect(event["query_string_parameters"]?.dictionary == ["x": "2", "y": "a%2Bb+c", "flag": ""])
        #expect(event["body"]?.text == #"{"λ":1}"# && event["is_base64_encoded"]?.flag == false)
    }

    @Test("text travels as text, all else as base64", arguments: FrontEndKind.allCases)
    func bodies(_ kind: FrontEndKind) throws {
        let key = kind == .latticeV1 ? "is_base64_encoded" : "isBase64Encoded"
        let other = try event(kind, lines: ["Content-Type: idk"], body: Array("<idk/>".utf8))
        #expect(other["body"]?.text == "PGlkay8+" && other[key]?.flag == true)
        let broken = try event(kind, lines: ["Content-Type: text/plain"], body: [0xFF])
        #expect(broken["body"]?.text == "/w==" && broken[key]?.flag == true)
        let encoded = try event(kind, lines: ["Content-Type: text/plain", "Content-Encoding: x"], body: Array("abc".utf8))
        let isBalancer = kind == .loadBalancer || kind == .loadBalancerMulti
        #expect(encoded["body"]?.text == (isBalancer ? "YWJj" : "abc"))
    }

    @Test("the time as gateways write it")
    func time() throws {
        var head = HTTPMessageHead()
        (head.method, head.target) = ("GET", "/")
        let date = Date(timeIntervalSince1970: 1_583_348_638)
        let request = GatewayRequest(head, body: [], requestID: "the-id", port: 80, now: date)
        let event = try #require(JSONView(try RestAPI().event(request).bytes()))
        #expect(event["requestContext"]?["requestTime"]?.text == "04/Mar/2020:19:03:58 +0000")
        #expect(event["requestContext"]?["requestTimeEpoch"]?.number == 1_583_348_638_000)
    }

    @Test("an escape has two hexadecimal digits and no sign; separators are octets")
    func octets() throws {
        #expect("%41%4a".percentDecoded == "AJ")
        for broken in ["%+5", "%-1", "%4", "%", "%zz", "%ff"] { #expect(broken.percentDecoded == nil, "\(broken)") }
        #expect(" \t;\u{301}a= b\t".parts(at: ";").map(\.withoutBlanks) == ["", "\u{301}a= b"])
        #expect("a?\u{301}b?c".parts(at: "?", atMost: 2).map(String.init) == ["a", "\u{301}b?c"])
    }

    struct Limit: Sendable {
        let kind: FrontEndKind
        let bytes: Int
        let type: String
        let page: String
    }

    @Test(
        "what is too large is refused as each front end does",
        arguments: [
            Limit(kind: .functionURL, bytes: 7_000_000, type: "application/json", page: #"{"Message":"Request Too Long"}"#),
            Limit(kind: .restAPI, bytes: 7_000_000, type: "application/json", page: #"{"message":"Request Too Long"}"#),
            Limit(
                kind: .restAPI, bytes: 10_485_761, type: "application/json",
                page: #"{"message":"HTTP content length exceeded 10485760 bytes."}"#),
            Limit(
                kind: .httpAPI, bytes: 10_485_761, type: "application/json", page: #"{"message":"Request Entity Too Large"}"#),
            Limit(
                kind: .loadBalancer, bytes: 1_048_577, type: "text/html",
                page: "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n"
                    + "<center><h1>413 Request Entity Too Large</h1></center>\r\n</body>\r\n</html>\r\n"),
        ])
    func limits(_ limit: Limit) throws {
        let body = [UInt8](repeating: 0x61, count: limit.bytes)
        let request = FrontHarness.request("/large", ["Content-Type: text/plain"], body: body)
        let (client, line) = try FrontHarness(limit.kind).refused(request)
        #expect(client.status == 413 && client["content-type"] == limit.type && client.text == limit.page)
        #expect(line.hasPrefix("413  POST /large  "))
    }

    @Test("the connection ends after a body that is not read to its end, and the answer says so")
    func unreadBody() throws {
        let head = "POST /large HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 6291457\r\n\r\n"
        let body = [UInt8](repeating: 0x61, count: 6_291_457)
        let (client, _) = try FrontHarness(.functionURL).refused(Array(head.utf8) + body)
        #expect(client.status == 413 && client["connection"] == "close")
    }

    @Test("a load balancer takes a body of its limit")
    func limitItself() throws {
        let body = [UInt8](repeating: 0x61, count: 1_048_576)
        let event = try event(.loadBalancer, target: "/", lines: ["Content-Type: text/plain"], body: body)
        #expect(event["body"]?.text?.utf8.count == 1_048_576)
    }
}
