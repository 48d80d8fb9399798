/// A VPC Lattice service with a Lambda target group.
struct Lattice: Gateway {
    /// The target group's event structure.
    enum Version: Sendable { case v1, v2 }

    let version: Version
    let requestLimit = 6 * 1024 * 1024
    let replyLimit = 6 * 1024 * 1024

    var name: String { version == .v1 ? "VPC Lattice, event version 1" : "VPC Lattice" }

    func event(_ request: GatewayRequest) throws(GatewayRefusal) -> JSONTree {
        let (body, isBase64) = request.body(asText: request.isText)
        return version == .v1 ? v1(request, body, isBase64) : v2(request, body, isBase64)
    }

    /// Repeated headers are joined, of a repeated parameter the last one counts.
    private func v1(_ request: GatewayRequest, _ body: String, _ isBase64: Bool) -> JSONTree {
        [
            "raw_path": .string(request.path), "method": .string(request.method),
            "headers": .texts(request.headers.mapValues { $0.joined(separator: ", ") }),
            "query_string_parameters": .texts(request.parameters.lasts), "body": .string(body),
            "is_base64_encoded": .bool(isBase64),
        ]
    }

    /// The path has the query; what does not apply is absent.
    private func v2(_ request: GatewayRequest, _ body: String, _ isBase64: Bool) -> JSONTree {
        var event: [String: JSONTree] = [
            "version": "2.0", "path": .string(request.query.isEmpty ? request.path : "\(request.path)?\(request.query)"),
            "method": .string(request.method), "headers": .lists(request.headers), "requestContext": Self.context(request),
        ]
        if !request.query.isEmpty { event["queryStringParameters"] = .lists(request.parameters.lists) }
        if !request.body.isEmpty { event["body"] = .string(body) }
        if isBase64 { event["isBase64Encoded"] = true }
        return .object(event)
    }

    private static func context(_ request: GatewayRequest) -> JSONTree {
        let owner = "arn:aws:vpc-lattice:us-east-1:000000000000"
        return [
            "serviceNetworkArn": .string("\(owner):servicenetwork/sn-00000000000000000"),
            "serviceArn": .string("\(owner):service/svc-00000000000000000"),
            "targetGroupArn": .string("\(owner):targetgroup/tg-00000000000000000"),
            "identity": ["sourceVpcArn": "arn:aws:ec2:us-east-1:000000000000:vpc/vpc-00000000000000000"],
            "region": "us-east-1", "timeEpoch": .string(String(request.milliseconds * 1000)),
        ]
    }

    /// A header's value is a text, or a list of them.
    func response(_ payload: [UInt8]) throws(UnusableReply) -> WireResponse {
        let fields = try ReplyFields(object: payload)
        var response = WireResponse(status: try fields.status(), lines: [])
        response.lines = try fields.textsOrLists("headers").flatMap { name, values in values.map { (name, $0) } }
        response.lines.removeAll { ["connection", "transfer-encoding", "keep-alive"].contains($0.0.lowercased()) }
        response.body = try fields.body()
        return response
    }

    /// AWS documents none of these bodies.
    func page(_ failure: GatewayFailure) -> ErrorPage {
        let (status, text) =
            switch failure {
            case .badRequest: (400, "Bad Request")
            case .bodyTooLarge, .eventTooLarge: (413, "Payload Too Large")
            case .function: (502, "Bad Gateway")
            }
        return ErrorPage(status: status, contentType: "text/plain", body: text)
    }
}
