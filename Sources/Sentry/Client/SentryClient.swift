internal import Logging
internal import SluiceCore
internal import SluiceReporting

/// What a Sentry reporter does with reports while the app runs: fills, filters and samples them, and hands them to the delivery.
final class SentryClient: Sendable {
    let settings: SentrySettings
    let delivery: Delivery?
    private let format: SentryFormat?
    let diagnostics: Diagnostics
    let process: ReportingProcess
    private let scrubber: Scrubber

    /// Reads the environment and, with a DSN, starts the delivery. A DSN that cannot be used is one ERROR record.
    init(_ options: ReportOptions, _ process: ReportingProcess) {
        self.process = process
        settings = SentrySettings(options, process.environment)
        diagnostics = Diagnostics("sentry", process.logger, isDebug: settings.isDebug)
        scrubber = Scrubber(sendsPII: options.sendDefaultPII)
        if let problem = settings.dsnProblem {
            diagnostics.say(.error, "SENTRY_DSN cannot be used, nothing is reported: \(problem)")
        }
        if let dsn = settings.dsn {
            let format = SentryFormat(settings, dsn)
            self.format = format
            delivery = Delivery(to: settings.destination(dsn), as: format, spoolRoot: process.spoolRoot, diagnostics)
            for warning in settings.warnings { diagnostics.say(.warning, "reporting: \(warning)") }
            diagnostics.debug("reports go to \(dsn)")
        } else {
            (delivery, format) = (nil, nil)
            diagnostics.debug("no DSN: nothing is reported")
        }
        delivery?.start()
    }

    deinit { delivery?.stop() }

    /// Fills an event with the process's own values and those of the scope, and hands it to the delivery; what the event has itself wins.
    ///
    /// - Returns: The event's id, also where nothing is sent.
    @discardableResult
    func capture(_ event: ReportEvent, _ scope: ReportScope, _ box: ReportingScope, source: (any Error)? = nil) -> String {
        box.lastEventID = event.id
        guard let delivery else { return event.id }
        var event = event
        if isIgnored(event) {
            box.ledger.enter(.dropped(.eventProcessor))
            delivery.count(.eventProcessor, .event)
            diagnostics.debug("\(event.id) dropped: ignoreErrors")
            return event.id
        }
        fill(&event, scope, box)
        let options = settings.options
        let callbacks = UserCallbacks(
            processors: options.eventProcessors, beforeSend: options.beforeSend, sampleRate: settings.sampleRate)
        if callbacks.isEmpty, settings.sampleRate < 1, Double.random(in: 0..<1) >= settings.sampleRate {
            box.ledger.enter(.dropped(.sampleRate))
            delivery.count(.sampleRate, .event)
            diagnostics.debug("\(event.id) dropped: sampled out")
            return event.id
        }
        diagnostics.debug("\(event.id) captured: \(event.exceptions.last?.type ?? event.message ?? "")")
        delivery.submit(event, callbacks, owner: box.ledger, source: source.map { ($0, box) })
        return event.id
    }

    /// Hands a transaction to the delivery, with what is known of the request.
    func capture(_ transaction: SentryTransaction, _ box: ReportingScope) {
        guard let delivery, let format else { return }
        var (event, transaction) = (ReportEvent(level: .info), transaction)
        fill(&event, box.scope, box)
        event.breadcrumbs = []
        // The route, where it is the request's own.
        if !transaction.isOfRequest || event.transaction == nil { event.transaction = transaction.root.name }
        event.trace = transaction.trace
        transaction.root = scrubbed(transaction.root)
        transaction.spans = transaction.spans.map(scrubbed)
        delivery.submit(
            spans: transaction.spans.count + 1, id: event.id, format.body(of: event, transaction), owner: box.ledger)
        diagnostics.debug("\(event.id) captured: the transaction \(event.transaction ?? "")")
    }

    private func scrubbed(_ span: FinishedSpan) -> FinishedSpan {
        var span = span
        for (key, value) in span.data { span.data[key] = scrubber.attribute(value, name: key) }
        return span
    }

    private func fill(_ event: inout ReportEvent, _ scope: ReportScope, _ box: ReportingScope) {
        event.release = event.release.flatMap { $0.isEmpty ? nil : $0 } ?? settings.release
        event.environment = event.environment.flatMap { $0.isEmpty ? nil : $0 } ?? settings.environment
        event.dist = event.dist.flatMap { $0.isEmpty ? nil : $0 } ?? settings.options.dist
        event.serverName = event.serverName ?? settings.serverName
        event.complete(
            scope, box, process.scope, process.contexts, scrubber, breadcrumbs: settings.options.maxBreadcrumbs)
        event.trace = trace(of: box)
    }

    /// Whether what the last error or the message says is to be ignored; causes are not looked at.
    private func isIgnored(_ event: ReportEvent) -> Bool {
        guard !settings.options.ignoreErrors.isEmpty else { return false }
        var texts = [event.message].compactMap { $0 }
        if let last = event.exceptions.last { texts += [last.value, last.type, "\(last.type): \(last.value)"] }
        return settings.options.ignoreErrors.contains { pattern in texts.contains { $0.contains(text: pattern) } }
    }

    // MARK: Traces

    func trace(of box: ReportingScope) -> TraceContext { process.trace(of: box, newTrace) }

    /// The caller's trace, or a new one; of the process, the one that the environment names.
    func newTrace(_ header: ((String) -> String?)?) -> TraceContext {
        let variables = ["sentry-trace": "SENTRY_TRACE", "baggage": "SENTRY_BAGGAGE"]
        let environment = process.environment
        let trace =
            SentryTrace.continued(
                header: header ?? { variables[$0].flatMap { environment[$0] } }, organization: settings.organizationID,
                isStrict: settings.options.strictTraceContinuation)
            ?? TraceContext()
        return settings.tracesSampleRate.map { SentryTrace.decided(trace, rate: $0) } ?? trace
    }

    func traceHeaders(of trace: TraceContext) -> [(name: String, value: String)] {
        guard let dsn = settings.dsn else { return [] }
        let members = trace.sampling(
            publicKey: dsn.publicKey, release: settings.release, environment: settings.environment,
            organization: settings.organizationID, rate: settings.tracesSampleRate)
        var headers = [(name: "sentry-trace", value: trace.sentryTrace)]
        if let baggage = Baggage.header(existing: nil, adding: members) { headers.append(("baggage", baggage)) }
        return headers
    }

    // MARK: Logs

    /// One log record, as a structured log.
    func log(_ record: LogEvent, label: String, data: [String: ReportValue], _ box: ReportingScope) {
        guard settings.options.enableLogs, let delivery else { return }
        var attributes: [String: ReportValue] = [:]
        attributes.reserveCapacity(data.count + 8)
        for (key, value) in data { attributes[key] = scrubber.data(value, name: key) }
        attributes["sentry.environment"] = .string(settings.environment)
        attributes["sentry.release"] = settings.release.map { .string($0) }
        attributes["sentry.sdk.name"] = .string(SDK.current.name)
        attributes["sentry.sdk.version"] = .string(SDK.current.version)
        attributes["sentry.origin"] = "auto.log.swift_log"
        attributes["logger.name"] = .string(label)
        attributes["server.address"] = settings.serverName.map { .string($0) }
        if let id = InvocationScope.current?.requestID { attributes["faas.invocation_id"] = .string(id) }
        let entry = SentryLog(
            level: record.level, body: record.message.description, traceID: trace(of: box).traceID, attributes: attributes)
        delivery.submit(LogBuffer.Entry(entry.json, ledger: box.ledger))
    }
}

extension ReportOptions {
    /// What `beforeBreadcrumb` itself adds, by logging say, would be for it to see, without end.
    @TaskLocal private static var isInCallback = false

    /// What `beforeBreadcrumb` makes of it; nil where it drops it.
    func changed(_ breadcrumb: Breadcrumb) -> Breadcrumb? {
        guard let beforeBreadcrumb else { return breadcrumb }
        guard !Self.isInCallback else { return nil }
        // What it throws drops the breadcrumb, and nothing else.
        return try? Self.$isInCallback.withValue(true) { try beforeBreadcrumb(breadcrumb) }
    }
}
