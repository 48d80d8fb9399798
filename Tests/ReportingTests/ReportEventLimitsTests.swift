import Foundation
import Logging
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// What the protocol would cut, or refuse, does not leave in the first place.
@Suite struct ReportEventLimitsTests {
    private func json(_ event: ReportEvent) throws -> JSONView { try #require(JSONView(event.json())) }

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
            "nan": .double(.nan), "up": .double(.infinity), "down": .double(-.infinity), "tiny": .double(2.5e-308),
            "huge": .double(1e300),
            "whole": 3.0, "int": .integer(.min), "half": -0.5,
        ]
        let numbers = try #require(try json(event)["contexts"]?["n"])
        #expect(["nan", "up", "down"].map { numbers[$0]?.text } == ["nan", "inf", "-inf"])
        #expect(["tiny", "huge", "whole", "half"].map { numbers[$0]?.value as? Double } == [2.5e-308, 1e300, 3, -0.5])
        #expect(numbers["int"]?.number == .min)
    }

    /// The keys of the specification's table; strict servers refuse an event with others.
    private static let keys: Set<String> = [
        "event_id", "timestamp", "platform", "level", "logger", "transaction", "transaction_info", "server_name", "release",
        "dist",
        "environment", "tags", "extra", "fingerprint", "modules", "errors", "sdk", "logentry", "user", "request", "contexts",
        "breadcrumbs", "exception", "threads", "debug_meta",
    ]

    @Test("cases 48, 49: an event with everything in it has known keys only, nothing null or empty, and the platform native")
    func everything() async throws {
        let test = TestClient([
            "SENTRY_RELEASE": "shop@1.4.2", "AWS_REGION": "eu-west-2", "AWS_LAMBDA_FUNCTION_NAME": "shop",
            "AWS_LAMBDA_FUNCTION_VERSION": "",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/shop", "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/02/[$LATEST]abc",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        ]) {
            $0.sendDefaultPII = true
            $0.dist = "arm64"
        }
        test.box.began {
            RequestSummary(
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
        event.images = [LoadedImage(address: 1 << 40, size: 4096, path: "/var/task/bootstrap", codeID: "", debugID: "e20a2268")]
        let scope = InvocationScope(
            requestID: "8476a536", deadline: .now, traceID: "Root=1", tenantID: "t", follower: nil, platform: Platform())
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

    private struct Platform: ReportedPlatform {
        let functionARN = "arn:aws:lambda:eu-west-2:123456789012:function:shop"
        let arrival = WallClock.Instant.now
        let isColdStart = true
        func budget(_ limit: Duration, _ state: InvocationScope.State) -> Duration? { nil }
        func budgetAfterReply(_ limit: Duration) -> Duration? { nil }
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
            "flag": "\(true)", "long": long, "fits": String(repeating: "é", count: 200), "line": "a\nb", "return": "a\rb",
            "é": "x",
            "a b": "x", "": "x", "empty": "", "a.b:c-d_9": "x", String(repeating: "k", count: 200): "x",
            String(repeating: "k", count: 201): "x",
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
        let test = TestClient([
            "SENTRY_RELEASE": "  \(release) ", "SENTRY_ENVIRONMENT": " \(String(repeating: "e", count: 64))",
        ]) {
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
        exception.frames = (0..<1000).map { StackFrame(instructionAddress: $0, inApp: true) }
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
        let parts = [
            bytes[0..<4].reversed(), bytes[4..<6].reversed(), bytes[6..<8].reversed(), Array(bytes[8..<10]),
            Array(bytes[10...]),
        ]
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
            LoadedImage(
                address: 0x55d0_c000_0000, size: 4_194_304, path: "/var/task/bootstrap",
                codeID: "68220ae2c65d65c1b6aaa12fa6765a6ec2f5f434", debugID: "e20a2268-5dc6-c165-b6aa-a12fa6765a6e"),
            LoadedImage(address: 1, size: .max, path: "/lib/x.so", codeID: nil, debugID: "0"),
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
}
