/// An HTTP API of API Gateway: payload format version 2.0, stage `$default`.
struct HTTPAPI: Gateway {
    let name = "the HTTP API"
    let requestLimit = 10 * 1024 * 1024

    /// The path decoded, cookies in their list only.
    func event(_ request: GatewayRequest) throws(GatewayRefusal) -> JSONTree {
        guard let path = Self.decoded(request.path) else {
            throw GatewayRefusal(reason: "an HTTP API decodes the path twice, and this one does not stand that")
        }
        return PayloadV2.event(
            request,
            .init(
                rawPath: path, path: path, domain: "local.execute-api.us-east-1.amazonaws.com", accountID: "000000000000",
                keepsCookieHeader: false, forwardedFor: nil))
    }

    /// Captures show a path that is decoded, cut at a question mark that came out, and decoded again: `%252F` becomes a slash,
    /// and `%25done` is refused.
    static func decoded(_ path: String) -> String? {
        guard let once = path.percentDecoded else { return nil }
        return once.parts(at: "?", atMost: 2).first?.percentDecoded
    }

    func response(_ payload: [UInt8]) throws(UnusableReply) -> WireResponse {
        guard let tree = JSONTree(payload) else { throw UnusableReply("it is no JSON") }
        guard let fields = ReplyFields(tree) else { return PayloadV2.inferred(payload) }
        return try PayloadV2.response(fields) ?? PayloadV2.inferred(payload)
    }

    func page(_ failure: GatewayFailure) -> ErrorPage {
        switch failure {
        case .badRequest: .json(400, "{\"message\":\"Bad Request\"}")
        case .bodyTooLarge, .eventTooLarge: .json(413, "{\"message\":\"Request Entity Too Large\"}")
        case .function: .json(500, "{\"message\":\"Internal Server Error\"}")
        }
    }
}
