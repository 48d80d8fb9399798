/// An Application Load Balancer, whose target group has multi-value headers or not.
struct LoadBalancer: Gateway {
    let isMultiValue: Bool
    let requestLimit = 1024 * 1024
    let replyLimit = 1024 * 1024

    var name: String { isMultiValue ? "the load balancer with multi-value headers" : "the load balancer" }

    /// Nothing is decoded; without multi-value headers the last value counts.
    func event(_ request: GatewayRequest) throws(GatewayRefusal) -> JSONTree {
        let headers = request.headers
        // An encoded body is no text, whatever its type.
        let (body, isBase64) = request.body(asText: request.isText && headers["content-encoding"] == nil)
        var event: [String: JSONTree] = [
            "requestContext": [
                "elb": [
                    "targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/local/0000000000000000"
                ]
            ],
            "httpMethod": .string(request.method), "path": .string(request.path), "body": .string(body),
            "isBase64Encoded": .bool(isBase64),
        ]
        if isMultiValue {
            event["multiValueHeaders"] = .lists(headers)
            event["multiValueQueryStringParameters"] = .lists(request.parameters.lists)
        } else {
            event["headers"] = .texts(headers.compactMapValues(\.last))
            event["queryStringParameters"] = .texts(request.parameters.lasts)
        }
        return .object(event)
    }

    func response(_ payload: [UInt8]) throws(UnusableReply) -> WireResponse {
        let fields = try ReplyFields(object: payload)
        if let name = fields.names.first(where: { fields.isNull($0) }) {
            throw UnusableReply("'\(name)' is null, which a load balancer does not take: leave it out")
        }
        var response = WireResponse(status: try fields.status(), lines: try lines(fields))
        response.lines.removeAll { ["connection", "transfer-encoding", "keep-alive"].contains($0.0.lowercased()) }
        response.reason = try fields.statusReason()
        response.body = try fields.body()
        let (read, other) = isMultiValue ? ("multiValueHeaders", "headers") : ("headers", "multiValueHeaders")
        if fields.has(other), !fields.has(read) {
            response.notes.append("\(name) reads '\(read)' only: what is in '\(other)' is lost")
        }
        return response
    }

    private func lines(_ fields: ReplyFields) throws(UnusableReply) -> [(String, String)] {
        guard isMultiValue else { return try fields.texts("headers") }
        return try fields.lists("multiValueHeaders").flatMap { name, values in values.map { (name, $0) } }
    }

    func page(_ failure: GatewayFailure) -> ErrorPage {
        let (status, text) =
            switch failure {
            case .badRequest: (400, "400 Bad Request")
            case .bodyTooLarge, .eventTooLarge: (413, "413 Request Entity Too Large")
            case .function: (502, "502 Bad Gateway")
            }
        let lines = [
            "<html>", "<head><title>\(text)</title></head>", "<body>", "<center><h1>\(text)</h1></center>", "</body>",
            "</html>", "",
        ]
        return ErrorPage(status: status, contentType: "text/html", body: lines.joined(separator: "\r\n"))
    }
}
