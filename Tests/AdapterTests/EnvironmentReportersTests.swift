import SluiceTestSupport
import Testing

@testable import Sluice
@testable import SluiceCore
@testable import SluiceMiddleware
@testable import SluiceReporting
@testable import SluiceSentry

/// Who hears of failures, by what the environment and the app say.
@Suite struct EnvironmentReportersTests {
    private static let dsn = ["SENTRY_DSN": "https://k@sentry.example/1"]
    private static let otlp = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"]

    private func names(_ reporters: CaptureErrors.Reporters, _ environment: [String: String]) -> [String] {
        reporters.resolved(Environment(environment)).map { String(describing: type(of: $0)) }
    }

    @Test(
        "the environment names Sentry's, OTLP's, both or none",
        arguments: [
            ([:], []), (dsn, ["SentryReporter"]), (otlp, ["OTLPReporter"]),
            (dsn.merging(otlp) { $1 }, ["SentryReporter", "OTLPReporter"]), (["SENTRY_DSN": "  "], []),
            (["SENTRY_DSN": "no DSN"], ["SentryReporter"]),
        ] as [([String: String], [String])])
    func environment(_ environment: [String: String], expected: [String]) {
        #expect(names(.ofEnvironment, environment) == expected)
    }

    @Test("options for Sentry are in the place of the environment's, and switch it off with an empty DSN; OTLP's stays")
    func options() {
        let both = Self.dsn.merging(Self.otlp) { $1 }
        #expect(names(.ofEnvironmentBut(SentryReporter(ReportOptions())), both) == ["SentryReporter", "OTLPReporter"])
        #expect(names(.ofEnvironmentBut(SentryReporter(ReportOptions { $0.dsn = "" })), both) == ["OTLPReporter"])
        #expect(names(.ofEnvironmentBut(SentryReporter(ReportOptions())), [:]) == [])
        #expect(names(.ofEnvironmentBut(SentryReporter(ReportOptions { $0.dsn = "https://k@h/1" })), [:]) == ["SentryReporter"])
    }

    @Test("what the app gives are all there are, whatever the environment names")
    func given() {
        #expect(names(.these([OTLPReporter(endpoint: "http://c")]), Self.dsn) == ["OTLPReporter"])
        #expect(names(.these([]), Self.dsn) == [])
    }
}
