/// What a person wants to know of a transaction at first sight.
struct ReportedTransaction: Sendable, Equatable, Decodable {
    let name: String
    /// In Sentry's words, as `not_found`.
    let status: String
    /// From its start to its end; nil where one of them is missing.
    let milliseconds: Double?
    /// Its own included.
    let spans: Int
    /// The id in `contexts["aws.lambda"].aws_request_id`.
    let requestID: String?

    private enum Key: String, CodingKey { case transaction, start_timestamp, timestamp, spans, contexts }

    private struct Trace: Decodable {
        struct Status: Decodable { let status: String }
        let trace: Status
    }

    private struct Lambda: Decodable {
        struct Request: Decodable { let aws_request_id: String }
        let lambda: Request
        private enum CodingKeys: String, CodingKey { case lambda = "aws.lambda" }
    }

    private struct Ignored: Decodable {
        init(from decoder: any Decoder) throws {}
    }

    /// - Throws: `DecodingError` when the payload is no JSON object; no field is required.
    init(from decoder: any Decoder) throws {
        let event = try decoder.container(keyedBy: Key.self)
        name = event.lenient(String.self, .transaction) ?? "(a transaction without a name)"
        status = event.lenient(Trace.self, .contexts)?.trace.status ?? "unknown"
        let (start, end) = (event.lenient(Double.self, .start_timestamp), event.lenient(Double.self, .timestamp))
        if let start, let end { milliseconds = (end - start) * 1000 } else { milliseconds = nil }
        spans = 1 + (event.lenient([Ignored].self, .spans)?.count ?? 0)
        requestID = event.lenient(Lambda.self, .contexts)?.lambda.aws_request_id
    }
}
