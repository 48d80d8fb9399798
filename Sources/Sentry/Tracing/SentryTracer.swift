internal import SluiceCore
internal import SluiceReporting
internal import Tracing

/// Makes transactions of the spans that the app and its libraries make by swift-distributed-tracing.
///
/// A span without a parent is the root of a transaction, which is sent when it ends, its children with it. The process has one tracer; who
/// takes its transactions is the reporter that began last.
///
/// - SeeAlso: Sentry's developer documentation, "Transaction payloads" and "Trace propagation".
struct SentryTracer: Tracer {
    private static let place = ClientPlace()

    /// From here on spans are this client's, unless the app has a tracer of its own.
    static func begin(_ client: SentryClient) {
        place.keep(client)
        // It can be set once only.
        if type(of: InstrumentationSystem.instrument) == NoOpInstrument.self { InstrumentationSystem.bootstrap(Self()) }
    }

    static func end() { place.empty() }

    /// Nil: the process's.
    private let own: SentryClient?

    init(_ client: SentryClient? = nil) { own = client }

    private var client: SentryClient? { own ?? Reports.process.flatMap(Self.place.client(of:)) }

    func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> SentrySpan {
        var context = context()
        let (parent, client) = (context.place, client)
        guard parent != nil || client?.settings.tracesSampleRate != nil else {
            return SentrySpan(context: context, record: nil)
        }
        let box = Reports.scopeForChanges
        let isInRequest = InvocationScope.current != nil
        // The request's own span is the first one of a server in it.
        let isOfRequest = parent == nil && isInRequest && kind == .server && box.takeSpan()
        // Outside of requests each root is a trace of its own: the process has no end.
        var trace = parent?.trace ?? (isInRequest ? client?.trace(of: box) : client?.newTrace(nil)) ?? TraceContext()
        if parent != nil || isInRequest && !isOfRequest {
            (trace.parentSpanID, trace.spanID) = (trace.spanID, RandomID.span())
        }
        var tree = parent?.tree
        if parent == nil, trace.isSampled == true, let client {
            tree = SpanTree(client, box, trace, isOfRequest: isOfRequest)
        }
        context.place = SpanPlace(trace: trace, tree: tree)
        guard let tree else { return SentrySpan(context: context, record: nil) }
        return SentrySpan(
            context: context,
            record: SpanRecord(
                operationName, kind, id: trace.spanID, parent: trace.parentSpanID, start: instant().seconds,
                isRoot: parent == nil,
                tree))
    }

    /// What `FlushReports` does.
    func forceFlush() {}

    func activeSpan(identifiedBy context: ServiceContext) -> SentrySpan? { nil }

    /// The request's trace is that of its reports, which read it from the request themselves.
    func extract<Carrier, Extract: Extractor>(_ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract)
    where Extract.Carrier == Carrier {}

    func inject<Carrier, Inject: Injector>(_ context: ServiceContext, into carrier: inout Carrier, using injector: Inject)
    where Inject.Carrier == Carrier {
        guard let client, let trace = context.place?.trace else { return }
        for (name, value) in client.traceHeaders(of: trace) { injector.inject(value, forKey: name, into: &carrier) }
    }
}

/// Where in a trace a context is.
struct SpanPlace: Sendable {
    /// With the span's own id.
    let trace: TraceContext
    /// Nil where nothing is recorded.
    let tree: SpanTree?
}

private struct SpanPlaceKey: ServiceContextKey {
    typealias Value = SpanPlace
    static let nameOverride: String? = "sluice-sentry-span"
}

extension ServiceContext {
    var place: SpanPlace? {
        get { self[SpanPlaceKey.self] }
        set { self[SpanPlaceKey.self] = newValue }
    }
}

extension TracerInstant {
    /// Since 1970.
    var seconds: Double { Double(nanosecondsSinceEpoch) / 1e9 }
}
