/// What the contexts of an event or a transaction say of its invocation.
struct ReportedContexts: Decodable {
    /// The id in `["aws.lambda"].aws_request_id`.
    let requestID: String?
    /// The outcome in `trace.status`.
    let status: String?

    private enum Key: String, CodingKey {
        case lambda = "aws.lambda"
        case trace
    }

    private struct Lambda: Decodable {
        let aws_request_id: String
    }

    private struct Trace: Decodable {
        let status: String
    }

    init(from decoder: any Decoder) throws {
        let contexts = try decoder.container(keyedBy: Key.self)
        requestID = contexts.lenient(Lambda.self, .lambda)?.aws_request_id
        status = contexts.lenient(Trace.self, .trace)?.status
    }
}
