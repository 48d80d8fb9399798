package import Logging
package import SluiceCore
internal import Synchronization

/// What all reporters of a process share: its environment, its log, and what every report says of where it runs.
package final class ReportingProcess: Sendable {
    package let environment: Environment
    package let logger: Logger
    /// What is known of the process: on every report.
    package let scope: ReportingScope
    /// The folder of all spools.
    package let spoolRoot: String
    private let startedAt = WallClock.Instant.now
    /// Read for the first report: start-up has better things to do.
    private let knownContexts = Mutex<ReportContexts?>(nil)

    package init(environment: Environment, logger: Logger, scope: ReportingScope = .process) {
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
    ///
    /// - Parameter make: Reads a header by its lower-case name; nil where there is no request.
    package func trace(of box: ReportingScope, _ make: (((String) -> String?)?) -> TraceContext) -> TraceContext {
        box.trace {
            let carrier = box.carrier
            if !carrier.isEmpty { return make { carrier[$0] } }
            guard let request = box.request else { return make(nil) }
            return make { request.header($0) }
        }
    }
}
