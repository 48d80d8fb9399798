internal import Logging

/// Reports failures to Sentry, or to what speaks its protocol: the reporter that an app has where `SENTRY_DSN` is set.
///
/// ``Reports`` says more to it. One for each process.
public struct SentryReporter: ErrorReporter {
    /// How errors are reported; what is not said here comes from the environment.
    public let options: ReportOptions

    /// - Parameter options: Win over the environment's `SENTRY_*`.
    public init(_ options: ReportOptions = ReportOptions()) { self.options = options }

    /// Makes an event of the failure: it is on disk when this returns, unless the app has callbacks that must see it first.
    public func capture(_ failure: Failure) {
        guard let client = Reports.current, client.delivery != nil else { return }
        guard failure.level >= .error || failure.status ?? 0 >= client.settings.options.lowestStatus else { return }
        let box = Reports.box
        guard let event = event(of: failure, client, box) else {
            return client.notices.debug("not reported: this error was captured before")
        }
        client.capture(event.0, event.1, box, source: failure.error)
    }

    private func event(of failure: Failure, _ client: ReportClient, _ box: ScopeBox) -> (ReportEvent, ReportScope)? {
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

    /// Waits until the server has all that the current invocation captured, and no longer than `limit` or the time that is left.
    public func flush(within limit: Duration) async {
        let ledger = Reports.box.ledger
        // As a rule there is nothing: no clock is read for that, and no lock taken.
        guard ledger.hasPending, let delivery = Reports.current?.delivery else { return }
        await delivery.flush(ledger, drains: false, within: InvocationScope.current?.budget(limit) ?? limit)
    }

    func mustSettle(_ scope: InvocationScope) -> Bool {
        guard let delivery = Reports.current?.delivery else { return false }
        return delivery.hasWork || scope.report.ledger.isUsed
    }

    func settle(within limit: Duration, _ logger: Logger) async {
        guard let delivery = Reports.current?.delivery else { return }
        let ledger = Reports.box.ledger
        if delivery.hasWork {
            let limit = InvocationScope.current?.budgetAfterReply(limit) ?? limit
            await delivery.flush(ledger, drains: true, within: limit)
        }
        if ledger.isUsed { tell(ledger.now, logger) }
    }

    /// One record for each invocation of which anything was captured: what became of it.
    private func tell(_ ledger: ReportLedger, _ logger: Logger) {
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

extension Failure {
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
