internal import FoundationEssentials

/// Payload format version 2.0, which Function URLs and HTTP APIs share.
enum PayloadV2 {
    /// Where the two differ.
    struct Form {
        /// `rawPath`.
        let rawPath: String
        /// `requestContext.http.path`.
        let path: String
        let domain: String
        let accountID: String
        /// Whether cookies are in the headers as well as in their list.
        let keepsCookieHeader: Bool
        /// The value of `x-forwarded-for`.
        let forwardedFor: String?
    }

    static func event(_ request: GatewayRequest, _ form: Form) -> JSONTree {
        var headers = request.headers.mapValues { $0.joined(separator: ",") }
        if let address = form.forwardedFor { headers["x-forwarded-for"] = address }
        let cookies = request.cookies
        headers["cookie"] = form.keepsCookieHeader && !cookies.isEmpty ? cookies.joined(separator: "; ") : nil
        let (body, isBase64) = request.body(asText: request.isText)
        var event: [String: JSONTree] = [
            "version": "2.0", "routeKey": "$default", "rawPath": .string(form.rawPath),
            "rawQueryString": .string(request.query), "headers": .texts(headers), "isBase64Encoded": .bool(isBase64),
            "requestContext": context(request, form, userAgent: headers["user-agent"] ?? ""),
        ]
        if !cookies.isEmpty { event["cookies"] = .array(cookies.map { .string($0) }) }
        if !request.query.isEmpty {
            event["queryStringParameters"] = .texts(request.decodedParameters.lists.mapValues { $0.joined(separator: ",") })
        }
        if !request.body.isEmpty { event["body"] = .string(body) }
        return .object(event)
    }

    private static func context(_ request: GatewayRequest, _ form: Form, userAgent: String) -> JSONTree {
        [
            "accountId": .string(form.accountID), "apiId": "local", "domainName": .string(form.domain), "domainPrefix": "local",
            "http": [
                "method": .string(request.method), "path": .string(form.path), "protocol": "HTTP/1.1",
                "sourceIp": .string(GatewayRequest.clientAddress), "userAgent": .string(userAgent),
            ],
            "requestId": .string(request.id), "routeKey": "$default", "stage": "$default", "time": .string(request.timeText),
            "timeEpoch": .integer(request.milliseconds),
        ]
    }

    /// What the client gets of a reply's object; nil for one without a status, which is a body and no envelope.
    static func response(_ fields: ReplyFields) throws(UnusableReply) -> WireResponse? {
        guard fields.has("statusCode") else { return nil }
        var response = try head(fields)
        response.body = try fields.body()
        return response
    }

    /// Status, headers and cookies, of an envelope or a prelude.
    static func head(_ fields: ReplyFields) throws(UnusableReply) -> WireResponse {
        var response = WireResponse(status: try fields.status(), lines: try fields.texts("headers"))
        for cookie in try fields.cookies() { response.lines.append(("set-cookie", cookie)) }
        if fields.has("multiValueHeaders") {
            response.notes.append("multiValueHeaders are not read here: payload 2.0 has headers and cookies")
        }
        return response
    }

    /// What is no envelope is the body, and JSON.
    static func inferred(_ payload: [UInt8]) -> WireResponse {
        WireResponse(status: 200, lines: [("content-type", "application/json")], body: payload)
    }
}
