/// An event by hand, as an SDK's `Invoke` or the runtime interface emulator takes it: the body is the event, the answer is the reply.
struct DirectInvocation: Gateway {
    /// That of the emulator; the function's name may be any.
    static func isPath(_ target: String) -> Bool {
        target.hasPrefix("/2015-03-31/functions/") && target.hasSuffix("/invocations")
    }

    let name = "a direct invocation"
    let requestLimit = FrontEnd.eventLimit

    func event(_ request: GatewayRequest) throws(GatewayRefusal) -> JSONTree {
        guard let event = JSONTree(request.body) else { throw GatewayRefusal(reason: "an event is JSON, and this is none") }
        return event
    }

    /// As it was sent: neither the order of its fields nor a digit of its numbers is another.
    func eventText(_ request: GatewayRequest) throws -> [UInt8] {
        _ = try event(request)
        return request.body
    }

    func response(_ payload: [UInt8]) throws(UnusableReply) -> WireResponse { Self.payload(payload) }

    func failed(_ document: [UInt8]) -> WireResponse? {
        var response = Self.payload(document)
        response.lines.append(("X-Amz-Function-Error", "Unhandled"))
        return response
    }

    private static func payload(_ payload: [UInt8]) -> WireResponse {
        WireResponse(status: 200, lines: [("Content-Type", "application/json")], body: payload)
    }

    func page(_ failure: GatewayFailure) -> ErrorPage {
        switch failure {
        case .badRequest:
            .json(400, "{\"Message\":\"Could not parse request body into json\",\"Type\":\"User\"}")
        case .bodyTooLarge, .eventTooLarge:
            .json(413, "{\"Message\":\"Request must be smaller than 6291456 bytes\",\"Type\":\"User\"}")
        case .function: .json(200, "{\"errorMessage\":\"the function gave no reply\",\"errorType\":\"Runtime.ExitError\"}")
        }
    }
}
