public import SluiceCore

extension ReportEvent {
    /// Breadcrumbs of a report, unless a reporter's options say otherwise.
    package static let breadcrumbLimit = 100

    /// The report of a failure: what happened, where it was thrown, and what is known in the current scope. For a reporter's
    /// `capture(_:)`.
    ///
    /// Secrets are replaced by their names. The request's body, the client's address and headers about it are left out unless
    /// `sendingPersonalData`.
    ///
    /// - Returns: Nil where this error was reported before: an error that is handled, reported and thrown again is one report.
    public init?(_ failure: Failure, sendingPersonalData: Bool = false) {
        let box = Reports.scopeForChanges
        guard let (event, scope) = Self.begun(failure, box) else { return nil }
        self = event
        let process = Reports.hub?.process
        complete(
            scope, box, process?.scope ?? .process, process?.contexts, Scrubber(sendsPII: sendingPersonalData),
            breadcrumbs: Self.breadcrumbLimit)
        trace = Reports.hub?.trace(of: box)
    }

    /// What happened, and the scope that it belongs to: what was known where the error was thrown, which may be another task, and what is
    /// known here. Where both have something, the last word has who handled it; of one that nobody did, who threw it.
    ///
    /// - Returns: Nil where the error was captured before.
    package static func begun(_ failure: Failure, _ box: ReportingScope) -> (ReportEvent, ReportScope)? {
        let isHandled = failure.outcome == .captured
        var event = ReportEvent(id: failure.id, level: ReportLevel(failure.level), timestamp: failure.timestamp)
        var scope = box.scope
        if let error = failure.error {
            guard box.isNew(error, as: failure.id) else { return nil }
            let site = box.throwSite(of: error)
            if let there = site?.known as? ReportScope {
                let here = scope
                if isHandled { scope = there }
                scope.take(isHandled ? here : there)
            }
            event.exceptions = exceptions(of: error, mechanism: failure.mechanism, isHandled: isHandled)
            event.throwAddresses = site?.addresses ?? []
        }
        if !isHandled || failure.error == nil { event.message = failure.message }
        if !isHandled {
            event.logger = "sluice"
            event.tags = failure.tags
            event.tags["outcome"] = failure.outcome.rawValue
            if let status = failure.status { event.contexts["response"] = ["status_code": .integer(status)] }
        }
        box.lastEventID = failure.id
        return (event, scope)
    }

    /// An error and what led to it, the deepest cause first.
    package static func exceptions(of error: any Error, mechanism: String, isHandled: Bool) -> [ReportException] {
        ErrorChain.of(error).enumerated().reversed().map { index, error in
            ReportException(
                error,
                mechanism: .init(
                    type: index == 0 ? mechanism : "chained", handled: index == 0 ? isHandled : nil, exceptionID: index,
                    parentID: index == 0 ? nil : index - 1, source: index == 0 ? nil : "cause"))
        }
    }

    /// Puts on what is known: of the scope, the process, the machine and the request. What the event has itself wins.
    package mutating func complete(
        _ scope: ReportScope, _ box: ReportingScope, _ process: ReportingScope, _ machine: ReportContexts?,
        _ scrubber: Scrubber,
        breadcrumbs limit: Int
    ) {
        scope.apply(to: &self)
        // A fork of the process's scope has all of it already.
        let isProcess = box.isPart(of: process)
        if !isProcess {
            var outer = process.scope
            outer.level = scope.level ?? outer.level
            outer.apply(to: &self)
        }
        serverName = serverName ?? machine?.hostName
        var known = machine?.contexts ?? [:]
        if let scope = InvocationScope.current, let machine {
            known.merge(machine.contexts(of: scope)) { _, new in new }
        }
        contexts.merge(known) { own, _ in own }
        let trail = box.breadcrumbs + (isProcess ? [] : process.breadcrumbs)
        breadcrumbs = (breadcrumbs + trail.sorted { $0.timestamp < $1.timestamp }).suffix(max(0, limit)).map(
            scrubber.breadcrumb)
        let summary = box.request
        if request == nil, let summary {
            // Reading a body that is no JSON throws; that is none of the app's throws, of which only a few are kept.
            request = InvocationScope.$current.withValue(nil) { scrubber.request(summary) }
        }
        if scrubber.sendsPII, user == nil, let address = summary?.remoteAddress { user = ReportUser(ipAddress: address) }
        if !throwAddresses.isEmpty { images = Symbols.images(for: throwAddresses) }
    }
}

extension Failure {
    /// How it came to be captured, as reports name it.
    package var mechanism: String {
        switch outcome {
        case .captured: "generic"
        case .handlerError, .serverErrorResponse: "auto.http.lambda"
        case .streamCut: "auto.http.lambda.stream"
        case .timeout: "auto.http.lambda.timeout"
        case .startUp: "auto.function.lambda.init"
        default: "auto.function.lambda"
        }
    }
}
