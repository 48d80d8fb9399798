internal import SluiceCore
internal import Synchronization

/// OTLP's logs signal over HTTP, in JSON: one log record to a request.
///
/// - SeeAlso: OTLP, "OTLP/HTTP" and "JSON Protobuf Encoding", <https://opentelemetry.io/docs/specs/otlp/#otlphttp>
final class OTLPFormat: ReportFormat {
    /// Read for the first report: start-up has better things to do.
    private let resource = Mutex<[String: ReportValue]?>(nil)

    var contentType: String { "application/json" }

    func body(of event: ReportEvent) -> [UInt8] { OTLPRecord(event).request(knownResource) }

    /// Four statuses mean "later"; with all others a record is not to be sent again. A 200 may say that it took nothing.
    func verdict(on status: Int, body: [UInt8]) -> ReportVerdict {
        switch status {
        case 200...299: Self.rejects(body) ? .refused : .delivered
        case 429, 502, 503, 504: .later
        default: .refused
        }
    }

    /// Whether a response says `{"partialSuccess":{"rejectedLogRecords":"1"}}`; the number may stand as a number too.
    private static func rejects(_ body: [UInt8]) -> Bool {
        guard case .object(let response) = JSONParser.parse(body), case .object(let partial) = response["partialSuccess"]
        else { return false }
        switch partial["rejectedLogRecords"] {
        case .integer(let count): return count > 0
        case .string(let text): return Int(text) ?? 0 > 0
        default: return false
        }
    }

    private var knownResource: [String: ReportValue] {
        resource.withLock { known in
            if let known { return known }
            let read = OTLPResource(Reports.process?.environment ?? [:]).attributes
            known = read
            return read
        }
    }
}
