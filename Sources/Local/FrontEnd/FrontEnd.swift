internal import SluiceStreaming

/// Listens as the chosen front end does: HTTP in, events out, replies back.
struct FrontEnd: Sendable {
    let function: any LocalFunction
    let gateway: any Gateway
    let port: UInt16
    let console: Console

    /// The platform's limit of an event.
    static let eventLimit = 6 * 1024 * 1024

    func serve(_ connection: ServerConnection) async {
        connection.keepsNames = true
        do {
            while let head = try await connection.nextHead() {
                // Events of other sources are sent by hand.
                let isDirect = head.method == "POST" && DirectInvocation.isPath(head.target)
                let gateway: any Gateway = isDirect ? DirectInvocation() : gateway
                let id = Self.requestID()
                let reply = FrontEndReply(connection, head, requestID: id, gateway)
                if head["expect"]?.lowercased() == "100-continue" {
                    try await connection.send(HTTPWriter.responseHead(100, "Continue", []))
                }
                let label = "\(head.method) \(head.target)"
                guard let body = try await connection.wholeBody(limit: gateway.requestLimit) else {
                    await reply.fail(.bodyTooLarge)
                    console.line("413  \(label)  \(gateway.name) takes bodies of up to \(gateway.requestLimit) bytes")
                    return connection.socket.finishSending()
                }
                let request = GatewayRequest(head, names: connection.headNames, body: body, requestID: id, port: port)
                if let event = try await event(of: request, reply, label) {
                    await function.invoke(LocalInvocation(id: id, event: event, label: label, reply: reply))
                }
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

    /// The event; nil where the client has been answered without one.
    private func event(of request: GatewayRequest, _ reply: FrontEndReply, _ label: String) async throws -> [UInt8]? {
        do {
            let bytes = try reply.gateway.eventText(request)
            if bytes.count <= Self.eventLimit { return bytes }
            await reply.fail(.eventTooLarge)
            console.line("413  \(label)  the event would be over 6 MB")
        } catch let error as GatewayRefusal {
            await reply.fail(.badRequest)
            console.line("400  \(label)  \(error.reason)")
        }
        return nil
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
