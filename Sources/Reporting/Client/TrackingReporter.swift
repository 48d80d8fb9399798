package import Logging
package import SluiceCore

/// What only the client of a whole tracker needs, beside what every reporter has: a say in breadcrumbs, log records, and headers of traces.
/// Only one of ours has it.
package protocol TrackingReporter: ErrorReporter {
    /// Nothing leaves any more.
    func end()
    /// Breadcrumbs that it wants kept for each request.
    var breadcrumbLimit: Int { get }
    /// Sees every breadcrumb first; nil drops it.
    func changed(_ breadcrumb: Breadcrumb) -> Breadcrumb?
    /// Takes one log record, its metadata merged already.
    func take(_ record: LogEvent, label: String, data: [String: ReportValue], _ box: ReportingScope)
    /// Names, lower case, of the headers that it reads a trace from.
    var traceHeaderNames: [String] { get }
    /// The trace that a request belongs to, by its headers' lower-case names: the caller's, or a new one. Without headers, the process's.
    func trace(_ header: ((String) -> String?)?) -> TraceContext
    /// Headers for an outgoing request, so that the other side joins the trace.
    func traceHeaders(of trace: TraceContext) -> [(name: String, value: String)]
}
