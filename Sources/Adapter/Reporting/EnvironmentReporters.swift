internal import SluiceCore
internal import SluiceMiddleware
internal import SluiceReporting

#if Sentry
internal import SluiceSentry
#endif

extension CaptureErrors.Reporters {
    /// The reporters themselves.
    ///
    /// - Parameter environment: Names some: `SENTRY_DSN` Sentry's, `OTEL_EXPORTER_OTLP_ENDPOINT` or
    ///   `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT` OTLP's.
    func resolved(_ environment: Environment) -> [any ErrorReporter] {
        let all =
            switch self {
            case .these(let reporters): reporters
            case .ofEnvironment: Self.named(in: environment)
            case .ofEnvironmentBut(let reporter):
                [reporter] + Self.named(in: environment).filter { type(of: $0) != type(of: reporter) }
            }
        #if Sentry
        // One that nobody has given a DSN has nothing to do, and costs nothing then.
        return all.filter { ($0 as? SentryReporter)?.hasDSN(environment) ?? true }
        #else
        return all
        #endif
    }

    private static func named(in environment: Environment) -> [any ErrorReporter] {
        var reporters: [any ErrorReporter] = []
        #if Sentry
        if environment["SENTRY_DSN"]?.isEmpty == false { reporters.append(SentryReporter()) }
        #endif
        if let reporter = OTLPReporter(environment: environment) { reporters.append(reporter) }
        return reporters
    }
}
