internal import FoundationEssentials
internal import SluiceStreaming

/// The Telemetry API, 2022-07-01: subscriptions, checked as the service does.
struct TelemetryAPI: Sendable {
    let broker: Broker

    private struct Subscription: Decodable {
        struct Buffering: Decodable {
            let maxItems: Int?
            let maxBytes: Int?
            let timeoutMs: Int?
        }
        struct Destination: Decodable {
            let `protocol`: String?
            let URI: String?
        }
        let schemaVersion: String?
        let types: [String]?
        let buffering: Buffering?
        let destination: Destination?
    }

    /// The service's own limits.
    private static let items = 1000...10_000
    private static let bytes = 262_144...1_048_576
    private static let times = 25...30_000

    func route(_ head: HTTPMessageHead, _ connection: ServerConnection, _ server: RuntimeAPIServer) async throws -> Bool {
        guard head.method == "PUT" else {
            return try await server.refuse(connection, 404, "NotFound", "no such call: \(head.method) \(head.target)")
        }
        guard let body = try await connection.wholeBody(limit: 65_536) else { return false }
        guard let id = head["lambda-extension-identifier"] else {
            return try await server.refuse(
                connection, 403, "Extension.MissingExtensionIdentifier", "the header Lambda-Extension-Identifier is missing")
        }
        guard let member = broker.extensions.member(id) else {
            return try await server.refuse(
                connection, 403, "Extension.UnknownExtensionIdentifier", "nobody has registered under this identifier")
        }
        guard broker.phase == .starting else {
            return try await server.refuse(
                connection, 403, "Telemetry.SubscriptionClosed", "subscriptions close with the runtime's first 'next'")
        }
        guard let wanted = try? JSONDecoder().decode(Subscription.self, from: Data(body)) else {
            return try await server.refuse(connection, 400, "ValidationError", "the body is no subscription")
        }
        let (problems, port, path) = check(wanted)
        guard problems.isEmpty, let port else {
            return try await server.refuse(connection, 400, "ValidationError", problems.joined(separator: "; "))
        }
        let types = wanted.types ?? []
        broker.telemetry.subscribe(
            id,
            TelemetryPusher(
                broker.loop, port: port, path: path, host: wanted.destination?.URI ?? "", console: server.console,
                limits: .init(
                    items: wanted.buffering?.maxItems ?? Self.items.lowerBound,
                    bytes: wanted.buffering?.maxBytes ?? Self.bytes.lowerBound,
                    time: .milliseconds(wanted.buffering?.timeoutMs ?? 1000))),
            name: member.name, types: types)
        try await server.respond(connection, 200, "OK", "\"OK\"")
        return true
    }

    /// What is wrong with it, and where records go.
    private func check(_ wanted: Subscription) -> (problems: [String], port: UInt16?, path: String) {
        var problems: [String] = []
        if !["2022-07-01", "2022-12-13", "2025-01-29"].contains(wanted.schemaVersion ?? "") {
            problems.append("schemaVersion should be 2022-07-01, 2022-12-13 or 2025-01-29")
        }
        let types = wanted.types ?? []
        if types.isEmpty { problems.append("types should not be empty") }
        for type in types where !["platform", "function", "extension"].contains(type) {
            problems.append("types should be platform, function or extension, found '\(type)'")
        }
        func check(_ value: Int?, _ range: ClosedRange<Int>, _ name: String) {
            if let value, !range.contains(value) {
                problems.append("buffering.\(name) should be from \(range.lowerBound) to \(range.upperBound), found \(value)")
            }
        }
        check(wanted.buffering?.maxItems, Self.items, "maxItems")
        check(wanted.buffering?.maxBytes, Self.bytes, "maxBytes")
        check(wanted.buffering?.timeoutMs, Self.times, "timeoutMs")
        if wanted.destination?.protocol != "HTTP" {
            problems.append("destination.protocol should be HTTP: TCP is not served here")
        }
        guard let place = Self.place(wanted.destination?.URI ?? "") else {
            return (problems + ["destination.URI should be http://sandbox.localdomain:PORT"], nil, "/")
        }
        guard let port = place.port else { return (problems + ["URI port is not provided"], nil, "/") }
        if port == 9001 { problems.append("URI port 9001 is Lambda's own") }
        return (problems, port, place.path)
    }

    /// The port and the path of a URL of this sandbox; nil for any other.
    private static func place(_ text: String) -> (port: UInt16?, path: String)? {
        guard text.hasPrefix("http://") else { return nil }
        let parts = text.dropFirst("http://".count).parts(at: "/", atMost: 2)
        let authority = parts[0].parts(at: ":", atMost: 2)
        guard authority[0] == "sandbox.localdomain" || authority[0] == "sandbox" else { return nil }
        let port = authority.count > 1 ? UInt16(authority[1]).flatMap { $0 > 0 ? $0 : nil } : nil
        return (port, "/" + (parts.count > 1 ? String(parts[1]) : ""))
    }
}
