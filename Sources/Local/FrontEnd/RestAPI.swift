internal import FoundationEssentials

/// A REST API of API Gateway with a Lambda proxy integration: resource `/{proxy+}`, stage `local`, and binary media types that take
/// in all that is no text.
struct RestAPI: Gateway {
    let name = "the REST API"
    let requestLimit = 10 * 1024 * 1024
    let canStream = true
    let preludeLimit: Int? = 16 * 1024

    private static let stage = "local"
    private static let domain = "local.execute-api.us-east-1.amazonaws.com"

    // MARK: Event

    func event(_ request: GatewayRequest) throws(GatewayRefusal) -> JSONTree {
        let headers = Self.headers(request)
        let parameters = request.decodedParameters
        let (body, isBase64) = request.body(asText: request.isText)
        let isRoot = request.path == "/"
        return [
            "resource": isRoot ? "/" : "/{proxy+}", "path": .string(request.path), "httpMethod": .string(request.method),
            "headers": .texts(headers.lasts), "multiValueHeaders": .lists(headers.lists),
            "queryStringParameters": parameters.isEmpty ? .null : .texts(parameters.lasts),
            "multiValueQueryStringParameters": parameters.isEmpty ? .null : .lists(parameters.lists),
            "pathParameters": isRoot ? .null : ["proxy": .string(String(request.path.dropFirst()))],
            "stageVariables": .null, "requestContext": Self.context(request, isRoot),
            "body": request.body.isEmpty ? .null : .string(body), "isBase64Encoded": .bool(isBase64),
        ]
    }

    /// Names in the client's case, and in title case those that the gateway sets. It keeps the body's length to itself.
    private static func headers(_ request: GatewayRequest) -> [(name: String, value: String)] {
        let own = [
            "host": "Host", "user-agent": "User-Agent", "x-forwarded-for": "X-Forwarded-For",
            "x-forwarded-port": "X-Forwarded-Port", "x-forwarded-proto": "X-Forwarded-Proto",
            "x-amzn-trace-id": "X-Amzn-Trace-Id",
        ]
        let added = request.added
        var headers: [(name: String, value: String)] = []
        for field in request.fields where added[field.name] == nil && field.name != "content-length" {
            headers.append((own[field.name] ?? field.sentName, field.value))
        }
        for (name, value) in added { headers.append((own[name] ?? name, value)) }
        return headers
    }

    private static func context(_ request: GatewayRequest, _ isRoot: Bool) -> JSONTree {
        var identity: [String: JSONTree] = [
            "sourceIp": .string(GatewayRequest.clientAddress),
            "userAgent": request.header("user-agent").map { .string($0) } ?? .null,
        ]
        for name in [
            "accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType",
            "cognitoIdentityId",
            "cognitoIdentityPoolId", "principalOrgId", "user", "userArn",
        ] { identity[name] = .null }
        return [
            "accountId": "000000000000", "apiId": "local", "domainName": .string(domain), "domainPrefix": "local",
            "extendedRequestId": .string("\(request.id.prefix(8))="), "httpMethod": .string(request.method),
            "identity": .object(identity), "path": .string("/\(stage)\(request.path)"), "protocol": "HTTP/1.1",
            "requestId": .string(request.id), "requestTime": .string(request.timeText),
            "requestTimeEpoch": .integer(request.milliseconds), "resourceId": "local",
            "resourcePath": isRoot ? "/" : "/{proxy+}", "stage": .string(stage),
        ]
    }

    // MARK: Reply

    private static let known: Set<String> = ["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"]

    func response(_ payload: [UInt8]) throws(UnusableReply) -> WireResponse {
        let fields = try ReplyFields(object: payload)
        if let other = fields.names.first(where: { !Self.known.contains($0) }) {
            throw UnusableReply("a REST API does not know the field '\(other)'")
        }
        var response = WireResponse(status: try fields.status(), lines: try Self.lines(fields))
        response.body = try fields.body()
        Self.remap(&response)
        return response
    }

    func takesPrelude(_ contentType: String?) -> Bool { true }

    /// A prelude may have cookies as well.
    func head(_ prelude: [UInt8]) throws(UnusableReply) -> WireResponse {
        let fields = try ReplyFields(object: prelude)
        var response = WireResponse(status: try fields.status(), lines: try Self.lines(fields))
        for cookie in try fields.cookies() { response.lines.append(("set-cookie", cookie)) }
        Self.remap(&response)
        return response
    }

    /// Both maps in one; a name that both have is read from `multiValueHeaders`.
    private static func lines(_ fields: ReplyFields) throws(UnusableReply) -> [(String, String)] {
        let lists = try fields.lists("multiValueHeaders")
        let names = Set(lists.map { $0.0.lowercased() })
        return try fields.texts("headers").filter { !names.contains($0.0.lowercased()) }
            + lists.flatMap { name, values in values.map { (name, $0) } }
    }

    /// Headers that the gateway gives other names, as it sets them itself.
    private static func remap(_ response: inout WireResponse) {
        let remapped: Set<String> = ["connection", "content-length", "date", "server", "www-authenticate"]
        for index in response.lines.indices where remapped.contains(response.lines[index].0.lowercased()) {
            let name = response.lines[index].0
            response.lines[index].0 = "x-amzn-Remapped-\(name)"
            response.notes.append("a REST API sends the header '\(name)' as x-amzn-Remapped-\(name)")
        }
    }

    func page(_ failure: GatewayFailure) -> ErrorPage {
        switch failure {
        case .badRequest: .json(400, "{\"message\": \"Bad Request\"}")
        case .bodyTooLarge: .json(413, "{\"message\":\"HTTP content length exceeded \(requestLimit) bytes.\"}")
        case .eventTooLarge: .json(413, "{\"message\":\"Request Too Long\"}")
        case .function: .json(502, "{\"message\": \"Internal server error\"}")
        }
    }
}
