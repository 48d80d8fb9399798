internal import SluiceReporting
internal import SluiceStreaming
@_spi(JSON) internal import SluiceCore

/// An invocation whose headers cannot be used. Where it has an id, its failure can still be reported.
struct InvocationError: Error, Equatable, CustomStringConvertible {
    let id: String?
    let description: String
}

/// One event, as the Runtime API handed it out. A class: it is passed on at every step of its way.
final class Invocation: Sendable {
    /// The id in `Lambda-Runtime-Aws-Request-Id`; opaque.
    let id: String
    let deadline: WallClock.Instant
    let functionARN: String
    let traceID: String?
    let tenantID: String?
    let identity: CognitoIdentity?
    let clientContext: String?
    let event: [UInt8]

    /// An invocation that nobody has handed out, for a test.
    init(
        id: String, deadline: WallClock.Instant, functionARN: String, traceID: String?, tenantID: String?,
        identity: CognitoIdentity?, clientContext: String?, event: [UInt8]
    ) {
        self.id = id
        self.deadline = deadline
        self.functionARN = functionARN
        self.traceID = traceID
        self.tenantID = tenantID
        self.identity = identity
        self.clientContext = clientContext
        self.event = event
    }

    /// Takes the response to `next` apart. An empty header is as good as none: the platform's newer code sends some so.
    ///
    /// - Throws: ``InvocationError`` that names the header.
    init(_ head: HTTPMessageHead, event: [UInt8]) throws(InvocationError) {
        var (id, time, arn, trace): (String?, String?, String?, String?)
        var (tenant, context, cognito): (String?, String?, String?)
        head.forEachLine { line in
            switch line {
            case "lambda-runtime-aws-request-id": id = id ?? line.value
            case "lambda-runtime-deadline-ms": time = time ?? line.value
            case "lambda-runtime-invoked-function-arn": arn = arn ?? line.value
            case "lambda-runtime-trace-id": trace = trace ?? line.value
            case "lambda-runtime-aws-tenant-id": tenant = tenant ?? line.value
            case "lambda-runtime-client-context": context = context ?? line.value
            case "lambda-runtime-cognito-identity": cognito = cognito ?? line.value
            default: break
            }
        }
        guard let id else {
            throw InvocationError(id: nil, description: "the header Lambda-Runtime-Aws-Request-Id is missing")
        }
        guard let deadline = time.flatMap({ Int64($0) }), deadline > 0 else {
            throw InvocationError(id: id, description: "the header Lambda-Runtime-Deadline-Ms is no time")
        }
        self.id = id
        self.deadline = WallClock.Instant(millisecondsSinceEpoch: deadline)
        (functionARN, traceID, tenantID, clientContext) = (arn ?? "", trace, tenant, context)
        self.event = event
        do throws(JSONError) {
            if let clientContext {
                try JSONReader.read(Array(clientContext.utf8)) { (reader) throws(JSONError) in
                    try reader.object { (reader, _) throws(JSONError) in try reader.skip() }
                    try reader.end()
                }
            }
        } catch {
            throw InvocationError(id: id, description: "the header Lambda-Runtime-Client-Context is no JSON object: \(error)")
        }
        do throws(JSONError) {
            identity = try cognito.flatMap(Self.parseIdentity)
        } catch {
            throw InvocationError(id: id, description: "the header Lambda-Runtime-Cognito-Identity is no JSON object: \(error)")
        }
    }

    /// Trace headers that an SDK caller put into `custom` of its client context, by their lower-case names; none without one that names a
    /// trace.
    func traceCarrier(_ names: Set<String>) -> [String: String] {
        guard let clientContext else { return [:] }
        var carrier: [String: String] = [:]
        do throws(JSONError) {
            try JSONReader.read(Array(clientContext.utf8)) { (reader) throws(JSONError) in
                try reader.object { (reader, key) throws(JSONError) in
                    guard key.string.lowercased() == "custom" else { return try reader.skip() }
                    try reader.object { (reader, name) throws(JSONError) in
                        let name = name.string.lowercased()
                        guard names.contains(name) else { return try reader.skip() }
                        carrier[name] = try reader.string()
                    }
                }
            }
        } catch {
            // Checked when the invocation came; a `custom` of another form carries nothing.
            return [:]
        }
        // Baggage alone is no trace.
        return carrier.contains { $0.key != "baggage" } ? carrier : [:]
    }

    private static func parseIdentity(_ text: String) throws(JSONError) -> CognitoIdentity? {
        var (identity, pool): (String?, String?)
        try JSONReader.read(Array(text.utf8)) { (reader) throws(JSONError) in
            try reader.object { (reader, key) throws(JSONError) in
                if try reader.null() { return }
                switch key {
                case "cognitoIdentityId": identity = try reader.string()
                case "cognitoIdentityPoolId": pool = try reader.string()
                default: try reader.skip()
                }
            }
            try reader.end()
        }
        guard let identity, let pool else { return nil }
        return CognitoIdentity(identityID: identity, poolID: pool)
    }
}
