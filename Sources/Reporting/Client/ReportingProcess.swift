package import Logging
internal import SluiceCore
internal import Synchronization

/// What all reporters of a process share: its environment, its log, and what every report says of where it runs.
package final class ReportingProcess: Sendable {
    package let environment: [String: String]
    package let logger: Logger
    /// What is known of the process: on every report.
    package let scope: ScopeBox
    /// The folder of all spools.
    package let spoolRoot: String
    private let startedAt = WallClock.Instant.now
    /// Read for the first report: start-up has better things to do.
    private let knownContexts = Mutex<ReportContexts?>(nil)

    package init(environment: [String: String], logger: Logger, scope: ScopeBox = .process) {
        self.environment = environment
        self.logger = logger
        self.scope = scope
        do throws(RelativeSpool) {
            spoolRoot = try Spool.root(in: environment) ?? Spool.standardRoot
        } catch {
            // It stops start-up; the report of that is not kept in it.
            spoolRoot = Spool.standardRoot
        }
    }

    package var contexts: ReportContexts {
        knownContexts.withLock { known in
            if let known { return known }
            let read = ReportContexts(environment, startedAt: startedAt)
            known = read
            return read
        }
    }

    /// The trace of a request, made at its first use.
    package func trace(of box: ScopeBox, _ make: ((String) -> String?) -> TraceContext) -> TraceContext {
        box.trace {
            let request = box.request
            let carrier = box.carrier
            let names = ["sentry-trace": "SENTRY_TRACE", "baggage": "SENTRY_BAGGAGE", "traceparent": "TRACEPARENT"]
            return make { name in
                if carrier["sentry-trace"] != nil || carrier["traceparent"] != nil { return carrier[name] }
                if let request { return request.header(name) }
                return names[name].flatMap { self.environment[$0] }
            }
        }
    }
}
