package import Logging

/// Writes each failure to the log, and reports it to the error tracker where one is set.
package struct SentryReporter: Reporter {
    private let logger: Logger

    package init(_ logger: Logger) { self.logger = logger }

    package func capture(_ failure: FailureRecord) {
        failure.write(to: logger)
        guard let client = Reports.current, client.delivery != nil else { return }
        guard failure.level >= .error || failure.status ?? 0 >= client.settings.options.lowestStatus else { return }
        let box = Reports.box
        guard let event = event(of: failure, client, box) else {
            return client.notices.debug("not reported: this error was captured before")
        }
        client.capture(event.0, event.1, box, source: failure.error)
    }

    private func event(of failure: FailureRecord, _ client: ReportClient, _ box: ScopeBox) -> (ReportEvent, ReportScope)? {
        let level = ReportLevel(failure.level)
        var event = ReportEvent(level: level)
        var scope = box.scope
        if let error = failure.error {
            guard let both = client.event(of: error, level: level, mechanism: failure.mechanism, isHandled: false, in: box)
            else { return nil }
            (event, scope) = both
        }
        event.message = failure.message
        event.logger = "sluice"
        event.tags["outcome"] = failure.outcome.rawValue
        if let status = failure.status { event.contexts["response"] = ["status_code": .integer(status)] }
        return (event, scope)
    }

    package func flush(within limit: Duration) async {
        let ledger = Reports.box.ledger
        // As a rule there is nothing: no clock is read for that, and no lock taken.
        guard ledger.hasPending, let delivery = Reports.current?.delivery else { return }
        await delivery.flush(ledger, drains: false, within: InvocationScope.current?.budget(limit) ?? limit)
    }

    package func mustSettle(_ scope: InvocationScope) -> Bool {
        guard let delivery = Reports.current?.delivery else { return false }
        return delivery.hasWork || scope.report.ledger.isUsed
    }

    package func settle(within limit: Duration) async {
        guard let delivery = Reports.current?.delivery else { return }
        let ledger = Reports.box.ledger
        if delivery.hasWork {
            let limit = InvocationScope.current?.budgetAfterReply(limit) ?? limit
            await delivery.flush(ledger, drains: true, within: limit)
        }
        if ledger.isUsed { tell(ledger.now) }
    }

    /// One record for each invocation of which anything was captured: what became of it.
    private func tell(_ ledger: ReportLedger) {
        guard InvocationScope.current != nil, ledger.captured > 0 else { return }
        logger.log(
            level: ledger.isDelivered ? .info : .warning, "reports: \(ledger)",
            metadata: ["reports": .dictionary(ledger.metadata)])
    }
}

extension ReportLedger {
    var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["captured": "\(captured)", "delivered": "\(delivered)"]
        if spooled > 0 { metadata["spooled"] = "\(spooled)" }
        if pending > 0 { metadata["pending"] = "\(pending)" }
        if !refused.isEmpty { metadata["refused"] = "\(refused.values.reduce(0, +))" }
        if !dropped.isEmpty { metadata["dropped"] = "\(dropped.values.reduce(0, +))" }
        return metadata
    }
}

extension FailureRecord {
    /// How it came to be captured, as reports name it.
    var mechanism: String {
        switch outcome {
        case .handlerError, .serverErrorResponse: "auto.http.lambda"
        case .streamCut: "auto.http.lambda.stream"
        case .timeout: "auto.http.lambda.timeout"
        case .startUp: "auto.function.lambda.init"
        default: "auto.function.lambda"
        }
    }
}
