internal import Logging
internal import Synchronization
internal import SluiceCore

/// Makes events of errors and messages, and hands them to the delivery.
final class ReportClient: Sendable {
    let settings: ReportSettings
    let delivery: Delivery?
    let notices: Diagnostics
    let scrubber: Scrubber
    /// Read for the first report: start-up has better things to do.
    private let knownSurroundings = Mutex<ReportContexts?>(nil)
    private let startedAt = WallClock.Instant.now
    private let environment: [String: String]
    /// What is known of the process: on every report.
    private let process: ScopeBox

    /// Reads the environment and, with a DSN, starts the delivery. A DSN that cannot be used is one ERROR record.
    init(_ options: ReportOptions, environment: [String: String], logger: Logger, process: ScopeBox = .process) {
        self.process = process
        settings = ReportSettings(options, environment)
        self.environment = environment
        notices = Diagnostics(logger, isDebug: settings.isDebug)
        scrubber = Scrubber(sendsPII: options.sendDefaultPII)
        if let problem = settings.dsnProblem {
            notices.say(.error, "SENTRY_DSN cannot be used, nothing is reported: \(problem)")
        }
        if let dsn = settings.dsn {
            delivery = Delivery(settings, dsn, notices)
            for warning in settings.warnings { notices.say(.warning, "reporting: \(warning)") }
            notices.debug("reports go to \(dsn)")
        } else {
            delivery = nil
            notices.debug("no DSN: nothing is reported")
        }
        delivery?.start()
    }

    deinit { delivery?.stop() }

    private var surroundings: ReportContexts {
        knownSurroundings.withLock { known in
            if let known { return known }
            let read = ReportContexts(environment, startedAt: startedAt)
            known = read
            return read
        }
    }

    /// The process's own values, and those of the scope, go on the event; what the event has itself wins.
    ///
    /// - Returns: The event's id, also where nothing is sent.
    @discardableResult
    func capture(_ event: ReportEvent, _ scope: ReportScope, _ box: ScopeBox, source: (any Error)? = nil) -> String {
        box.lastEventID = event.id
        guard let delivery else { return event.id }
        var event = event
        if isIgnored(event) {
            box.ledger.enter(.dropped(.eventProcessor))
            delivery.count(.eventProcessor, .error)
            notices.debug("\(event.id) dropped: ignoreErrors")
            return event.id
        }
        scope.apply(to: &event)
        // A fork of the process's scope has all of it already.
        if !box.isPart(of: process) {
            var outer = process.scope
            outer.level = scope.level ?? outer.level
            outer.apply(to: &event)
        }
        complete(&event, box)
        let callbacks = UserCallbacks(processors: settings.options.eventProcessors, beforeSend: settings.options.beforeSend)
        if callbacks.isEmpty, settings.sampleRate < 1, Double.random(in: 0..<1) >= settings.sampleRate {
            box.ledger.enter(.dropped(.sampleRate))
            delivery.count(.sampleRate, .error)
            notices.debug("\(event.id) dropped: sampled out")
            return event.id
        }
        notices.debug("\(event.id) captured: \(event.exceptions.last?.type ?? event.message ?? "")")
        delivery.submit(event, callbacks, owner: box.ledger, source: source.map { ($0, box) })
        return event.id
    }

    private func complete(_ event: inout ReportEvent, _ box: ScopeBox) {
        event.release = event.release.flatMap { $0.isEmpty ? nil : $0 } ?? settings.release
        event.environment = event.environment.flatMap { $0.isEmpty ? nil : $0 } ?? settings.environment
        event.dist = event.dist.flatMap { $0.isEmpty ? nil : $0 } ?? settings.options.dist
        let surroundings = surroundings
        event.serverName = event.serverName ?? settings.serverName ?? surroundings.hostName
        var contexts = surroundings.contexts
        if let scope = InvocationScope.current { contexts.merge(surroundings.contexts(of: scope)) { _, new in new } }
        event.contexts.merge(contexts) { own, _ in own }
        let trail = box.breadcrumbs + (box.isPart(of: process) ? [] : process.breadcrumbs)
        event.breadcrumbs = (event.breadcrumbs + trail.sorted { $0.timestamp < $1.timestamp })
            .suffix(max(0, settings.options.maxBreadcrumbs)).map(scrubber.breadcrumb)
        let raw = box.request
        if event.request == nil, let raw {
            // Reading a body that is no JSON throws; that is none of the app's throws, of which only a few are kept.
            event.request = InvocationScope.$current.withValue(nil) { scrubber.request(raw) }
        }
        if scrubber.sendsPII, event.user == nil, let address = raw?.remoteAddress {
            event.user = ReportUser(ipAddress: address)
        }
        event.trace = trace(of: box)
        let sites = event.throwAddresses
        if !sites.isEmpty { event.images = Symbols.images(for: sites) }
    }

    func trace(of box: ScopeBox) -> TraceContext {
        box.trace {
            let raw = box.request
            let carrier = box.carrier
            let environment = environment
            return TraceContext(
                header: { name in
                    if carrier["sentry-trace"] != nil || carrier["traceparent"] != nil { return carrier[name] }
                    if let raw { return raw.header(name) }
                    return environment[["sentry-trace": "SENTRY_TRACE", "baggage": "SENTRY_BAGGAGE"][name] ?? ""]
                }, organization: settings.organizationID, isStrict: settings.options.strictTraceContinuation)
        }
    }

    /// By what the last error or the message says; causes are not looked at.
    private func isIgnored(_ event: ReportEvent) -> Bool {
        guard !settings.options.ignoreErrors.isEmpty else { return false }
        var texts = [event.message].compactMap { $0 }
        if let last = event.exceptions.last { texts += [last.value, last.type, "\(last.type): \(last.value)"] }
        return settings.options.ignoreErrors.contains { pattern in texts.contains { $0.contains(text: pattern) } }
    }

    // MARK: Errors as events

    /// An event of an error, and the scope that it belongs to: what was known where it was thrown, which may be another task, and what
    /// is known here. Where both have something, the last word has who handled it; of one that nobody did, who threw it.
    ///
    /// - Returns: Nil where the error was captured before.
    func event(
        of error: any Error, level: ReportLevel, mechanism: String, isHandled: Bool, in box: ScopeBox
    ) -> (ReportEvent, ReportScope)? {
        guard box.isNew(error) else { return nil }
        let site = box.throwSite(of: error)
        let here = box.scope
        var scope = isHandled ? site?.scope ?? here : here
        if let site { scope.take(isHandled ? here : site.scope) }
        return (event(of: error, level: level, mechanism: mechanism, isHandled: isHandled, site: site), scope)
    }

    func event(of error: any Error, level: ReportLevel, mechanism: String, isHandled: Bool, site: ThrowSite?) -> ReportEvent {
        var event = ReportEvent(level: level)
        let chain = ErrorChain.of(error)
        event.exceptions = chain.enumerated().reversed().map { index, error in
            ReportException(
                error,
                mechanism: .init(
                    type: index == 0 ? mechanism : "chained", handled: index == 0 ? isHandled : nil, exceptionID: index,
                    parentID: index == 0 ? nil : index - 1, source: index == 0 ? nil : "cause"))
        }
        event.throwAddresses = site?.addresses ?? []
        return event
    }

    // MARK: Breadcrumbs

    /// What `beforeBreadcrumb` itself adds, by logging say, would be for it to see, without end.
    @TaskLocal private static var isInCallback = false

    func add(_ breadcrumb: Breadcrumb, to box: ScopeBox) {
        var breadcrumb = breadcrumb
        if let before = settings.options.beforeBreadcrumb {
            guard !Self.isInCallback else { return }
            // What it throws drops the breadcrumb, and nothing else.
            do {
                guard let changed = try Self.$isInCallback.withValue(true, operation: { try before(breadcrumb) }) else {
                    return
                }
                breadcrumb = changed
            } catch {
                return notices.debug("beforeBreadcrumb threw \(error)")
            }
        }
        if !box.add(breadcrumb, limit: settings.options.maxBreadcrumbs) { notices.debug("the oldest breadcrumb had to go") }
    }
}

extension ReportException {
    init(_ error: any Error, mechanism: Mechanism) {
        let type = Swift.type(of: error)
        let qualified = String(reflecting: type)
        self.init(
            type: String(describing: type), value: String(describing: error),
            module: qualified.split(separator: ".").first.map(String.init), mechanism: mechanism)
    }
}
