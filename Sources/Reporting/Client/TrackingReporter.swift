package import Logging
package import SluiceCore

/// A reporter of ours that lives as long as the reporting, and has a say in what scopes keep.
package protocol TrackingReporter: ErrorReporter {
    /// Reports may leave from here on. Called once, when there is time for it.
    func begin(_ process: ReportingProcess)
    /// Nothing leaves any more.
    func end()
    /// Breadcrumbs that it wants kept for each request.
    var breadcrumbLimit: Int { get }
    /// Sees every breadcrumb first; nil drops it.
    func changed(_ breadcrumb: Breadcrumb) -> Breadcrumb?
    /// Takes one log record, its metadata merged already.
    func take(_ record: LogEvent, label: String, data: [String: ReportValue], _ box: ScopeBox)
    /// The trace that a request belongs to, by its headers' lower-case names: the caller's, or a new one.
    func trace(_ header: (String) -> String?) -> TraceContext
    /// Headers for an outgoing request, so that the other side joins the trace.
    func traceHeaders(of trace: TraceContext) -> [(name: String, value: String)]
}
