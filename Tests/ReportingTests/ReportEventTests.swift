import Foundation
import Logging
import SluiceTestSupport
import Synchronization
import Testing

@testable import SluiceReporting

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

private struct Plain: Error, CustomStringConvertible {
    var description = "it did not work"
}

private struct Wrapper: CausedError, CustomStringConvertible {
    var description: String
    var cause: (any Error)?
}

private final class Ring: CausedError, Sendable {
    let next = Mutex<(any Error)?>(nil)
    var cause: (any Error)? { next.withLock { $0 } }
}

@Suite struct ReportEventTests {
    private func json(_ event: ReportEvent) throws -> JSONView { try #require(JSONView(event.json())) }

    // MARK: What an event says

    @Test("case 37: an error is an event of level error with its type, module, text and mechanism")
    func error() async throws {
        let test = TestClient()
        let event = try await test.delivered(test.event(of: Plain()))
        #expect(event["level"]?.text == "error")
        #expect(event["exception"]?["values"]?.count == 1)
        let exception = event["exception"]?["values"]?[0]
        #expect(exception?["type"]?.text == "Plain")
        #expect(exception?["module"]?.text == "ReportingTests")
        #expect(exception?["value"]?.text == "it did not work")
        #expect(exception?["mechanism"]?["type"]?.text == "auto.http.lambda")
        #expect(exception?["mechanism"]?["handled"]?.flag == false)
        // An empty list of frames is an error note at the server.
        #expect(exception?["stacktrace"] == nil)
    }

    @Test("case 38: a message has its level and no exception")
    func message() async throws {
        let test = TestClient()
        let event = try await test.delivered(test.message("hello"))
        #expect(event["level"]?.text == "info")
        #expect(event["logentry"]?["formatted"]?.text == "hello")
        #expect(event["exception"] == nil)
    }

    @Test(
        "case 39: the environment is production where none, or an empty one, is given",
        arguments: [
            (nil, nil, "production"), ("", nil, "production"), ("", "", "production"), (nil, "", "production"),
            ("staging", nil, "staging"), ("staging", "", "staging"), (nil, "qa", "qa"), ("staging", "qa", "qa"),
        ] as [(String?, String?, String)])
    func environment(_ variable: String?, _ option: String?, _ expected: String) async throws {
        let test = TestClient(variable.map { ["SENTRY_ENVIRONMENT": $0] } ?? [:]) { $0.environment = option }
        #expect(try await test.delivered(test.message("x"))["environment"]?.text == expected)
    }

    @Test("case 40: what the event has itself wins over the options, and those over the environment; empty text does not")
    func precedence() async throws {
        let test = TestClient(["SENTRY_RELEASE": "r-variable", "SENTRY_ENVIRONMENT": "e-variable", "SENTRY_NAME": "n-variable"]) {
            $0.release = "r-option"
            $0.environment = "e-option"
            $0.dist = "d-option"
        }
        var event = test.message("x")
        (event.release, event.environment, event.dist, event.serverName) = ("r-event", "e-event", "d-event", "n-event")
        let own = try await test.delivered(event)
        #expect(["release", "environment", "dist", "server_name"].map { own[$0]?.text } == ["r-event", "e-event", "d-event", "n-event"])
        var empty = test.message("y")
        (empty.release, empty.environment, empty.dist) = ("", "", "")
        let options = try await test.delivered(empty)
        #expect(
            ["release", "environment", "dist", "server_name"].map { options[$0]?.text }
                == ["r-option", "e-option", "d-option", "n-variable"])
        let settings = ReportSettings(
            ReportOptions { $0.release = "" }, ["SENTRY_RELEASE": "r-variable", "SENTRY_ENVIRONMENT": "e-variable"])
        #expect(settings.release == "r-variable")
        #expect(settings.environment == "e-variable")
    }

    @Test("case 40: a request's scope wins over the process's, level included, and each value is there once")
    func scopes() async throws {
        let test = TestClient()
        test.process.change { scope in
            scope.tags = ["a": "process", "b": "process"]
            scope.level = .fatal
            scope.fingerprint = ["process"]
            scope.transaction = "process"
            scope.contexts["shop"] = ["process": true]
        }
        #expect(test.process.add(Breadcrumb("of the process"), limit: 10))
        let alone = try await test.delivered(test.message("x"))
        #expect(alone["level"]?.text == "fatal")
        #expect(alone["fingerprint"]?.texts == ["process"])
        test.box.change { scope in
            scope.tags["a"] = "request"
            scope.level = .warning
            scope.fingerprint = ["request"]
            scope.transaction = "request"
            scope.contexts["shop"] = ["request": true]
        }
        var event = test.message("y")
        event.tags["c"] = "event"
        let both = try await test.delivered(event)
        #expect(both["tags"]?.dictionary == ["a": "request", "b": "process", "c": "event"])
        #expect(both["level"]?.text == "warning")
        #expect(both["transaction"]?.text == "request")
        #expect(both["fingerprint"]?.texts == ["process", "request"])
        // A context is replaced whole.
        #expect(both["contexts"]?["shop"]?.keys == ["request"])
        // Outside of requests, and in a fork there, the scope is the process's own.
        for box in [test.process, test.process.forked()] {
            let id = test.client.capture(test.message("z"), box.scope, box)
            let own = try #require(try await test.deliveredEvents().first { $0["event_id"]?.text == id })
            #expect(own["fingerprint"]?.texts == ["process"])
            #expect(own["breadcrumbs"]?["values"]?.count == 1)
            #expect(own["level"]?.text == "fatal")
        }
    }

    @Test("case 41: every event has a trace context, the same trace in one request, another one in the next")
    func trace() async throws {
        let test = TestClient()
        test.capture(test.message("x"))
        test.capture(test.event(of: Plain()))
        let other = ScopeBox()
        test.client.capture(test.message("y"), other.scope, other)
        let traces = try await test.deliveredEvents().map { try #require($0["contexts"]?["trace"]) }
        #expect(traces.count == 3)
        for trace in traces {
            #expect(try #require(trace["trace_id"]?.text).wholeMatch(of: /[0-9a-f]{32}/) != nil)
            #expect(try #require(trace["span_id"]?.text).wholeMatch(of: /[0-9a-f]{16}/) != nil)
        }
        let ids = traces.map { $0["trace_id"]?.text }
        #expect(ids[0] == ids[1])
        #expect(ids[0] != ids[2])
    }

    @Test("case 42: an event's own moment is kept, to the millisecond")
    func timestamp() async throws {
        let test = TestClient()
        var event = test.message("x")
        event.timestamp = Deadline(millisecondsSinceEpoch: 1_767_323_045_123)
        #expect(try await test.delivered(event)["timestamp"]?.value as? Double == 1_767_323_045.123)
    }

    @Test("case 43: contexts that the app gave are not overwritten, and are its whole")
    func contexts() async throws {
        let test = TestClient()
        let own = try await test.delivered(test.message("x"))
        #expect(own["contexts"]?["runtime"]?["name"]?.text == "swift")
        var event = test.message("y")
        event.contexts["runtime"] = ["name": "theirs"]
        test.box.change { $0.contexts["os"] = ["name": "theirs too"] }
        let given = try await test.delivered(event)
        #expect(given["contexts"]?["runtime"]?.dictionary == ["name": "theirs"])
        #expect(given["contexts"]?["os"]?.dictionary == ["name": "theirs too"])
        #expect(given["contexts"]?["device"]?["arch"]?.text == own["contexts"]?["device"]?["arch"]?.text)
    }

    // MARK: Chains of errors

    @Test("case 44: causes come before what they caused, with ids from the thrown error on, each with its parent")
    func chain() async throws {
        let test = TestClient()
        let error = Wrapper(description: "outer", cause: Wrapper(description: "middle", cause: Plain(description: "inner")))
        let event = try await test.delivered(test.event(of: error))
        let values = try #require(event["exception"]?["values"]?.elements)
        #expect(values.map { $0["value"]?.text } == ["inner", "middle", "outer"])
        #expect(values.map { $0["type"]?.text } == ["Plain", "Wrapper", "Wrapper"])
        #expect(values.map { $0["mechanism"]?["exception_id"]?.number } == [2, 1, 0])
        #expect(values.map { $0["mechanism"]?["parent_id"]?.number } == [1, 0, nil])
        #expect(values.map { $0["mechanism"]?["type"]?.text } == ["chained", "chained", "auto.http.lambda"])
        #expect(values.map { $0["mechanism"]?["source"]?.text } == ["cause", "cause", nil])
        #expect(values.map { $0["mechanism"]?["handled"]?.flag } == [nil, nil, false])
    }

    @Test("case 44: what a decoder or encoder says was the cause is the cause")
    func codingErrors() {
        let inner = Plain()
        let decoding = DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "", underlyingError: inner))
        let encoding = EncodingError.invalidValue(1, .init(codingPath: [], debugDescription: "", underlyingError: inner))
        #expect(ErrorChain.of(decoding).count == 2)
        #expect(ErrorChain.of(encoding).last is Plain)
    }

    @Test("case 45: a chain that bites its tail, or never ends, is cut at six")
    func loop() async throws {
        let (first, second, alone) = (Ring(), Ring(), Ring())
        first.next.withLock { $0 = second }
        second.next.withLock { $0 = first }
        alone.next.withLock { $0 = alone }
        defer { for ring in [first, second, alone] { ring.next.withLock { $0 = nil } } }
        let test = TestClient()
        for error in [first, alone] {
            let event = try await test.delivered(test.event(of: error))
            #expect((1...6).contains(event["exception"]?["values"]?.count ?? 0))
        }
        let long = (0..<100).reduce(Plain() as any Error) { Wrapper(description: "\($1)", cause: $0) }
        let event = try await test.delivered(test.event(of: long))
        // The thrown one is never what is cut.
        #expect(event["exception"]?["values"]?.elements?.map { $0["value"]?.text } == ["94", "95", "96", "97", "98", "99"])
    }

    // MARK: Limits

    @Test("case 46: values are cut at a depth of eight, lists and objects at a hundred")
    func nesting() throws {
        var deep: ReportValue = "bottom"
        for _ in 0..<50 { deep = .array([.object(["in": deep])]) }
        var event = ReportEvent(level: .error)
        event.contexts["deep"] = ["value": deep]
        event.contexts["wide"] = [
            "list": .array(Array(repeating: 1, count: 2000)),
            "object": .object(Dictionary(uniqueKeysWithValues: (0..<2000).map { ("k\($0)", 1) })),
        ]
        event.contexts["many"] = Dictionary(uniqueKeysWithValues: (0..<2000).map { ("k\($0)", 1) })
        let contexts = try #require(try json(event)["contexts"])
        var depth = 0
        var each = contexts["deep"]?["value"]
        while let inner = each?[0] ?? each?["in"] { (each, depth) = (inner, depth + 1) }
        #expect(each?.text == "…")
        #expect(depth == 7)
        #expect(contexts["wide"]?["list"]?.count == 100)
        #expect(contexts["wide"]?["object"]?.keys.count == 100)
        #expect(contexts["many"]?.keys.count == 100)
    }

    @Test("case 46: an event that is too large in all leaves with what fits, and still says what went wrong")
    func tooLarge() async throws {
        let test = TestClient()
        var event = test.event(of: Plain())
        let long = ReportValue.string(String(repeating: "é", count: 8000))
        for index in 0..<100 { event.contexts["c\(index)"] = ["text": long] }
        event.breadcrumbs = (0..<100).map { _ in Breadcrumb("x", data: ["text": long]) }
        let arrived = try await test.delivered(event)
        #expect(try #require(try await test.flush().first?["event"]).payload.count < 1 << 20)
        #expect(arrived["exception"]?["values"]?[0]?["value"]?.text == "it did not work")
        #expect(arrived["contexts"]?["trace"]?["trace_id"] != nil)
    }

    @Test("case 47: NaN and the infinities are text, numbers stay what they are")
    func numbers() throws {
        var event = ReportEvent(level: .error)
        event.contexts["n"] = [
            "nan": .double(.nan), "up": .double(.infinity), "down": .double(-.infinity), "tiny": .double(2.5e-308), "huge": .double(1e300),
            "whole": 3.0, "int": .integer(.min), "half": -0.5,
        ]
        let numbers = try #require(try json(event)["contexts"]?["n"])
        #expect(["nan", "up", "down"].map { numbers[$0]?.text } == ["nan", "inf", "-inf"])
        #expect(["tiny", "huge", "whole", "half"].map { numbers[$0]?.value as? Double } == [2.5e-308, 1e300, 3, -0.5])
        #expect(numbers["int"]?.number == .min)
    }

    /// The keys of the specification's table; strict servers refuse an event with others.
    private static let keys: Set<String> = [
        "event_id", "timestamp", "platform", "level", "logger", "transaction", "transaction_info", "server_name", "release", "dist",
        "environment", "tags", "extra", "fingerprint", "modules", "errors", "sdk", "logentry", "user", "request", "contexts",
        "breadcrumbs", "exception", "threads", "debug_meta",
    ]

    @Test("cases 48, 49: an event with everything in it has known keys only, nothing null or empty, and the platform native")
    func everything() async throws {
        let test = TestClient([
            "SENTRY_RELEASE": "shop@1.4.2", "AWS_REGION": "eu-west-2", "AWS_LAMBDA_FUNCTION_NAME": "shop", "AWS_LAMBDA_FUNCTION_VERSION": "",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/shop", "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/02/[$LATEST]abc",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        ]) {
            $0.sendDefaultPII = true
            $0.dist = "arm64"
        }
        test.box.setRequest {
            RawRequest(
                method: "POST", url: "https://shop.example/orders?a=1", query: [("a", "1"), ("a", "2"), ("", "")],
                headers: [("Content-Type", "text/plain"), ("X-Empty", "")], body: Array("x".utf8), remoteAddress: "192.0.2.1")
        }
        test.box.change { scope in
            scope.user = ReportUser(id: "42", username: "", email: nil)
            scope.contexts["empty"] = [:]
            scope.contexts["nothing"] = ["a": nil, "b": ""]
            scope.tags = ["empty": "", "full": "x"]
            scope.fingerprint = ["{{ default }}", "a"]
            scope.transaction = "GET /orders/{id}"
        }
        var event = test.event(of: Wrapper(description: "", cause: Plain()))
        event.logger = "sluice"
        event.message = "failed"
        event.breadcrumbs = [Breadcrumb(""), Breadcrumb("x", category: "", type: "", data: [:])]
        event.images = [ReportImage(address: 1 << 40, size: 4096, path: "/var/task/bootstrap", codeID: "", debugID: "e20a2268")]
        let scope = InvocationScope(
            requestID: "8476a536", deadline: .now, traceID: "Root=1", tenantID: "t",
            lambda: .init(functionARN: "arn:aws:lambda:eu-west-2:123456789012:function:shop", arrival: .now, isColdStart: true))
        let arrived = try await InvocationScope.$current.withValue(scope) { try await test.delivered(event) }
        #expect(arrived.keys.isSubset(of: Self.keys))
        #expect(arrived.keys.count >= 20)
        #expect(arrived["platform"]?.text == "native")
        #expect(arrived["contexts"]?["cloud_resource"]?["cloud.account.id"]?.text == "123456789012")
        #expect(arrived["contexts"]?["aws.lambda"]?["aws_request_id"]?.text == "8476a536")
        #expect(arrived["tags"]?.dictionary == ["full": "x"])
        // Empty names and values of a request are the request's own.
        var rest = try #require(arrived.value as? [String: Any])
        rest["request"] = nil
        Self.expectNothingEmpty(rest, "event")
    }

    private static func expectNothingEmpty(_ value: Any, _ path: String) {
        switch value {
        case let object as [String: Any]:
            #expect(!object.isEmpty, "\(path)")
            for (key, value) in object { expectNothingEmpty(value, "\(path).\(key)") }
        case let list as [Any]:
            #expect(!list.isEmpty, "\(path)")
            for value in list { expectNothingEmpty(value, path + "[]") }
        case let text as String: #expect(!text.isEmpty, "\(path)")
        default: #expect(!(value is NSNull), "\(path)")
        }
    }

    @Test("case 49: ids are version 4 UUIDs of 32 lower-case digits, each another one")
    func ids() {
        let ids = (0..<1000).map { _ in ReportEvent(level: .error).id }
        #expect(Set(ids).count == 1000)
        for id in ids { #expect(id.wholeMatch(of: /[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}/) != nil, "\(id)") }
    }

    @Test("case 50: tags that a server would refuse are cut or left out")
    func tags() throws {
        var event = ReportEvent(level: .error)
        let long = String(repeating: "é", count: 201)
        event.tags = [
            "flag": "\(true)", "long": long, "fits": String(repeating: "é", count: 200), "line": "a\nb", "return": "a\rb", "é": "x",
            "a b": "x", "": "x", "empty": "", "a.b:c-d_9": "x", String(repeating: "k", count: 200): "x", String(repeating: "k", count: 201): "x",
        ]
        let tags = try #require(try json(event)["tags"]?.dictionary)
        #expect(
            tags == [
                "flag": "true", "long": String(repeating: "é", count: 197) + "...", "fits": String(repeating: "é", count: 200),
                "a.b:c-d_9": "x", String(repeating: "k", count: 200): "x",
            ])
    }

    @Test(
        "case 51: releases that a server would refuse are left out, with a record",
        arguments: ["a/b", "a\\b", "latest", ".", "..", "a\nb", "a\tb", String(repeating: "r", count: 201)])
    func release(_ text: String) async throws {
        let test = TestClient(["SENTRY_RELEASE": text]) { $0.dist = "1" }
        #expect(test.records.all.map(\.level) == [.warning])
        #expect(test.records.texts.allSatisfy { $0.contains("release") })
        var event = test.message("x")
        #expect(try await test.delivered(event)["release"] == nil)
        event = test.message("y")
        event.release = text
        let arrived = try await test.delivered(event)
        #expect(arrived["release"] == nil)
        // Of no meaning without a release.
        #expect(arrived["dist"] == nil)
    }

    @Test(
        "case 51: environments that a server would refuse are left out, with a record",
        arguments: ["none", "None", "a/b", "a\nb", String(repeating: "e", count: 65)])
    func refusedEnvironment(_ text: String) async throws {
        let test = TestClient(["SENTRY_ENVIRONMENT": text])
        #expect(test.records.all.map(\.level) == [.warning])
        #expect(try await test.delivered(test.message("x"))["environment"]?.text == "production")
        var event = test.message("y")
        event.environment = text
        #expect(try await test.delivered(event)["environment"] == nil)
    }

    @Test("case 51: what is just within the limits is sent, blanks around it are not")
    func accepted() async throws {
        let release = String(repeating: "r", count: 200)
        let test = TestClient(["SENTRY_RELEASE": "  \(release) ", "SENTRY_ENVIRONMENT": " \(String(repeating: "e", count: 64))"]) {
            $0.dist = String(repeating: "d", count: 64)
        }
        let event = try await test.delivered(test.message("x"))
        #expect(event["release"]?.text == release)
        #expect(event["environment"]?.text == String(repeating: "e", count: 64))
        #expect(event["dist"]?.text == String(repeating: "d", count: 64))
        #expect(test.records.texts.isEmpty)
        #expect(Field.dist(String(repeating: "d", count: 65)) == nil)
    }

    @Test("cases 37, 46: long texts are cut where the protocol says, dots last")
    func texts() throws {
        func long(_ count: Int) -> String { String(repeating: "😀", count: count) }
        var event = ReportEvent(level: .error)
        event.message = long(8193)
        event.transaction = long(201)
        event.logger = long(65)
        event.exceptions = [ReportException(type: "T", value: long(8193), mechanism: .init(type: "generic"))]
        event.breadcrumbs = [Breadcrumb(long(2049)), Breadcrumb(long(2048))]
        let arrived = try json(event)
        func cut(_ count: Int) -> String { long(count - 3) + "..." }
        #expect(arrived["logentry"]?["formatted"]?.text == cut(8192))
        #expect(arrived["transaction"]?.text == cut(200))
        #expect(arrived["logger"]?.text == cut(64))
        #expect(arrived["exception"]?["values"]?[0]?["value"]?.text == cut(8192))
        #expect(arrived["breadcrumbs"]?["values"]?.elements?.map { $0["message"]?.text } == [cut(2048), long(2048)])
    }

    @Test("case 46: of a very deep stack both ends stay")
    func deepStack() throws {
        var event = ReportEvent(level: .error)
        var exception = ReportException(type: "T", value: "", mechanism: .init(type: "generic"))
        exception.frames = (0..<1000).map { ReportFrame(instructionAddress: $0, inApp: true) }
        event.exceptions = [exception]
        let stack = try #require(try json(event)["exception"]?["values"]?[0]?["stacktrace"])
        let addresses = stack["frames"]?.elements?.map { $0["instruction_addr"]?.text }
        #expect(addresses == (Array(0..<50) + Array(950..<1000)).map { "0x" + String($0, radix: 16) })
        #expect(stack["instruction_addr_adjustment"]?.text == "all")
    }

    // MARK: Images

    /// The rule of the specification: a little-endian GUID of the first 16 bytes, zeros behind shorter ones.
    private func debugID(_ codeID: String) -> String {
        var digits = Array(codeID)
        digits += Array(repeating: "0", count: max(0, 32 - digits.count))
        let bytes = stride(from: 0, to: 32, by: 2).map { String(digits[$0..<($0 + 2)]) }
        let parts = [bytes[0..<4].reversed(), bytes[4..<6].reversed(), bytes[6..<8].reversed(), Array(bytes[8..<10]), Array(bytes[10...])]
        return parts.map { $0.joined() }.joined(separator: "-")
    }

    #if os(Linux)
    @Test("case 52: an image has the build id of its file, and the debug id that follows from it")
    func buildID() throws {
        #expect(debugID("68220ae2c65d65c1b6aaa12fa6765a6ec2f5f434") == "e20a2268-5dc6-c165-b6aa-a12fa6765a6e")
        let function = try #require(dlsym(nil, "getpid"))
        let address = UInt(bitPattern: function)
        let image = try #require(Symbols.images(for: [address]).first)
        #expect(image.path.contains("libc"))
        #expect(image.address <= address && address < image.address + image.size)
        let id = try #require(image.codeID)
        #expect(image.debugID == debugID(id))
        // As it stands in the file: the note's header and name, and then the id.
        let file = try Data(contentsOf: URL(fileURLWithPath: image.path))
        let length = UInt8(id.count / 2)
        let header = Data([4, 0, 0, 0, length, 0, 0, 0, 3, 0, 0, 0] + Array("GNU\0".utf8))
        let note = try #require(file.range(of: header))
        let bytes = file[note.upperBound..<(note.upperBound + Int(length))]
        #expect(bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() == id)
    }
    #endif

    @Test("case 53: images are a list with their type, addresses as hexadecimal text and both ids")
    func images() throws {
        var event = ReportEvent(level: .error)
        event.images = [
            ReportImage(
                address: 0x55d0_c000_0000, size: 4_194_304, path: "/var/task/bootstrap",
                codeID: "68220ae2c65d65c1b6aaa12fa6765a6ec2f5f434", debugID: "e20a2268-5dc6-c165-b6aa-a12fa6765a6e"),
            ReportImage(address: 1, size: .max, path: "/lib/x.so", codeID: nil, debugID: "0"),
        ]
        let images = try #require(try json(event)["debug_meta"]?["images"]?.elements)
        #expect(images.map { $0["type"]?.text } == ["elf", "elf"])
        #expect(images.map { $0["image_addr"]?.text } == ["0x55d0c0000000", "0x1"])
        #expect(images.map { $0["image_size"]?.number } == [4_194_304, .max])
        #expect(images[0]["code_id"]?.text == "68220ae2c65d65c1b6aaa12fa6765a6ec2f5f434")
        #expect(images[0]["debug_id"]?.text == "e20a2268-5dc6-c165-b6aa-a12fa6765a6e")
        #expect(images[0]["code_file"]?.text == "/var/task/bootstrap")
        #expect(images[1]["code_id"] == nil)
    }

    // MARK: What is dropped

    @Test(
        "case 54: ignoreErrors looks at the message, and at the type, the text and both of the thrown error, not of causes",
        arguments: [
            ("it did not", true), ("Plain", true), ("Plain: it did", true), ("Outer: it", false), ("deepest", false), ("IT DID", false),
            ("noted", true),
        ])
    func ignored(_ pattern: String, _ isIgnored: Bool) async throws {
        let test = TestClient { $0.ignoreErrors = ["never", pattern] }
        var event = test.event(of: Plain())
        event.exceptions.insert(
            ReportException(type: "Outer", value: "deepest", mechanism: .init(type: "chained")), at: 0)
        event.message = "noted"
        test.capture(event)
        #expect(try await test.deliveredEvents().count == (isIgnored ? 0 : 1))
        #expect(test.box.ledger.now.dropped == (isIgnored ? [.eventProcessor: 1] : [:]))
    }

    @Test("case 54: no callback of the app sees what is ignored")
    func ignoredFirst() async throws {
        let seen = Collected<String>()
        let test = TestClient {
            $0.ignoreErrors = ["ignored"]
            $0.eventProcessors = [{ seen.add($0.message ?? ""); return $0 }]
            $0.beforeSend = { seen.add($0.message ?? ""); return $0 }
        }
        test.capture(test.message("ignored"))
        test.capture(test.message("kept"))
        try await test.flush()
        #expect(seen.values == ["kept", "kept"])
    }

    @Test("case 55: at a rate of 0 nothing is sent, at 1 everything", arguments: ["0", "1"], [false, true])
    func sampling(_ rate: String, _ hasCallback: Bool) async throws {
        let seen = Collected<String>()
        let test = TestClient(["SENTRY_SAMPLE_RATE": rate]) {
            if hasCallback { $0.beforeSend = { seen.add($0.id); return $0 } }
        }
        for _ in 0..<20 { test.capture(test.message("x")) }
        #expect(try await test.deliveredEvents().count == (rate == "1" ? 20 : 0))
        #expect(test.box.ledger.now.dropped == (rate == "1" ? [:] : [.sampleRate: 20]))
        // The rate comes last: callbacks see everything.
        #expect(seen.values.count == (hasCallback ? 20 : 0))
        if hasCallback { #expect(try test.ingest.losses() == (rate == "1" ? [:] : ["sample_rate error": 20])) }
    }

    @Test(
        "case 55: a rate in code wins over the environment; one that is no rate is 1",
        arguments: [
            (nil, nil, 1), (nil, "0.25", 0.25), (0.5, "0.25", 0.5), (0, "1", 0), (nil, "2", 1), (nil, "-1", 1), (nil, "nan", 1),
            (nil, "half", 1), (nil, "", 1), (1.5, nil, 1),
        ] as [(Double?, String?, Double)])
    func rates(_ option: Double?, _ variable: String?, _ expected: Double) {
        let settings = ReportSettings(ReportOptions { $0.sampleRate = option }, variable.map { ["SENTRY_SAMPLE_RATE": $0] } ?? [:])
        #expect(settings.sampleRate == expected)
    }

    @Test("case 55: an event is drawn once: what the rate has let through is sent")
    func drawnOnce() async throws {
        let test = TestClient { $0.sampleRate = 0.5 }
        for _ in 0..<64 { test.capture(test.message("x")) }
        let passed = test.box.ledger.now.pending
        let sent = try await test.deliveredEvents().count
        withKnownIssue("the delivery draws again for events without callbacks") { #expect(sent == passed) }
    }

    struct Refusal: Error {}

    @Test("case 56: what beforeSend drops, or throws at, is not sent and is counted; the app goes on", arguments: [false, true])
    func beforeSend(_ doesThrow: Bool) async throws {
        let test = TestClient {
            $0.beforeSend = { event in
                guard event.message == "bad" else { return event }
                if doesThrow { throw Refusal() }
                return nil
            }
        }
        let id = test.capture(test.message("bad"))
        #expect(id.count == 32)
        test.capture(test.message("good"))
        #expect(try await test.deliveredEvents().map { $0["logentry"]?["formatted"]?.text } == ["good"])
        #expect(test.box.ledger.now.dropped == [.beforeSend: 1])
        #expect(test.box.ledger.now.delivered == 1)
        #expect(try test.ingest.losses() == ["before_send error": 1])
        #expect(test.records.all.filter { $0.level == .warning }.count == 1)
    }

    @Test("case 56: beforeSend sees the event whole and last, and what it changes is what is sent")
    func beforeSendChanges() async throws {
        let seen = Collected<ReportEvent>()
        let test = TestClient(["SENTRY_RELEASE": "shop@1"]) {
            $0.eventProcessors = [
                { var event = $0; event.tags["order"] = "1"; return event },
                { var event = $0; event.tags["order", default: ""] += "2"; return event },
            ]
            $0.beforeSend = { event in
                seen.add(event)
                var event = event
                event.message = "changed"
                event.release = nil
                event.tags["order", default: ""] += "3"
                return event
            }
        }
        test.box.change { $0.tags["scope"] = "x" }
        let arrived = try await test.delivered(test.message("first"))
        #expect(arrived["logentry"]?["formatted"]?.text == "changed")
        #expect(arrived["tags"]?.dictionary == ["scope": "x", "order": "123"])
        #expect(arrived["release"] == nil)
        #expect(seen.values.map(\.message) == ["first"])
        #expect(seen.values.map(\.release) == ["shop@1"])
        #expect(seen.values.map { $0.tags["order"] } == ["12"])
    }

    @Test("case 57: what an event processor drops, or throws at, is counted as such, and beforeSend does not see it", arguments: [false, true])
    func processor(_ doesThrow: Bool) async throws {
        let seen = Collected<String>()
        let test = TestClient {
            $0.eventProcessors = [
                { $0 }, { if doesThrow { throw Refusal() } else { $0.message == "bad" ? nil : $0 } },
            ]
            $0.beforeSend = { seen.add($0.message ?? ""); return $0 }
        }
        test.capture(test.message("bad"))
        #expect(try await test.deliveredEvents().isEmpty)
        #expect(test.box.ledger.now.dropped == [.eventProcessor: 1])
        #expect(try test.ingest.losses() == ["event_processor error": 1])
        #expect(seen.values.isEmpty)
    }

    @Test("cases 56, 57: what a callback throws is not captured itself")
    func callbackErrors() async throws {
        let test = TestClient { $0.beforeSend = { _ in throw Refusal() } }
        test.capture(Plain())
        try await test.flush()
        #expect(test.box.ledger.now.captured == 1)
        #expect(test.ingest.requests.count == 1)  // the client report
    }

    @Test("case 58: an error is new once, its causes and what it causes are no news either")
    func known() {
        let box = ScopeBox()
        let inner: any Error = Plain(description: "inner")
        let isNew = box.isNew(inner)
        let again = box.isNew(inner)
        let outer = box.isNew(Wrapper(description: "outer", cause: inner))
        let other = box.isNew(Plain(description: "another"))
        let elsewhere = ScopeBox().isNew(inner)
        #expect(isNew && other && elsewhere)
        #expect(!again && !outer)
    }

    @Test("case 58: an error that beforeSend has dropped counts when it is captured again")
    func droppedIsNew() async throws {
        let drops = Atomic(true)
        try await withClient(drops: { drops.load(ordering: .relaxed) }) { test in
            let error: any Error = Plain()
            let first = test.box.isNew(error)
            test.capture(error)
            try await test.flush()
            drops.store(false, ordering: .relaxed)
            let second = test.box.isNew(error)
            test.capture(error)
            let third = test.box.isNew(error)
            #expect(first && second && !third)
            #expect(try await test.deliveredEvents().count == 1)
        }
    }

    private func withClient(
        drops: @escaping @Sendable () -> Bool, _ body: (TestClient) async throws -> Void
    ) async throws {
        try await body(TestClient { $0.beforeSend = { drops() ? nil : $0 } })
    }
}
