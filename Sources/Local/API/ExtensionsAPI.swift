internal import FoundationEssentials
internal import SluiceStreaming

/// The Extensions API, 2020-01-01, for internal extensions.
struct ExtensionsAPI: Sendable {
    let broker: Broker

    private struct Registration: Decodable { let events: [String]? }

    func route(
        _ head: HTTPMessageHead, _ path: [String], _ connection: ServerConnection, _ server: RuntimeAPIServer
    ) async throws -> Bool {
        guard let body = try await connection.wholeBody(limit: 65_536) else { return false }
        switch (head.method, path) {
        case ("POST", ["extension", "register"]): return try await register(head, body, connection, server)
        case ("GET", ["extension", "event", "next"]):
            return try await withMember(head, connection, server) { member in
                guard let event = await broker.extensions.next(member) else { return false }
                try await server.respond(
                    connection, 200, "OK", event, lines: [("Lambda-Extension-Event-Identifier", FrontEnd.requestID())])
                return true
            }
        case ("POST", ["extension", "init", "error"]), ("POST", ["extension", "exit", "error"]):
            return try await withMember(head, connection, server) { _ in try await server.accept(connection) }
        default:
            return try await server.refuse(connection, 404, "NotFound", "no such call: \(head.method) \(head.target)")
        }
    }

    private func register(
        _ head: HTTPMessageHead, _ body: [UInt8], _ connection: ServerConnection, _ server: RuntimeAPIServer
    ) async throws -> Bool {
        func refuse(_ type: String, _ message: String) async throws -> Bool {
            try await server.refuse(connection, 403, type, message)
        }
        guard let name = head["lambda-extension-name"], !name.isEmpty else {
            return try await refuse("Extension.InvalidExtensionName", "the header Lambda-Extension-Name is missing")
        }
        guard broker.phase == .starting else {
            return try await refuse("Extension.RegistrationClosed", "registration closes with the runtime's first 'next'")
        }
        guard !broker.extensions.isTaken(name) else {
            return try await refuse("Extension.InvalidExtensionState", "the name '\(name)' is taken")
        }
        guard let events = try? JSONDecoder().decode(Registration.self, from: Data(body)).events ?? [] else {
            return try await server.refuse(connection, 400, "InvalidRequestFormat", "the body is no registration")
        }
        guard events.allSatisfy({ $0 == "INVOKE" }) else {
            return try await refuse("Extension.InvalidEventType", "an internal extension may ask for INVOKE or nothing")
        }
        let id = broker.extensions.register(name, wantsInvocations: events.contains("INVOKE"))
        try await server.respond(
            connection, 200, "OK", "{\"functionName\":\"local\",\"functionVersion\":\"$LATEST\",\"handler\":\"bootstrap\"}",
            lines: [("Lambda-Extension-Identifier", id)])
        return true
    }

    private func withMember(
        _ head: HTTPMessageHead, _ connection: ServerConnection, _ server: RuntimeAPIServer,
        _ body: (Extensions.Member) async throws -> Bool
    ) async throws -> Bool {
        guard let id = head["lambda-extension-identifier"] else {
            return try await server.refuse(
                connection, 403, "Extension.MissingExtensionIdentifier", "the header Lambda-Extension-Identifier is missing")
        }
        guard let member = broker.extensions.member(id) else {
            return try await server.refuse(
                connection, 403, "Extension.UnknownExtensionIdentifier", "nobody has registered under this identifier")
        }
        return try await body(member)
    }
}
