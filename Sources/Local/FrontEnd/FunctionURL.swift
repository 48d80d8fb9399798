internal import FoundationEssentials

/// A Lambda Function URL: payload format version 2.0.
struct FunctionURL: Gateway {
    let name = "the Function URL"
    let requestLimit = FrontEnd.eventLimit
    let canStream = true

    private static let prelude = "application/vnd.awslambda.http-integration-response"

    /// The path as it was sent, cookies twice.
    func event(_ request: GatewayRequest) throws(GatewayRefusal) -> JSONTree {
        PayloadV2.event(
            request,
            .init(
                rawPath: request.path, path: request.path.percentDecoded ?? request.path,
                domain: "local.lambda-url.us-east-1.on.aws", accountID: "anonymous", keepsCookieHeader: true,
                forwardedFor: GatewayRequest.clientAddress))
    }

    func response(_ payload: [UInt8]) throws(UnusableReply) -> WireResponse {
        guard let fields = ReplyFields(payload) else {
            // What has no statusCode is a body. What has one and cannot be read is malformed.
            if payload.firstRange(of: Array("\"statusCode\"".utf8)) != nil { throw UnusableReply("it is no JSON object") }
            return PayloadV2.inferred(payload)
        }
        return try PayloadV2.response(fields) ?? PayloadV2.inferred(payload)
    }

    func takesPrelude(_ contentType: String?) -> Bool { contentType == Self.prelude }

    func head(_ prelude: [UInt8]) throws(UnusableReply) -> WireResponse { try PayloadV2.head(ReplyFields(object: prelude)) }

    func undivided(_ payload: [UInt8], contentType: String?) throws(UnusableReply) -> WireResponse {
        verbatim(payload, contentType)
    }

    func collected(_ payload: [UInt8], contentType: String?) throws(UnusableReply) -> WireResponse {
        verbatim(payload, contentType)
    }

    private func verbatim(_ payload: [UInt8], _ contentType: String?) -> WireResponse {
        WireResponse(status: 200, lines: [("content-type", contentType ?? "application/octet-stream")], body: payload)
    }

    func page(_ failure: GatewayFailure) -> ErrorPage {
        switch failure {
        case .badRequest: .json(400, "{\"Message\":\"Bad Request\"}")
        case .bodyTooLarge, .eventTooLarge: .json(413, "{\"Message\":\"Request Too Long\"}")
        case .function: .json(502, "{\"Message\":\"Internal Server Error\"}")
        }
    }
}
