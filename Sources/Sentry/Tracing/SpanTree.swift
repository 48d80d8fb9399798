internal import SluiceCore
internal import SluiceReporting
internal import Synchronization

/// The spans of one transaction, until its root ends.
final class SpanTree: Sendable {
    /// What the protocol takes; what is above that is left out.
    static let limit = 1000

    private let client: SentryClient
    private let box: ReportingScope
    private let trace: TraceContext
    private let isOfRequest: Bool
    private let spans = Mutex<[FinishedSpan]?>([])

    /// - Parameter isOfRequest: Whether the root is the request's own span.
    init(_ client: SentryClient, _ box: ReportingScope, _ trace: TraceContext, isOfRequest: Bool) {
        (self.client, self.box, self.trace, self.isOfRequest) = (client, box, trace, isOfRequest)
    }

    /// One that ends later than its root has no transaction any more.
    func add(_ span: FinishedSpan) {
        spans.withLock { spans in
            if let count = spans?.count, count < Self.limit { spans?.append(span) }
        }
    }

    func finish(_ root: FinishedSpan) {
        let children = spans.withLock { spans in
            defer { spans = nil }
            return spans
        }
        if let children {
            client.capture(
                SentryTransaction(root: root, spans: children, trace: trace, isOfRequest: isOfRequest), box)
        }
    }
}

/// What a `transaction` item has besides what an event has.
struct SentryTransaction: Sendable {
    var root: FinishedSpan
    var spans: [FinishedSpan]
    let trace: TraceContext
    let isOfRequest: Bool

    /// The fields that only a transaction has.
    func write(to json: inout JSONWriter) {
        json.field("type", "transaction")
        json.key("start_timestamp")
        json.number(root.start)
        json.key("spans")
        json.array { json in for span in spans { span.write(to: &json, of: trace.traceID) } }
    }
}

extension FinishedSpan {
    fileprivate func write(to json: inout JSONWriter, of trace: String) {
        json.object { json in
            json.field("trace_id", trace)
            json.field("span_id", id)
            json.text("parent_span_id", parent, limit: 16)
            json.text("description", name, limit: 1024)
            json.key("start_timestamp")
            json.number(start)
            json.key("timestamp")
            json.number(end)
            writeOutcome(to: &json)
        }
    }

    /// What a root has in its trace context, and any other span in itself.
    func writeOutcome(to json: inout JSONWriter) {
        json.field("op", op)
        json.field("status", status)
        json.field("origin", isServer ? "auto.http.sluice" : "manual")
        let data = data.filter { $0.value != .null }
        guard !data.isEmpty else { return }
        json.key("data")
        ReportValue.object(data).write(to: &json)
    }
}
