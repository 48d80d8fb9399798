import SluiceTestSupport
import Testing

@testable import Sluice
@testable import SluiceStreaming

/// Runs a client on a loop of its own against a server.
private func withClient(
    initializationType: String? = "on-demand", answer: @escaping @Sendable (WireMessage) -> String?,
    _ body: @escaping @Sendable (ExtensionClient, ScriptedServer) async throws -> Void
) async throws {
    let server = ScriptedServer(answer)
    defer { server.stop() }
    let loop = try EventLoop()
    try loop.start("test")
    defer { loop.stop() }
    let address = try #require(HostPort("127.0.0.1:\(server.port)"))
    try await Task(executorPreference: loop) {
        let client = ExtensionClient(loop, address: address, initializationType: initializationType)
        try await body(client, server)
        withExtendedLifetime(client) {}
    }.value
}

/// As the service does.
private func asDocumented(_ message: WireMessage) -> String? {
    switch message.target {
    case "/2020-01-01/extension/register":
        ScriptedServer.json(200, #"{"functionName":"shop"}"#, "Lambda-Extension-Identifier: e3b0-c442\r\n")
    case "/2022-07-01/telemetry": ScriptedServer.json(200, "\"OK\"")
    default: nil
    }
}

@Suite struct `ExtensionClient Tests` {
    @Test func `registers for nothing, subscribes to the platform's records and leaves one call waiting`() async throws {
        try await withClient(answer: asDocumented) { client, server in
            try await client.register()
            try await client.subscribe(port: 4711)
            try await client.waitForEvents()
            server.waitForMessages(3)
            let messages = server.messages
            #expect(
                messages.map(\.firstLine) == [
                    "POST /2020-01-01/extension/register HTTP/1.1", "PUT /2022-07-01/telemetry HTTP/1.1",
                    "GET /2020-01-01/extension/event/next HTTP/1.1",
                ])
            #expect(messages.allSatisfy { $0["host"] == "127.0.0.1:\(server.port)" && $0.problem == nil })
            #expect(messages[0]["lambda-extension-name"] == "sluice")
            #expect(messages[0].text == #"{"events":[]}"#)
            #expect(messages[1]["lambda-extension-identifier"] == "e3b0-c442")
            #expect(messages[1]["content-type"] == "application/json")
            let subscription = try #require(JSONView(messages[1].body))
            #expect(subscription.keys == ["schemaVersion", "types", "buffering", "destination"])
            #expect(subscription["schemaVersion"]?.text == "2022-12-13")
            #expect(subscription["types"]?.texts == ["platform"])
            #expect(subscription["buffering"]?["maxItems"]?.number == 1000)
            #expect(subscription["buffering"]?["maxBytes"]?.number == 262_144)
            #expect(subscription["buffering"]?["timeoutMs"]?.number == 25)
            #expect(
                subscription["destination"]?.dictionary
                    == ["protocol": "HTTP", "URI": "http://sandbox.localdomain:4711/"])
            #expect(messages[2]["lambda-extension-identifier"] == "e3b0-c442")
            #expect(messages[2].body.isEmpty)
            // The pending one is not hung up.
            #expect(server.openConnections >= 1)
        }
    }

    @Test func `a refusal is an error with the platform's own type`() async throws {
        let body = #"{"errorMessage":"Extension registration closed","errorType":"Extension.RegistrationClosed"}"#
        try await withClient(answer: { _ in ScriptedServer.json(403, body) }) { client, _ in
            let expected = ExtensionError.refused(
                call: "register", 403, type: "Extension.RegistrationClosed", message: "Extension registration closed")
            await #expect(throws: expected) { try await client.register() }
            #expect(
                "\(expected)"
                    == "the Extensions API answered register with 403 Extension.RegistrationClosed: Extension registration closed"
            )
        }
    }

    @Test func `a refusal that is no JSON is an error with its text`() async throws {
        try await withClient(answer: { _ in ScriptedServer.json(500, "<html>") }) { client, _ in
            await #expect(throws: ExtensionError.refused(call: "register", 500, type: "", message: "<html>")) {
                try await client.register()
            }
        }
    }

    @Test func `an emulator's 202 for the subscription is an error`() async throws {
        let body = #"{"errorMessage":"Telemetry API is not supported","errorType":"Telemetry.NotSupported"}"#
        let answer: @Sendable (WireMessage) -> String? = { message in
            message.method == "PUT" ? ScriptedServer.json(202, body) : asDocumented(message)
        }
        try await withClient(answer: answer) { client, _ in
            try await client.register()
            await #expect(
                throws: ExtensionError.refused(
                    call: "telemetry", 202, type: "Telemetry.NotSupported", message: "Telemetry API is not supported")
            ) { try await client.subscribe(port: 1) }
        }
    }

    @Test func `a registration without an identifier is an error, and so is a call before one`() async throws {
        try await withClient(answer: { _ in ScriptedServer.json(200, "{}") }) { client, server in
            await #expect(throws: ExtensionError.noIdentifier) { try await client.subscribe(port: 1) }
            await #expect(throws: ExtensionError.noIdentifier) { try await client.waitForEvents() }
            await #expect(throws: ExtensionError.noIdentifier) { try await client.register() }
            #expect(server.messages.count == 1)
        }
    }

    @Test func `under managed instances nothing is sent`() async throws {
        try await withClient(initializationType: "lambda-managed-instances", answer: asDocumented) { client, server in
            await #expect(throws: ExtensionError.managedInstances) { try await client.register() }
            #expect(server.messages.isEmpty)
        }
    }
}
