import Foundation
import Logging
import SluiceTestSupport
import Synchronization
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

/// A bench with one client, and words for what most tests do with it.
final class TestClient: Sendable {
    private let bench = ReportBench()
    let client: SentryClient

    var ingest: MockIngest { bench.ingest }
    var records: LogRecords { bench.records }
    var box: ReportingScope { bench.box }
    var process: ReportingScope { bench.process }

    init(_ environment: [String: String] = [:], options change: (inout ReportOptions) -> Void = { _ in }) {
        client = bench.client(environment, change)
    }

    /// The envelopes in the spool, at this moment.
    var spooled: [[UInt8]] { bench.spooled.compactMap { try? bench.spool?.read($0) } }

    @discardableResult
    func capture(_ event: ReportEvent, source: (any Error)? = nil) -> String {
        client.capture(event, box.scope, box, source: source)
    }

    @discardableResult
    func capture(_ error: any Error) -> String { capture(event(of: error), source: error) }

    func event(of error: any Error) -> ReportEvent {
        var event = ReportEvent(level: .error)
        event.exceptions = ReportEvent.exceptions(of: error, mechanism: "auto.http.lambda", isHandled: false)
        return event
    }

    func message(_ text: String) -> ReportEvent {
        var event = ReportEvent(level: .info)
        event.message = text
        return event
    }

    /// Delivers all that was captured.
    ///
    /// - Returns: Every envelope that has arrived so far.
    @discardableResult
    func flush() async throws -> [EnvelopeView] {
        await client.settle(box)
        return try ingest.envelopes()
    }

    /// Captures the event and delivers it.
    ///
    /// - Returns: The item's payload as the server has it.
    func delivered(_ event: ReportEvent) async throws -> JSONView {
        capture(event)
        return try await deliveredEvents().last ?? { throw Missing() }()
    }

    func deliveredEvents() async throws -> [JSONView] {
        try await flush()
        return try ingest.events()
    }
}

struct Missing: Error {}

struct Plain: Error, CustomStringConvertible {
    var description = "it did not work"
}

struct Wrapper: CausedError, CustomStringConvertible {
    var description: String
    var cause: (any Error)?
}

/// Gives `body` the process's own reporting, alone, with its reports going to a server of the test's own.
func withReports<R>(
    _ change: (inout ReportOptions) -> Void = { _ in }, _ body: (MockIngest, Reporters) async throws -> R
) async rethrows -> R {
    var options = ReportOptions { $0.proxy = "" }
    change(&options)
    return try await Turnstile.reports.alone {
        let (ingest, folder, records) = (MockIngest(), TemporaryFolder(), LogRecords())
        let reporters = Reporters(records.logger, [SentryReporter(options)])
        Reports.start(
            reporters, environment: ["SENTRY_DSN": ingest.dsn, "SLUICE_SPOOL": folder.path], logger: records.logger)
        Reports.begin()
        defer {
            Reports.stop()
            ingest.stop()
            withExtendedLifetime(folder) {}
        }
        return try await body(ingest, reporters)
    }
}

/// Log records, kept.
final class LogRecords: Sendable {
    private let kept = Mutex<[(level: Logger.Level, text: String)]>([])
    private let onRecord: @Sendable (String) -> Void

    /// - Parameter onRecord: Called with each record's text, where it is written; it may block there.
    init(onRecord: @escaping @Sendable (String) -> Void = { _ in }) { self.onRecord = onRecord }

    var all: [(level: Logger.Level, text: String)] { kept.withLock { $0 } }
    var texts: [String] { all.map(\.text) }
    /// As `warning: text`.
    var lines: [String] { all.map { "\($0.level): \($0.text)" } }

    var logger: Logger { Logger(label: "test") { _ in Handler(records: self) } }

    private struct Handler: LogHandler {
        let records: LogRecords
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            records.kept.withLock { $0.append((event.level, event.message.description)) }
            records.onRecord(event.message.description)
        }
    }
}

extension Sequence<UInt8> {
    /// Whether the text's bytes occur in it.
    func contains(text: String) -> Bool { Data(self).range(of: Data(text.utf8)) != nil }
}
