public import SluiceReporting

/// How errors are reported. What is given here wins over the environment.
///
/// Terms, names and defaults are those of Sentry's SDKs.
public struct ReportOptions: Sendable {
    /// Where reports go; `SENTRY_DSN` when nil. Empty: nothing is sent, and errors are in the log only.
    public var dsn: String?
    /// The version of the app, as `shop@1.4.2`; `SENTRY_RELEASE` when nil.
    public var release: String?
    /// `SENTRY_ENVIRONMENT` when nil, and then `production`.
    public var environment: String?
    /// The build, within a release.
    public var dist: String?
    /// `SENTRY_NAME` when nil, and then the host's name.
    public var serverName: String?
    /// The share of error events that is sent, 0 to 1; `SENTRY_SAMPLE_RATE` when nil, and then 1.
    public var sampleRate: Double?
    /// The share of traces that is sent as transactions, 0 to 1, where the caller has not decided; `SENTRY_TRACES_SAMPLE_RATE` when nil, and
    /// then no spans are sent. One that is not from 0 to 1 is 0, with a warning. For an app with `Tracing()`, or one that makes spans itself,
    /// and without a tracer of its own.
    public var tracesSampleRate: Double?
    /// Breadcrumbs kept for each request; the oldest go first. 0 or less keeps none.
    public var maxBreadcrumbs = 100
    /// Whether bodies, the client's address and headers about it may leave. Secrets are filtered all the same.
    public var sendDefaultPII = false
    /// Whether log records are sent as structured logs, too. As breadcrumbs they are kept either way.
    public var enableLogs = false
    /// Errors whose type, message or `Type: message` contains one of these are not sent.
    public var ignoreErrors: [String] = []
    /// The lowest status of an error that is reported: 400 reports what the client did wrong as well. What is below 400
    /// counts as 400, what is above 500 as 500.
    public var lowestStatus = 500
    /// Sees every error event last and may change it; nil drops it. What it throws drops the event, and so does taking longer than
    /// a second. It runs on a thread of its own, never on a request's.
    public var beforeSend: (@Sendable (ReportEvent) throws -> ReportEvent?)?
    /// Sees every breadcrumb first and may change it; nil drops it. Runs where the breadcrumb is added: keep it short.
    public var beforeBreadcrumb: (@Sendable (Breadcrumb) throws -> Breadcrumb?)?
    /// See every event before ``beforeSend``, in order; nil drops it, and so does a throw. They have one second together with
    /// ``beforeSend``, on the same thread, which is none of a request's.
    public var eventProcessors: [@Sendable (ReportEvent) throws -> ReportEvent?] = []
    /// Whether the server is told what was dropped, and why.
    public var sendClientReports = true
    /// A PEM file with the authorities to trust; `SSL_CERT_FILE` when nil, then `REQUESTS_CA_BUNDLE`, and then the system's.
    public var caCertificates: String?
    /// A proxy's URL; the environment's `https_proxy`, `http_proxy` and `no_proxy` when nil; empty for none.
    public var proxy: String?
    /// Sent to in place of the DSN's host, as given.
    public var tunnel: String?
    /// The organisation's id; from the DSN's host when nil.
    public var organizationID: String?
    /// Whether a trace is continued only when the caller names the same organisation.
    public var strictTraceContinuation = false
    /// Tells each decision of the client on standard error; `SENTRY_DEBUG` when nil.
    public var debug: Bool?

    /// Everything from the environment.
    public init() {}

    /// - Parameter change: Sets what is not to come from the environment.
    public init(_ change: (inout ReportOptions) -> Void) {
        self.init()
        change(&self)
    }
}
