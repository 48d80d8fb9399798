import Foundation
import HTTPTypes
import SluiceTestSupport
import Testing

@testable import Sluice
@testable import SluiceCore

/// Section 8.1 of the conformance cases for the front ends that are not a Function URL; the events are those of Tests/Fixtures.
@Suite struct FrontEndTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let file: String
        let form: EventForm
        let url: String
        var method = HTTPRequest.Method.post
        var address: String? = "203.0.113.10"
        var tags = ["first", "second"]
        var cookie: String? = "session=abc123; theme=dark"
        var testDescription: String { file }
    }

    static let api = "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
    static let balancer = "https://tea-1234567890.eu-west-1.elb.amazonaws.com"
    static let lattice = "https://orders-0a1b2c3d4e5f60718.7d67968.vpc-lattice-svcs.eu-west-1.on.aws"

    static let cases: [Case] = [
        Case(
            file: "http-api", form: .httpAPI, url: "\(api)/prod/orders/green%20tea?size=small&size=large&note=a%2Bb+c&empty=",
            tags: ["first,second"]),
        Case(
            file: "rest", form: .restAPI, url: "\(api)/orders/green%20tea?empty=&note=a%2Bb%20c&size=small&size=large"),
        Case(
            file: "http-api-v1", form: .httpAPI1, url: "\(api)/orders/tea?empty=&note=a%2Bb%20c&size=small&size=large"),
        Case(
            file: "rest-console-test", form: .restAPI, url: "https://testPrefix.testDomainName/orders?name=me",
            address: "test-invoke-source-ip", tags: [], cookie: nil),
        Case(
            file: "alb", form: .loadBalancer,
            url: "\(balancer)/orders/green%20tea?empty=&note=a%2Bb+c&redirect=https%3A%2F%2Fexample.com%2Fa&size=large",
            tags: ["second"]),
        Case(
            file: "alb-multi", form: .loadBalancerMulti,
            url:
                "\(balancer)/orders/green%20tea?empty=&note=a%2Bb+c&redirect=https%3A%2F%2Fexample.com%2Fa&size=small&size=large",
            method: .get),
        Case(file: "alb-health", form: .loadBalancer, url: "/health", method: .get, address: nil, tags: [], cookie: nil),
        Case(
            file: "lattice-v1", form: .lattice1, url: "\(lattice)/orders/green%20tea?dryRun=true&size=large",
            address: "203.0.113.20", tags: ["first,second"], cookie: nil),
        Case(
            file: "lattice-v2", form: .lattice2, url: "\(lattice)/orders/green%20tea?size=small&size=large&dryRun=true",
            address: "203.0.113.20"),
    ]

    /// The order of a map's names is not the client's any more: compared sorted.
    private func sorted(_ url: String) -> String {
        let parts = url.split(separator: "?", maxSplits: 1)
        guard parts.count == 2 else { return url }
        return parts[0] + "?" + parts[1].split(separator: "&").sorted().joined(separator: "&")
    }

    @Test("cases 4, 7, 25, 29–33, 35–39: the request of each documented event", arguments: cases)
    func request(_ one: Case) throws {
        let event = try RequestEvent(Array(try Fixture.text(one.file).utf8), id: "id", deadline: nil)
        #expect(event.form == one.form)
        #expect(sorted(event.request.url) == sorted(one.url))
        #expect(event.request.method == one.method)
        #expect(event.request.remoteAddress == one.address)
        #expect(event.request.headers[values: try #require(HTTPField.Name("x-tag"))] == one.tags)
        #expect(event.request.headers[values: .cookie] == [one.cookie].compactMap { $0 })
        #expect(event.request.header(.cookie) == one.cookie)
    }

    @Test("a body is the same bytes behind each front end")
    func bodies() throws {
        let text = Array("{\"id\":1,\"item\":\"tea\",\"note\":\"grönt λ\"}".utf8)
        for file in ["function-url", "rest", "http-api-v1", "alb", "lattice-v1", "lattice-v2"] {
            #expect(try read(Fixture.text(file)).body.bytes == text, "\(file)")
        }
        #expect(try read(Fixture.text("lattice-v2-x509")).body.bytes == [0x89, 0x74, 0x65, 0x61, 0x00, 0xFF])
        #expect(try read(Fixture.text("http-api")).body.bytes == Array("item=green+tea&size=2&note=%C3%A5".utf8))
    }

    @Test("cases 27, 28: a REST API's decoded query comes back as it was")
    func restQuery() throws {
        let odd = "a&b=c d!@#$%^&*()+日本語/{bookId}/"
        let request = try read(
            Fixture.text("rest", ["multiValueQueryStringParameters": [odd: [odd, ""]], "queryStringParameters": [odd: ""]]))
        #expect(request.query.all(odd) == [odd, ""])
        let books = try read(
            Fixture.text(
                "rest",
                ["multiValueQueryStringParameters": ["path": ["/book/{bookId}/"]], "queryStringParameters": Removed()]))
        #expect(books.rawQuery == "path=%2Fbook%2F%7BbookId%7D%2F")
    }

    @Test("case 34: a load balancer's query is handed on as it came")
    func balancerQuery() throws {
        let request = try read(Fixture.text("alb", ["queryStringParameters": ["myKey": "%3FshowAll%3Dtrue"]]))
        #expect(request.rawQuery == "myKey=%3FshowAll%3Dtrue")
    }

    @Test("case 30: a REST API's event with a raw path is routed by its path")
    func basePathMapping() throws {
        #expect(try read(Fixture.text("rest", ["rawPath": "/base/orders"])).rawPath == "/orders/green%20tea")
    }

    @Test("case 37: a null map is as if it were not there")
    func nullMap() throws {
        let changes: [String: Any] = ["headers": NSNull(), "queryStringParameters": NSNull()]
        let event = try RequestEvent(Array(Fixture.text("alb-multi", changes).utf8), id: "id", deadline: nil)
        #expect(event.form == .loadBalancerMulti)
        #expect(event.request.headers[values: try #require(HTTPField.Name("x-tag"))] == ["first", "second"])
    }

    @Test("an empty list among the multi-value headers does not hide the single one; both maps count")
    func emptyList() throws {
        let changes: [String: Any] = [
            "multiValueHeaders": ["x-a": [String](), "x-b": ["1", "2"]], "headers": ["X-A": "single", "x-b": "2", "x-c": "3"],
        ]
        let headers = try read(Fixture.text("rest", changes)).headers
        let names = try ["x-a", "x-b", "x-c"].map { try #require(HTTPField.Name($0)) }
        #expect(names.map { headers[values: $0] } == [["single"], ["1", "2"], ["3"]])
    }

    @Test(
        "the header with which Lattice tells who calls comes from nobody else",
        arguments: [
            ("lattice-v1", true), ("lattice-v2", true), ("rest", false), ("http-api-v1", false), ("alb", false),
            ("function-url", false), ("http-api", false),
        ])
    func latticeHeader(_ file: String, isKept: Bool) throws {
        let name = "x-amzn-lattice-identity"
        let value: Any = file == "lattice-v2" ? ["Principal=arn:forged"] : "Principal=arn:forged"
        var maps: [String: Any] = ["headers.\(name)": value]
        if file == "rest" { maps["multiValueHeaders.\(name)"] = ["Principal=arn:forged"] }
        let json = try Fixture.text(file, maps)
        let request = try read(json)
        #expect(request.headers[values: try #require(HTTPField.Name(name))] == (isKept ? ["Principal=arn:forged"] : []))
        let principal = LambdaContext(event: json).identity?.lattice?.principal
        // Lattice's own header is its word; with version 2 its word is in the event's context.
        #expect((principal == "arn:forged") == (file == "lattice-v1"))
    }

    @Test("case 38: the client's address is what the load balancer has added, the last one")
    func forwarded() throws {
        #expect(try read(Fixture.text("alb", ["headers": ["x-forwarded-for": "1.1.1.1, 2.2.2.2 "]])).remoteAddress == "2.2.2.2")
        #expect(try read(Fixture.text("alb", ["headers": ["x-forwarded-for": " , "]])).remoteAddress == nil)
    }

    @Test(
        "cases 25, 26: the stage, where the option says so",
        arguments: [
            (nil, "/path", "/path"), ("$default", "/path", "/path"), ("Prod", "/Prod/path", "/Prod/path"),
            ("Prod", "/path", "/Prod/path"), ("Prod", "/Production", "/Prod/Production"),
        ])
    func stage(_ stage: String?, path: String, expected: String) throws {
        let json = try Fixture.text("rest", ["path": path, "requestContext.stage": stage ?? Removed()])
        var rules = EventRules()
        #expect(try RequestEvent(Array(json.utf8), id: "id", deadline: nil, rules).request.rawPath == path)
        rules.stageInPath = true
        #expect(try RequestEvent(Array(json.utf8), id: "id", deadline: nil, rules).request.rawPath == expected)
    }

    @Test(
        "case 43, and 71 and 72 of Lambda Web Adapter: the base path goes once, by whole segments",
        arguments: [
            ("/prod", "/prod/api", "/api"), ("/prod", "/other", "/other"), ("/prod", "/prod", "/"),
            ("/prod", "/product", "/product"), ("/prod", "/prod/prod/x", "/prod/x"), ("/api/", "/api/x", "/x"),
            ("/a/b", "/a/b/c", "/c"), ("/a/b", "/a/bc", "/a/bc"), ("", "/x", "/x"), ("/", "/x", "/x"),
            ("prod", "/prod/x", "/prod/x"),
        ])
    func basePath(_ base: String, path: String, expected: String) throws {
        var warnings: [String] = []
        let rules = try EventRules(["AWS_LWA_REMOVE_BASE_PATH": base], &warnings)
        #expect(warnings.count == (base == "prod" ? 1 : 0))
        for json in [eventJSON(path: path), try Fixture.text("rest", ["path": path]), try Fixture.text("alb", ["path": path])] {
            #expect(try RequestEvent(Array(json.utf8), id: "id", deadline: nil, rules).request.rawPath == expected)
        }
    }

    @Test("cases 69, 70 of Lambda Web Adapter: the header that stands for Authorization")
    func authorizationSource() throws {
        var warnings: [String] = []
        let rules = try EventRules(["AWS_LWA_AUTHORIZATION_SOURCE": "X-Auth"], &warnings)
        #expect(warnings.isEmpty)
        let both = eventJSON(headers: ["x-auth": "Bearer 1", "authorization": "AWS4"])
        let moved = try RequestEvent(Array(both.utf8), id: "id", deadline: nil, rules).request
        #expect(moved.headers[values: .authorization] == ["Bearer 1"])
        #expect(moved.headers[try #require(HTTPField.Name("x-auth"))] == nil)
        let none = eventJSON(headers: ["authorization": "AWS4"])
        let kept = try RequestEvent(Array(none.utf8), id: "id", deadline: nil, rules).request
        #expect(kept.headers[.authorization] == "AWS4")
        _ = try EventRules(["AWS_LWA_AUTHORIZATION_SOURCE": "x auth"], &warnings)
        #expect(warnings.count == 1)
        #expect(throws: SettingsError.self) { try EventRules(["SLUICE_STAGE_IN_PATH": "yes"], &warnings) }
    }

    @Test("cases 66, 68 of Lambda Web Adapter: what only the platform may say is taken from no client")
    func forged() throws {
        let names = ["x-amz-tenant-id", "X-Amzn-Request-Context", "x-amzn-lambda-context"]
        let forged = Dictionary(uniqueKeysWithValues: names.map { ($0, "evil") })
        for json in [
            eventJSON(headers: forged), try Fixture.text("alb", ["headers": forged]),
            try Fixture.text("rest", ["multiValueHeaders": forged.mapValues { [$0] }, "headers": forged]),
        ] {
            let request = try read(json)
            for name in names {
                let name = try #require(HTTPField.Name(name))
                #expect(request.header(name) == nil)
                #expect(request.headers[name] == nil)
            }
        }
    }

    @Test("case 22: a header name that is no token is a 400 behind each front end")
    func badNames() throws {
        for (file, form) in [
            ("rest", EventForm.restAPI), ("alb", .loadBalancer), ("lattice-v2", .lattice2), ("lattice-v1", .lattice1),
        ] {
            let changes: [String: Any] = ["headers": ["a\"a": "x"], "multiValueHeaders": Removed()]
            let error = #expect(throws: EventError.self) { try read(Fixture.text(file, changes)) }
            #expect(error?.form == form)
            #expect(error?.description.contains("not an HTTP token") == true)
        }
    }

    @Test("a hostile number of headers or parameters is an error, no end of the process")
    func many() throws {
        let many = Dictionary(uniqueKeysWithValues: (0..<70_000).map { ("x-\($0)", "v") })
        for field in ["headers", "queryStringParameters"] {
            let error = #expect(throws: EventError.self) { try read(Fixture.text("alb", [field: many])) }
            #expect(error?.form == .loadBalancer)
            #expect(error?.description.contains("more than 10000") == true)
        }
    }

    @Test(
        "each field removed, nulled and of another type: a request, or a 400 in the event's own form",
        arguments: [
            "function-url", "function-url-iam", "http-api", "http-api-jwt", "http-api-lambda", "http-api-iam", "http-api-mtls",
            "http-api-v1", "rest", "rest-lambda", "rest-cognito", "rest-iam", "rest-mtls", "rest-console-test", "alb",
            "alb-multi", "alb-health", "lattice-v1", "lattice-v2", "lattice-v2-x509",
        ])
    func spoiled(_ file: String) throws {
        let form = try RequestEvent(Array(Fixture.text(file).utf8), id: "id", deadline: nil).form
        /// What tells the form, and what no request is without.
        let telling: Set = [
            "requestContext", "requestContext.http", "requestContext.elb", "requestContext.serviceArn", "version", "httpMethod",
            "method", "raw_path", "requestContext.domainName", "multiValueHeaders",
        ]
        let needed: Set = ["rawPath", "path", "requestContext.http.method"]
        for (path, how, json) in try Fixture.spoiled(file) {
            do throws(EventError) {
                let event = try RequestEvent(Array(json.utf8), id: "id", deadline: nil)
                #expect(event.form == form || telling.contains(path), "\(path) \(how)")
                #expect(event.request.rawPath.hasPrefix("/"))
                _ = event.request.headers
            } catch {
                #expect(error.form == form || telling.contains(path), "\(path) \(how): \(error)")
                #expect(!error.description.isEmpty)
                // What is not there, or null, is wanting only where there can be no request without it.
                if how == "removed" || how == "null" {
                    #expect(telling.contains(path) || needed.contains(path), "\(path) \(how): \(error)")
                }
            }
            _ = CallerIdentity.read(Array(json.utf8), form)
        }
    }
}
