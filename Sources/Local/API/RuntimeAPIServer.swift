internal import FoundationEssentials
internal import SluiceStreaming

/// Serves the Runtime and Extensions APIs, strictly: a wrong state, framing or header is an error that names the rule.
struct RuntimeAPIServer: Sendable {
    static let functionARN = "arn:aws:lambda:us-east-1:000000000000:function:local"
    /// 6 MiB and 100 bytes, as the real service has it.
    static let replyLimit = 6 * 1024 * 1024 + 100

    let broker: Broker
    let settings: LocalSettings
    let console: Console

    func serve(_ connection: ServerConnection) async {
        do {
            while let head = try await connection.nextHead() {
                guard try await route(head, connection), head.keepsAlive else { return connection.socket.finishSending() }
            }
        } catch let error as HTTPParseError {
            console.problem("Runtime API: the app sent no HTTP/1.1: \(error)")
            // The app may be gone as well; the line above is what counts.
            _ = try? await refuse(connection, 400, "InvalidRequest", error.description)
        } catch {
            // The app's process has ended; the sandbox says so.
        }
    }

    /// False when the connection cannot be used again.
    private func route(_ head: HTTPMessageHead, _ connection: ServerConnection) async throws -> Bool {
        guard head["host"] != nil else {
            return try await refuse(connection, 400, "InvalidRequest", "RFC 9112, 3.2: the Host header is missing")
        }
        let parts = head.target.parts(at: "/").filter { !$0.isEmpty }.map(String.init)
        if parts.first == "2020-01-01" {
            return try await ExtensionsAPI(broker: broker).route(head, Array(parts.dropFirst()), connection, self)
        }
        if parts == ["2022-07-01", "telemetry"] { return try await TelemetryAPI(broker: broker).route(head, connection, self) }
        guard parts.first == "2018-06-01", parts.count >= 3, parts[1] == "runtime" else {
            return try await refuse(connection, 404, "NotFound", "no such path: \(head.target)")
        }
        switch (head.method, Array(parts.dropFirst(2))) {
        case ("GET", ["invocation", "next"]): return try await next(connection)
        case ("POST", ["init", "error"]): return try await initError(head, connection)
        case ("POST", let path) where path.count == 3 && path[0] == "invocation" && path[2] == "response":
            return try await Relay(self, connection).response(head, path[1].percentDecoded ?? path[1])
        case ("POST", let path) where path.count == 3 && path[0] == "invocation" && path[2] == "error":
            return try await error(head, path[1].percentDecoded ?? path[1], connection)
        default:
            return try await refuse(connection, 404, "NotFound", "no such call: \(head.method) \(head.target)")
        }
    }

    private func next(_ connection: ServerConnection) async throws -> Bool {
        guard try await connection.wholeBody(limit: 0) != nil else {
            return try await refuse(connection, 400, "InvalidRequest", "'next' is a GET without a body")
        }
        guard let invocation = await broker.next(connection.socket) else { return false }
        let lines = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", invocation.id),
            ("Lambda-Runtime-Deadline-Ms", String(invocation.deadlineMilliseconds)),
            ("Lambda-Runtime-Invoked-Function-Arn", Self.functionARN),
            ("Lambda-Runtime-Trace-Id", "Root=1-00000000-\(invocation.id.filter { $0 != "-" }.prefix(24));Sampled=0"),
            ("Content-Length", String(invocation.event.count)),
        ]
        try await connection.send(HTTPWriter.responseHead(200, "OK", lines), invocation.event)
        return true
    }

    private func initError(_ head: HTTPMessageHead, _ connection: ServerConnection) async throws -> Bool {
        guard let body = try await connection.wholeBody(limit: Self.replyLimit) else { return false }
        guard broker.phase == .starting else {
            return try await refuse(
                connection, 403, "InvalidStateTransition", "init/error is allowed before the first 'next' only")
        }
        broker.initFailed("\(typeNote(head)) \(String(decoding: body, as: UTF8.self))")
        return try await accept(connection)
    }

    private func error(_ head: HTTPMessageHead, _ id: String, _ connection: ServerConnection) async throws -> Bool {
        if broker.isResponding(id) {
            return try await refuse(
                connection, 403, "InvalidStateTransition", "/error is not allowed while /response is being sent")
        }
        guard let invocation = broker.open(id) else { return try await unknownID(connection) }
        guard let body = try await connection.wholeBody(limit: Self.replyLimit) else { return false }
        invocation.endAnswer()
        invocation.mode = "error"
        invocation.platformError = Self.shownType(head["lambda-runtime-function-error-type"] ?? "")
        invocation.producedBytes = body.count
        invocation.notes.append("the app reported \(typeNote(head)): \(String(decoding: body.prefix(500), as: UTF8.self))")
        if let response = invocation.reply.gateway.failed(body) {
            await invocation.reply.send(response)
        } else {
            await invocation.reply.fail(.function)
        }
        broker.complete(invocation)
        return try await accept(connection)
    }

    /// The type that the platform would show, and what it makes of one that has not its form.
    private func typeNote(_ head: HTTPMessageHead) -> String {
        Self.platformType(head["lambda-runtime-function-error-type"] ?? "")
    }

    static func platformType(_ sent: String) -> String {
        let shown = shownType(sent)
        return shown == sent ? sent : "\(shown) (sent: '\(sent)', which has not the form (Runtime|Function).Name)"
    }

    static func shownType(_ sent: String) -> String {
        for category in ["Runtime.", "Function."] {
            var rest = sent[...]
            while let found = rest.firstRange(of: category) {
                let reason = rest[found.upperBound...].prefix { $0.isASCII && $0.isLetter }
                if reason.count >= 2, reason.first?.isUppercase == true { return sent }
                rest = rest[found.upperBound...]
            }
        }
        return sent.hasPrefix("Function.") ? "Function.Unknown" : "Runtime.Unknown"
    }

    // MARK: Answers

    func accept(_ connection: ServerConnection) async throws -> Bool {
        try await respond(connection, 202, "Accepted", "{\"status\":\"OK\"}")
        return true
    }

    func unknownID(_ connection: ServerConnection) async throws -> Bool {
        try await refuse(connection, 400, "InvalidRequestID", "Invalid request ID: unknown, or answered already")
    }

    /// Refuses a call. What is left of its body is not read, so the connection ends.
    @discardableResult
    func refuse(_ connection: ServerConnection, _ status: Int, _ type: String, _ message: String) async throws -> Bool {
        console.problem("Runtime API answered \(status) \(type): \(message)")
        let quoted = message.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        try await respond(connection, status, type, "{\"errorMessage\":\"\(quoted)\",\"errorType\":\"\(type)\"}", closes: true)
        return false
    }

    func respond(
        _ connection: ServerConnection, _ status: Int, _ reason: String, _ json: String, lines: [(String, String)] = [],
        closes: Bool = false
    ) async throws {
        let head = HTTPWriter.responseHead(
            status, reason,
            lines + [("Content-Type", "application/json"), ("Content-Length", String(json.utf8.count))]
                + (closes ? [("Connection", "close")] : []))
        try await connection.send(head, Array(json.utf8))
    }
}
