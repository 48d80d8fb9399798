import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceLocal

/// The local Lambda's Telemetry API, as an extension of a real process would use it: raw sockets, and no code of the adapter.
@Suite struct TelemetryTests {
    /// The local Lambda in this process, and calls of its Runtime API.
    private struct Lambda {
        let local: InProcessLambda
        let api: UInt16

        init(errorEvery number: Int? = nil) throws {
            local = try InProcessLambda(streams: false, timeout: .seconds(20), platformErrorEvery: number)
            let text = try #require(local.environment["AWS_LAMBDA_RUNTIME_API"]?.split(separator: ":").last)
            api = try #require(UInt16(text))
        }

        func call(_ line: String, _ body: String = "", _ lines: String = "") throws -> WireMessage {
            let socket = try #require(RawSocket.connect(port: api))
            socket.write("\(line) HTTP/1.1\r\nHost: x\r\n\(lines)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            return try #require(WireReader(socket).next())
        }

        func register() throws -> String {
            let response = try call(
                "POST /2020-01-01/extension/register", #"{"events":[]}"#, "Lambda-Extension-Name: watch\r\n")
            return try #require(response["lambda-extension-identifier"])
        }

        func subscribe(_ id: String?, _ body: String) throws -> WireMessage {
            try call("PUT /2022-07-01/telemetry", body, id.map { "Lambda-Extension-Identifier: \($0)\r\n" } ?? "")
        }

        /// Waits for an invocation and answers it.
        func answer(_ connection: RawSocket, _ reader: WireReader) throws -> String {
            connection.write("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
            let event = try #require(reader.next())
            let id = try #require(event["lambda-runtime-aws-request-id"])
            let body = #"{"statusCode":200,"body":"hi"}"#
            connection.write(
                "POST /2018-06-01/runtime/invocation/\(id)/response HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
            #expect(reader.next()?.status == 202)
            return id
        }
    }

    private static func subscription(
        uri: String = "http://sandbox.localdomain:4000/", schema: String = "2022-12-13", types: String = "[\"platform\"]",
        buffering: String = #"{"maxItems":1000,"maxBytes":262144,"timeoutMs":25}"#, protocol name: String = "HTTP"
    ) -> String {
        """
        {"schemaVersion":"\(schema)","types":\(types),"buffering":\(buffering),\
        "destination":{"protocol":"\(name)","URI":"\(uri)"}}
        """
    }

    @Test("each rule of a subscription has its error")
    func rules() throws {
        let lambda = try Lambda()
        defer { lambda.local.stop() }
        let id = try lambda.register()
        #expect(try lambda.subscribe(id, Self.subscription()).status == 200)
        let bad: [(String, String)] = [
            (Self.subscription(schema: "2021-01-01"), "schemaVersion"),
            (Self.subscription(types: "[]"), "types should not be empty"),
            (Self.subscription(types: "[\"logs\"]"), "types should be"),
            (Self.subscription(buffering: #"{"maxItems":999}"#), "buffering.maxItems"),
            (Self.subscription(buffering: #"{"maxItems":10001}"#), "buffering.maxItems"),
            (Self.subscription(buffering: #"{"maxBytes":262143}"#), "buffering.maxBytes"),
            (Self.subscription(buffering: #"{"maxBytes":1048577}"#), "buffering.maxBytes"),
            (Self.subscription(buffering: #"{"timeoutMs":24}"#), "buffering.timeoutMs"),
            (Self.subscription(buffering: #"{"timeoutMs":30001}"#), "buffering.timeoutMs"),
            (Self.subscription(uri: "http://127.0.0.1:4000/"), "destination.URI"),
            (Self.subscription(uri: "http://sandbox.localdomain.example:4000/"), "destination.URI"),
            (Self.subscription(uri: "https://sandbox:4000/"), "destination.URI"),
            (Self.subscription(uri: "http://sandbox.localdomain/"), "URI port is not provided"),
            (Self.subscription(uri: "http://sandbox:9001"), "9001"),
            (Self.subscription(protocol: "TCP"), "destination.protocol"), ("[]", "no subscription"),
        ]
        for (body, reason) in bad {
            let response = try lambda.subscribe(id, body)
            #expect(response.status == 400, "\(body)")
            let json = try #require(JSONView(response.body))
            #expect(json["errorType"]?.text == "ValidationError")
            #expect(json["errorMessage"]?.text?.contains(reason) == true, "\(json)")
        }
        #expect(try lambda.subscribe(nil, Self.subscription()).status == 403)
        #expect(try lambda.subscribe("nobody", Self.subscription()).status == 403)
        #expect(try lambda.call("GET /2022-07-01/telemetry").status == 404)
    }

    @Test("records of each invocation, every third one a lie; subscriptions close with the first next")
    func records() throws {
        let lambda = try Lambda(errorEvery: 3)
        defer { lambda.local.stop() }
        let subscriber = ScriptedServer { message in
            #expect(message.method == "POST" && message.target == "/in")
            return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        }
        defer { subscriber.stop() }
        func records() -> [JSONView] { subscriber.messages.flatMap { JSONView($0.body)?.elements ?? [] } }
        let id = try lambda.register()
        #expect(try lambda.subscribe(id, Self.subscription(uri: "http://sandbox:\(subscriber.port)/in")).status == 200)
        let connection = try #require(RawSocket.connect(port: lambda.api))
        let reader = WireReader(connection)
        var ids: [String] = []
        for _ in 0..<7 {
            let client = try #require(RawSocket.connect(port: lambda.local.port))
            client.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            ids.append(try lambda.answer(connection, reader))
            #expect(WireReader(client).next()?.status == 200)
        }
        // Done with an invocation is who asks for the next.
        connection.write("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try lambda.subscribe(id, Self.subscription()).status == 403)
        let limit = Date(timeIntervalSinceNow: 10)
        while records().filter({ $0["type"]?.text == "platform.report" }).count < 7, Date() < limit { usleep(1000) }
        let types = records().compactMap { $0["type"]?.text }
        #expect(
            types.prefix(4) == [
                "platform.telemetrySubscription", "platform.initStart", "platform.initRuntimeDone", "platform.initReport",
            ])
        let done = records().filter { $0["type"]?.text == "platform.runtimeDone" }.compactMap { $0["record"] }
        #expect(done.compactMap { $0["requestId"]?.text } == ids)
        let expected = ["success", "success", "error", "success", "success", "error", "success"]
        #expect(done.compactMap { $0["status"]?.text } == expected)
        #expect(done.compactMap { $0["errorType"]?.text } == ["Runtime.Unknown", "Runtime.Unknown"])
        for record in done {
            #expect(record["metrics"]?["producedBytes"]?.number == 30)
            #expect(record["metrics"]?["durationMs"]?.value is NSNumber)
            #expect(record["spans"]?.elements?.compactMap { $0["name"]?.text } == ["responseLatency", "responseDuration"])
        }
        let reports = records().filter { $0["type"]?.text == "platform.report" }.compactMap { $0["record"] }
        #expect(reports.compactMap { $0["status"]?.text } == expected)
        #expect(types.filter { $0 == "platform.start" }.count == 7)
    }

    @Test("the variable that has it lie is strict")
    func setting() throws {
        #expect(try LocalSettings([:]).platformErrorEvery == nil)
        #expect(try LocalSettings(["SLUICE_LOCAL_PLATFORM_ERROR": "1/50"]).platformErrorEvery == 50)
        for bad in ["1/0", "2/50", "1/", "50", "0.02", "1/+5", "1/05", "1/-1", "1/50 "] {
            #expect(throws: LocalSettings.Problem.self, "\(bad)") { try LocalSettings(["SLUICE_LOCAL_PLATFORM_ERROR": bad]) }
        }
    }
}
