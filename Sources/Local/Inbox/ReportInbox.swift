internal import FoundationEssentials
internal import SluiceStreaming

/// A Sentry ingest on loopback: takes the app's reports, shows them, and loses what Lambda would lose.
struct ReportInbox: Sendable {
    /// The limit of Sentry's Relay, of a body that is decompressed.
    static let envelopeLimit = 200 * 1024 * 1024

    let desk: ReportDesk
    let sandbox: any AppProcess
    let console: Console

    /// Bytes came from an app that is frozen: on Lambda nobody would have sent them.
    private struct CameWhileFrozen: Error {}

    /// What the app's `SENTRY_DSN` is, where the environment has none.
    static func dsn(port: UInt16) -> String { "http://local@127.0.0.1:\(port)/1" }

    /// Serves one connection. One that is idle outlives a freeze; one on which bytes arrive in a freeze is reset.
    func serve(_ connection: ServerConnection) async {
        connection.onBytes = { [sandbox] in
            if sandbox.isFrozen { throw CameWhileFrozen() }
        }
        do {
            while let head = try await connection.nextHead() {
                guard try await respond(head, connection), head.keepsAlive else { return connection.socket.finishSending() }
            }
        } catch is CameWhileFrozen {
            connection.socket.resetOnClose()
            console.problem(
                "REPORT LOST: it was still on its way when the app was frozen, and Lambda would have lost it. Flush before "
                    + "the response ends, and before the next invocation is asked for")
        } catch let error as HTTPParseError {
            console.problem("report inbox: a request was cut off or is no HTTP/1.1: \(error)")
            // The app may be gone as well; the line above is what counts.
            _ = try? await refuse(.malformed(error.description), connection, closes: true)
            connection.socket.finishSending()
        } catch {
            // The app's process has ended; the sandbox says so.
        }
    }

    /// False when the connection cannot be used again.
    private func respond(_ head: HTTPMessageHead, _ connection: ServerConnection) async throws -> Bool {
        if head["expect"]?.lowercased() == "100-continue" {
            try await connection.send(HTTPWriter.responseHead(100, "Continue", []))
        }
        guard let body = try await connection.wholeBody(limit: Self.envelopeLimit) else {
            try await refuse(.tooLarge, connection, closes: true)
            return false
        }
        do {
            let request = try IngestRequest(head, body)
            desk.take(request.content)
            try await send(200, "OK", request.eventID.map { ["id": $0] } ?? [:], connection)
        } catch let refusal as IngestRefusal {
            try await refuse(refusal, connection)
        }
        return true
    }

    private func refuse(_ refusal: IngestRefusal, _ connection: ServerConnection, closes: Bool = false) async throws {
        console.problem("report inbox answered \(refusal.status): \(refusal.detail)")
        try await send(refusal.status, refusal.reason, ["detail": refusal.detail], connection, closes: closes)
    }

    private func send(
        _ status: Int, _ reason: String, _ answer: [String: String], _ connection: ServerConnection, closes: Bool = false
    ) async throws {
        let json = [UInt8](try JSONEncoder().encode(answer))
        let lines = [("Content-Type", "application/json"), ("Content-Length", String(json.count))]
        let head = HTTPWriter.responseHead(status, reason, lines + (closes ? [("Connection", "close")] : []))
        try await connection.send(head, json)
    }
}
