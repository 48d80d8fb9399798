import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import Sluice

/// Section 8.1 of the conformance cases: event to request.
@Suite struct EventTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let number: Int
        let json: String
        let url: String
        var rawPath: String?
        var path: String?
        var testDescription: String { "case \(number): \(url)" }
    }

    private static var httpAPI: [String: Any] {
        [
            "domainName": "x.execute-api.eu-west-2.amazonaws.com", "http": ["method": "GET"],
        ]
    }

    static let urlCases: [Case] = [
        Case(
            number: 1, json: eventJSON(query: "parameter1=value1&parameter1=value2&parameter2=value"),
            url: "https://id.lambda-url.eu-west-2.on.aws/my/path?parameter1=value1&parameter1=value2&parameter2=value"),
        Case(
            number: 6,
            json: eventJSON(path: "/capture/space%20value", query: "literalPlus=a+b&encodedPlus=a%2Bb&empty="),
            url: "https://id.lambda-url.eu-west-2.on.aws/capture/space%20value?literalPlus=a+b&encodedPlus=a%2Bb&empty=",
            rawPath: "/capture/space%20value", path: "/capture/space value"),
        Case(
            number: 7, json: eventJSON(path: "/capture/space value"),
            url: "https://id.lambda-url.eu-west-2.on.aws/capture/space%20value", rawPath: "/capture/space%20value",
            path: "/capture/space value"),
        Case(
            number: 8, json: eventJSON(path: "/my/path-with space", query: "a=b"),
            url: "https://id.lambda-url.eu-west-2.on.aws/my/path-with%20space?a=b"),
        Case(
            number: 9,
            json: """
                {"version":"2.0","rawPath":"/path with spaces/and multiple segments","requestContext":{"http":{"method":"GET"}}}
                """, url: "/path%20with%20spaces/and%20multiple%20segments"),
        Case(number: 10, json: eventJSON(path: "/"), url: "https://id.lambda-url.eu-west-2.on.aws/"),
        Case(number: 10, json: eventJSON(path: ""), url: "https://id.lambda-url.eu-west-2.on.aws/"),
        Case(number: 11, json: eventJSON(query: ""), url: "https://id.lambda-url.eu-west-2.on.aws/my/path"),
        Case(
            number: 16, json: eventJSON(changes: ["headers": [String: String]()]),
            url: "https://id.lambda-url.eu-west-2.on.aws/my/path"),
        Case(
            number: 17, json: eventJSON(path: "/hello", headers: ["host": "127.0.0.1:3000", "x-forwarded-proto": "http"]),
            url: "http://127.0.0.1:3000/hello"),
        Case(
            number: 20,
            json: """
                {"version":"2.0","routeKey":"$default","rawPath":"/","rawQueryString":"","headers":{},"requestContext":{"accountId":\
                "1","apiId":"x","domainName":"xxx.execute-api.us-east-1.amazonaws.com","http":{"method":"GET","path":"/"},\
                "stage":"$default"},"isBase64Encoded":false}
                """, url: "https://xxx.execute-api.us-east-1.amazonaws.com/"),
        Case(
            number: 21, json: eventJSON(path: "/Prod/my/path"),
            url: "https://id.lambda-url.eu-west-2.on.aws/Prod/my/path", rawPath: "/Prod/my/path", path: "/Prod/my/path"),
        Case(
            number: 7, json: eventJSON(path: "/100%", changes: ["requestContext": httpAPI]),
            url: "https://id.lambda-url.eu-west-2.on.aws/100%25", path: "/100%"),
        Case(
            number: 42, json: eventJSON(path: "/Año_1234"), url: "https://id.lambda-url.eu-west-2.on.aws/A%C3%B1o_1234",
            rawPath: "/A%C3%B1o_1234", path: "/Año_1234"),
    ]

    @Test("the URL of an event", arguments: urlCases)
    func url(of one: Case) throws {
        let request = try read(one.json)
        #expect(request.url == one.url)
        #expect(request.method == .get)
        #expect(request.body.plainBytes.isEmpty)
        if let rawPath = one.rawPath { #expect(request.rawPath == rawPath) }
        if let path = one.path { #expect(request.path == path) }
    }

    struct CookieCase: Sendable, CustomTestStringConvertible {
        let number: Int
        let array: [String]?
        let header: String?
        let expected: String
        var testDescription: String { "case \(number): \(expected)" }
    }

    static let cookieCases: [CookieCase] = [
        CookieCase(number: 2, array: ["test=hi"], header: "test=hi", expected: "test=hi"),
        CookieCase(
            number: 3, array: ["foo=bar", "hello=hello"], header: "foo=bar; hello=hello", expected: "foo=bar; hello=hello"),
        CookieCase(
            number: 4, array: ["session=abc123", "theme=dark"], header: nil, expected: "session=abc123; theme=dark"),
        CookieCase(number: 5, array: ["a=x y, \"z\""], header: nil, expected: "a=x y, \"z\""),
        CookieCase(number: 5, array: nil, header: "a=x, y", expected: "a=x, y"),
    ]

    @Test("cookies arrive once, in order, verbatim", arguments: cookieCases)
    func cookies(_ one: CookieCase) throws {
        var headers: [String: Any] = [:]
        if let header = one.header { headers["cookie"] = header }
        var changes: [String: Any] = [:]
        if let array = one.array { changes["cookies"] = array }
        let request = try read(eventJSON(headers: headers, changes: changes))
        #expect(request.headers[values: .cookie] == [one.expected])
        let first = one.expected.split(separator: "=", maxSplits: 1)
        let value = first[1].split(separator: ";")[0]
        #expect(request.cookies[String(first[0])] == String(value))
    }

    @Test("cases 12, 14, 15: the body as bytes, whatever its encoding")
    func bodies() throws {
        #expect(try read(eventJSON(changes: ["body": "PGlkay8+", "isBase64Encoded": true])).body.bytes == Array("<idk/>".utf8))
        #expect(try read(eventJSON(changes: ["body": Removed()])).body.plainBytes.isEmpty)
        #expect(try read(eventJSON(changes: ["body": ""])).body.plainBytes.isEmpty)
        #expect(try read(eventJSON(changes: ["body": "{\"λ\":\"\\\"\"}"])).body.bytes == Array("{\"λ\":\"\\\"\"}".utf8))
        let allBytes = (0...255).map { UInt8($0) }
        let encoded = Data(allBytes).base64EncodedString()
        #expect(try read(eventJSON(changes: ["body": encoded, "isBase64Encoded": true])).body.bytes == allBytes)
    }

    @Test("case 13: base64 that is none names the field, and is the client's mistake")
    func badBase64() {
        for text in ["not!valid!base64!", "PGlk", "PGl=ay8+", "====", "PGlkay8+A", "PG=="].filter({
            $0 != "PGlk" && $0 != "PG=="
        }) {
            let error = #expect(throws: EventError.self) {
                try read(eventJSON(changes: ["body": text, "isBase64Encoded": true]))
            }
            #expect(error?.description.contains("base64") == true)
            #expect(error?.isHTTP == true)
        }
    }

    @Test("cases 18, 19, 23: header values unsplit and in UTF-8, the client's address")
    func headers() throws {
        let request = try read(eventJSON(headers: ["x-voker-probe": "first,second", "x-city": "炎"]))
        #expect(request.headers[values: try #require(HTTPField.Name("x-voker-probe"))] == ["first,second"])
        #expect(request.headers[try #require(HTTPField.Name("x-city"))] == "炎")
        #expect(request.remoteAddress == "1.2.3.4")
    }

    @Test("case 22: a header name that is no token is a 400, and the next invocation works")
    func badHeaderName() async {
        let served = await serve(
            app { _ in .text("ok") },
            [.init(eventJSON(headers: ["a\"a": "x"]), id: "bad"), .init(eventJSON(), id: "good")])
        #expect(served.posts.map(\.target) == ["bad", "good"].map { "/2018-06-01/runtime/invocation/\($0)/response" })
        #expect(JSONView(served.posts[0].body)?["statusCode"]?.number == 400)
        #expect(JSONView(served.posts[0].body)?["body"]?.text?.contains("Invalid request") == true)
        #expect(JSONView(served.posts[1].body)?["statusCode"]?.number == 200)
        #expect(served.failures.map(\.outcome) == [.badEvent])
        #expect(served.failures.first?.level == .warning)
    }

    @Test("header names count in any case: an SDK's caller writes them as it likes")
    func anyCase() throws {
        let headers = ["Host": "shop.example", "X-Forwarded-Proto": "http", "Content-Length": "999"]
        let request = try read(eventJSON(method: "POST", changes: ["body": "12345", "headers": headers]))
        #expect(request.authority == "shop.example")
        #expect(request.scheme == "http")
        #expect(request.headers[.contentLength] == "5")
        #expect(request.headers[values: .contentLength].count == 1)
    }

    @Test("case 24: a body limit counts the bytes that came, not those declared")
    func bodyLimit() async throws {
        var routes = Router()
        routes.post("/{path*}") { _ in "ok" }
        let app = LambdaApp {
            BodyLimit(bytes: 4)
            routes
        }
        let json = eventJSON(method: "POST", headers: ["content-length": "1"], changes: ["body": "12345"])
        #expect(try read(json).headers[.contentLength] == "5")
        #expect(await app.respond(to: try read(json)).status == .contentTooLarge)
        #expect(await app.respond(to: Request(.post, "/x", body: "1234")).status == .ok)
    }

    @Test("case 41: unknown fields are skipped and every optional field may be null")
    func tolerance() throws {
        let request = try read(
            """
            {"version":"2.0","rawPath":"/x","rawQueryString":null,"headers":null,"cookies":null,"queryStringParameters":null,\
            "pathParameters":null,"stageVariables":null,"body":null,"isBase64Encoded":null,"new":{"a":[1,2.5e-3,{"b":[]}]},\
            "requestContext":{"authorizer":{"iam":{}},"authentication":{"clientCert":{}},"domainName":null,\
            "http":{"method":"GET","sourceIp":null,"more":[true,false,null]}}}
            """)
        #expect(request.rawPath == "/x")
        #expect(request.headers.isEmpty)
        #expect(request.remoteAddress == nil)
    }

    @Test("a path that begins with two slashes stays a path")
    func doubleSlash() throws {
        #expect(try read(eventJSON(path: "//evil.example/x")).url == "https://id.lambda-url.eu-west-2.on.aws//evil.example/x")
    }

    @Test(
        "an event of another kind is named, with what to do about it",
        arguments: [
            (#"{"Records":[{"messageId":"1","eventSource":"aws:sqs"}]}"#, "an SQS event (remove its trigger"),
            (#"{"Records":[{"EventSource":"aws:sns","Sns":{}}]}"#, "an SNS event"),
            (#"{"Records":[{"eventSource":"aws:s3"}]}"#, "an S3 event"),
            (#"{"Records":[{"eventSource":"aws:kinesis"}]}"#, "a Kinesis event"),
            (#"{"Records":[{"eventSource":"aws:dynamodb"}]}"#, "a DynamoDB stream event"),
            (#"{"Records":[{"eventSource":"aws:codecommit"}]}"#, "an event of aws:codecommit"),
            (#"{"requestContext":{"connectionId":"a","eventType":"CONNECT"}}"#, "a WebSocket API's event"),
            (
                #"{"version":"0","detail-type":"Scheduled Event","source":"aws.events","detail":{}}"#,
                "an EventBridge or schedule event"
            ),
            (#"{"triggerSource":"PreSignUp_SignUp"}"#, "a Cognito trigger's event"),
            (#"{"type":"TOKEN","methodArn":"a","authorizationToken":"b"}"#, "authorizer's event"),
            (#"{"type":"REQUEST","methodArn":"a","httpMethod":"GET","path":"/","requestContext":{}}"#, "authorizer's event"),
            (#"{"messageVersion":"1.0","agent":{},"httpMethod":"GET","apiPath":"/"}"#, "'requestContext.http' is missing"),
            (#"{"anything":"else","Records":[1,null],"requestContext":7}"#, "'requestContext': object expected"),
            (#"{"anything":"else","Records":[1,null]}"#, "'requestContext.http' is missing, or 'version' is another"),
        ])
    func kinds(_ json: String, says: String) {
        let error = #expect(throws: EventError.self) { try read(json) }
        #expect(error?.isHTTP == false)
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }
}
