#if Sentry
public import SluiceMiddleware
public import SluiceSentry

extension CaptureErrors {
    /// As ``init(returnedServerErrors:)``, with options for Sentry, which win over the environment's `SENTRY_*`.
    ///
    /// - Parameters:
    ///   - options: How errors are reported to Sentry; nil takes all of it from the environment.
    ///   - returnedServerErrors: Whether a response of 500 or more that nobody threw is a failure too.
    public init(_ options: ReportOptions?, returnedServerErrors: Bool = true) {
        self.init(
            options.map { .ofEnvironmentBut(SentryReporter($0)) } ?? .ofEnvironment,
            returnedServerErrors: returnedServerErrors)
    }
}
#endif
