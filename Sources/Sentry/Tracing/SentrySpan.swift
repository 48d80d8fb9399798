internal import SluiceCore
internal import SluiceReporting
internal import Synchronization
internal import Tracing

/// A span on its way into a transaction, or one of which nothing is recorded. Events and links have no place in Sentry's spans.
struct SentrySpan: Span {
    let context: ServiceContext
    /// Nil: nothing is recorded.
    let record: SpanRecord?

    var isRecording: Bool { record?.isOpen ?? false }

    var operationName: String {
        get { record?.state.withLock(\.name) ?? "" }
        nonmutating set { record?.change { $0.name = newValue } }
    }

    var attributes: SpanAttributes {
        get { record?.state.withLock(\.attributes) ?? [:] }
        nonmutating set { record?.change { $0.attributes = newValue } }
    }

    func setStatus(_ status: SpanStatus) { record?.change { $0.isError = status.code == .error } }

    func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        record?.change { state in
            state.isError = true
            state.attributes.merge(attributes)
        }
    }

    func addEvent(_ event: SpanEvent) {}
    func addLink(_ link: SpanLink) {}

    func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        if let record, record.isOpen { record.end(at: instant().seconds) }
    }
}

/// What a span has recorded.
final class SpanRecord: Sendable {
    struct State {
        var name: String
        var attributes: SpanAttributes = [:]
        var isError = false
        var isOver = false
    }

    let state: Mutex<State>
    private let kind: SpanKind
    private let id: String
    private let parent: String?
    private let start: Double
    private let isRoot: Bool
    private let tree: SpanTree

    init(_ name: String, _ kind: SpanKind, id: String, parent: String?, start: Double, isRoot: Bool, _ tree: SpanTree) {
        state = Mutex(State(name: name))
        (self.kind, self.id, self.parent, self.start, self.isRoot, self.tree) = (kind, id, parent, start, isRoot, tree)
    }

    var isOpen: Bool { state.withLock { !$0.isOver } }

    /// What comes after its end is nothing.
    func change(_ change: (inout State) -> Void) { state.withLock { if !$0.isOver { change(&$0) } } }

    /// The first end counts.
    func end(at end: Double) {
        let last = state.withLock { state -> State? in
            guard !state.isOver else { return nil }
            state.isOver = true
            return state
        }
        guard let last else { return }
        let span = FinishedSpan(last, kind, id: id, parent: parent, start: start, end: max(start, end))
        if isRoot { tree.finish(span) } else { tree.add(span) }
    }
}

/// A span as it is sent.
struct FinishedSpan: Sendable {
    let id: String
    let parent: String?
    let name: String
    let op: String
    let status: String
    let start: Double
    let end: Double
    var data: [String: ReportValue]
    let isServer: Bool

    init(_ state: SpanRecord.State, _ kind: SpanKind, id: String, parent: String?, start: Double, end: Double) {
        var data: [String: ReportValue] = [:]
        state.attributes.forEach { data[Trim.text($0, to: 200)] = ReportValue($1) }
        (self.id, self.parent, self.start, self.end) = (id, parent, start, end)
        name = state.name
        self.data = data
        isServer = kind == .server
        op = Self.op(kind, data)
        status = Self.status(data["http.response.status_code"], isError: state.isError)
    }

    /// What kind of work it is, in Sentry's words, from what OpenTelemetry's conventions say of it.
    private static func op(_ kind: SpanKind, _ data: [String: ReportValue]) -> String {
        func has(_ names: String...) -> Bool { names.contains { data[$0] != nil } }
        return switch kind {
        case .server where has("http.request.method", "http.method"): "http.server"
        case .client where has("http.request.method", "http.method"): "http.client"
        case .producer: "queue.publish"
        case .consumer: "queue.process"
        case _ where has("db.system", "db.system.name", "db.query.text", "db.statement"): "db"
        case _ where has("rpc.system", "rpc.system.name"): "rpc"
        default: "function"
        }
    }

    /// Of an HTTP status its own, as JavaScript's SDK has them.
    private static func status(_ code: ReportValue?, isError: Bool) -> String {
        guard case .integer(let code)? = code else { return isError ? "internal_error" : "ok" }
        return switch code {
        case ..<400: isError ? "internal_error" : "ok"
        case 401: "unauthenticated"
        case 403: "permission_denied"
        case 404: "not_found"
        case 409: "already_exists"
        case 413: "failed_precondition"
        case 429: "resource_exhausted"
        case 499: "cancelled"
        case 400..<500: "invalid_argument"
        case 501: "unimplemented"
        case 503: "unavailable"
        case 504: "deadline_exceeded"
        default: "internal_error"
        }
    }
}

extension ReportValue {
    fileprivate init(_ attribute: SpanAttribute) {
        self =
            switch attribute {
            case .int32(let value): .integer(Int(value))
            case .int64(let value): .integer(Int(value))
            case .double(let value): .double(value)
            case .bool(let value): .bool(value)
            case .string(let text): .string(text)
            case .stringConvertible(let value): .string("\(value)")
            case .int32Array(let values): .array(values.map { .integer(Int($0)) })
            case .int64Array(let values): .array(values.map { .integer(Int($0)) })
            case .doubleArray(let values): .array(values.map { .double($0) })
            case .boolArray(let values): .array(values.map { .bool($0) })
            case .stringArray(let values): .array(values.map { .string($0) })
            case .stringConvertibleArray(let values): .array(values.map { .string("\($0)") })
            default: .null
            }
    }
}
