internal import SluiceStreaming

/// Listens as a Function URL does: HTTP in, events out, replies back.
struct FrontEnd: Sendable {
    let broker: Broker
    let port: UInt16
    let console: Console

    /// The platform's limit of an event.
    static let eventLimit = 6 * 1024 * 1024

    func serve(_ connection: ServerConnection) async {
        do {
            while let head = try await connection.nextHead() {
                let id = Self.requestID()
                let reply = FrontEndReply(connection, head, requestID: id)
                if head["expect"]?.lowercased() == "100-continue" {
                    try await connection.send(HTTPWriter.responseHead(100, "Continue", []))
                }
                guard let body = try await connection.wholeBody(limit: Self.eventLimit),
                    let event = try? FunctionURLEvent(head, body: body, requestID: id, port: port).json(),
                    event.count <= Self.eventLimit
                else {
                    await reply.fail(413, "Request Too Long")
                    console.line("413  \(head.method) \(head.target)  the event would be over 6 MB")
                    return connection.socket.finishSending()
                }
                await broker.invoke(LocalInvocation(id: id, event: event, label: "\(head.method) \(head.target)", reply: reply))
                guard reply.keepsAlive else { return connection.socket.finishSending() }
            }
        } catch let error as HTTPParseError {
            console.problem("a client sent no HTTP/1.1: \(error)")
            // The client may be gone as well; there is nobody else to tell.
            try? await connection.send(
                HTTPWriter.responseHead(400, "Bad Request", [("Connection", "close"), ("Content-Length", "0")]))
            connection.socket.finishSending()
        } catch {
            // The client went away between requests or in one: its right.
        }
    }

    /// UUID-shaped, as on AWS.
    static func requestID() -> String {
        let digits = (0..<32).map { _ in String(UInt8.random(in: 0...15), radix: 16) }.joined()
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text += "-" }
            text.append(digit)
        }
        return text
    }
}
