internal import SluiceCore
internal import SluiceReporting

/// Options and environment, taken together and checked.
struct SentrySettings: Sendable {
    var options: ReportOptions
    /// Nil: nothing is sent.
    var dsn: DSN?
    /// Why there is no DSN though one was given; never has a key in it.
    var dsnProblem: DSNError?
    var release: String?
    var environment: String
    var serverName: String?
    var sampleRate: Double
    /// Nil: no transaction is sent.
    var tracesSampleRate: Double?
    var isDebug: Bool
    var caFile: String?
    var organizationID: String?
    /// What was ignored, one line each.
    var warnings: [String] = []

    init(_ options: ReportOptions, _ environment: Environment) {
        func given(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        self.options = options
        let text = (options.dsn ?? environment["SENTRY_DSN"])?.trimmed ?? ""
        if !text.isEmpty {
            do throws(DSNError) { dsn = try DSN(String(text)) } catch { dsnProblem = error }
        }
        var warnings: [String] = []
        func checked(_ name: String, _ value: String?, _ check: (String?) -> String?) -> String? {
            guard let value, !value.isEmpty else { return nil }
            if let good = check(value) { return good }
            warnings.append("\(name): '\(Trim.text(value, to: 80))' is not accepted by the protocol; left out")
            return nil
        }
        func present(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : $0 } }
        release = checked("release", present(options.release) ?? given("SENTRY_RELEASE"), Field.release)
        self.environment =
            checked("environment", present(options.environment) ?? given("SENTRY_ENVIRONMENT"), Field.environment)
            ?? "production"
        serverName = options.serverName ?? given("SENTRY_NAME")
        func rate(_ name: String, _ option: Double?, _ variable: String, outOfRange other: Int) -> Double? {
            let text = option == nil ? given(variable) : nil
            guard let rate = option ?? text.flatMap(Double.init) else {
                if let text { warnings.append("\(name): '\(Trim.text(text, to: 80))' is not a number; left out") }
                return nil
            }
            if (0...1).contains(rate) { return rate }
            warnings.append("\(name): \(rate) is not from 0 to 1; using \(other)")
            return Double(other)
        }
        sampleRate = rate("sample rate", options.sampleRate, "SENTRY_SAMPLE_RATE", outOfRange: 1) ?? 1
        tracesSampleRate = rate("traces sample rate", options.tracesSampleRate, "SENTRY_TRACES_SAMPLE_RATE", outOfRange: 0)
        let debug = given("SENTRY_DEBUG")?.lowercased() ?? ""
        isDebug = options.debug ?? ["1", "true", "t", "y", "yes", "on"].contains(debug)
        caFile = options.caCertificates ?? given("SSL_CERT_FILE") ?? given("REQUESTS_CA_BUNDLE")
        organizationID = options.organizationID ?? dsn?.organizationID
        self.warnings = warnings
    }

    /// Where envelopes go.
    func destination(_ dsn: DSN) -> ReportDestination {
        var destination = ReportDestination(options.tunnel ?? dsn.envelopeURL)
        if options.tunnel == nil { destination.headers.append((name: "X-Sentry-Auth", value: dsn.authorization())) }
        destination.caCertificates = caFile
        destination.proxy = options.proxy
        destination.identity = dsn.destination
        destination.userAgent = SDK.current.userAgent
        destination.limitsHeader = "x-sentry-rate-limits"
        return destination
    }
}
