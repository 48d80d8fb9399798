package import Logging
public import SluiceCore
package import SluiceReporting

/// Reports failures to Sentry, or to what speaks its protocol: the reporter that an app has where `SENTRY_DSN` is set.
///
/// `Reports` says more to it: tags, breadcrumbs, messages. It works while `LambdaApp.run()` does.
public struct SentryReporter: ErrorReporter {
    /// How errors are reported; what is not said here comes from the environment.
    public let options: ReportOptions
    private let place = ClientPlace()

    /// - Parameter options: Win over the environment's `SENTRY_*`.
    public init(_ options: ReportOptions = ReportOptions()) { self.options = options }

    /// The one of ``options``.
    public var lowestStatus: Int { options.lowestStatus }

    /// Reads the environment and, with a DSN, starts the delivery: what an earlier process left behind leaves after the first reply.
    /// With a rate of traces, swift-distributed-tracing's spans become transactions, unless the app has bootstrapped a tracer before.
    public func begin() {
        guard let client, client.delivery != nil, client.settings.tracesSampleRate != nil else { return }
        SentryTracer.begin(client)
    }

    /// Makes an event of the failure: it is on disk when this returns, unless the app has callbacks that must see it first.
    public func capture(_ failure: Failure) {
        guard wants(failure), let client, client.delivery != nil else { return }
        let box = Reports.scopeForChanges
        guard let (event, scope) = ReportEvent.begun(failure, box) else {
            return client.diagnostics.debug("not reported: this error was captured before")
        }
        client.capture(event, scope, box, source: failure.error)
    }

    /// Waits until the server has all that the current invocation captured, and no longer than `limit` or the time that is left.
    public func flush(within limit: Duration) async {
        guard let ledger = Reports.currentScope?.ledger, ledger.hasPending, let delivery = client?.delivery else { return }
        await delivery.flush(ledger, drains: false, within: max(InvocationScope.current?.budget(limit) ?? limit, .zero))
    }

    /// Whether anybody says where reports go, readable or not.
    package func hasDSN(_ environment: Environment) -> Bool {
        (options.dsn ?? environment["SENTRY_DSN"])?.trimmed.isEmpty == false
    }

    /// Nil while nothing is reported.
    var client: SentryClient? {
        guard let process = Reports.process else { return nil }
        return place.client(of: process) { SentryClient(options, process) }
    }
}

extension SentryReporter: TrackingReporter {
    package func end() {
        SentryTracer.end()
        place.empty()
    }

    package var breadcrumbLimit: Int { options.maxBreadcrumbs }

    package func changed(_ breadcrumb: Breadcrumb) -> Breadcrumb? { options.changed(breadcrumb) }

    package func take(_ record: LogEvent, label: String, data: [String: ReportValue], _ box: ReportingScope) {
        guard options.enableLogs else { return }
        client?.log(record, label: label, data: data, box)
    }

    package var traceHeaderNames: [String] { ["sentry-trace", "baggage", "traceparent"] }

    package func trace(_ header: ((String) -> String?)?) -> TraceContext { client?.newTrace(header) ?? TraceContext() }

    package func traceHeaders(of trace: TraceContext) -> [(name: String, value: String)] {
        client?.traceHeaders(of: trace) ?? []
    }
}
