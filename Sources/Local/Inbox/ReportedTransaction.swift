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

    /// - Throws: `DecodingError` when the payload is no JSON object; no field is required.
    init(from decoder: any Decoder) throws {
        let event = try decoder.container(keyedBy: Key.self)
        let contexts = event.lenient(ReportedContexts.self, .contexts)
        name = event.lenient(String.self, .transaction) ?? "(a transaction without a name)"
        status = contexts?.status ?? "unknown"
        let (start, end) = (event.lenient(Double.self, .start_timestamp), event.lenient(Double.self, .timestamp))
        if let start, let end { milliseconds = (end - start) * 1000 } else { milliseconds = nil }
        spans = 1 + (event.lenient([Ignored].self, .spans)?.count ?? 0)
        requestID = contexts?.requestID
    }
}
