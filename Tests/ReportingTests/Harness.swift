import Foundation
import Logging
import SluiceTestSupport
import Synchronization
import Testing

@testable import SluiceReporting

/// A client of its own, whose reports go to a server of the test's own.
final class TestClient: Sendable {
    let ingest: MockIngest
    let client: ReportClient
    let records = LogRecords()
    /// The request that reports are about, unless another one is given.
    let box: ScopeBox
    /// What is on every report: of this client, so that tests do not see each other's.
    let process = ScopeBox()
    private let folder: String

    /// - Parameters:
    ///   - environment: In addition to a DSN of the server's and a spool of its own.
    ///   - verdict: What the server does with each request.
    init(
        _ environment: [String: String] = [:], box: ScopeBox = ScopeBox(),
        options change: (inout ReportOptions) -> Void = { _ in },
        verdict: @escaping @Sendable (Int) -> MockIngest.Verdict = { _ in .answer(200) }
    ) {
        ingest = MockIngest(verdict: verdict)
        self.box = box
        folder = FileManager.default.temporaryDirectory.path + "/sluice-test-" + UUID().uuidString
        var options = ReportOptions()
        options.proxy = ""  // whatever this machine's environment says
        change(&options)
        let all = ["SENTRY_DSN": ingest.dsn, "SLUICE_SPOOL": folder].merging(environment) { _, given in given }
        client = ReportClient(options, environment: all, logger: records.logger, process: process)
    }

    deinit {
        ingest.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// The files in the spool, at this moment.
    var spooled: [[UInt8]] {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".envelope") }.compactMap { FileManager.default.contents(atPath: folder + "/" + $0) }
            .map { [UInt8]($0) }
    }

    @discardableResult
    func capture(_ event: ReportEvent, source: (any Error)? = nil) -> String {
        client.capture(event, box.scope, box, source: source)
    }

    @discardableResult
    func capture(_ error: any Error) -> String { capture(event(of: error), source: error) }

    func event(of error: any Error) -> ReportEvent {
        client.event(of: error, level: .error, mechanism: "auto.http.lambda", isHandled: false, site: nil)
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
        await client.delivery?.flush(box.ledger, drains: true, within: .seconds(20))
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

/// Log records, kept.
final class LogRecords: Sendable {
    private let kept = Mutex<[(level: Logger.Level, text: String)]>([])

    var all: [(level: Logger.Level, text: String)] { kept.withLock { $0 } }
    var texts: [String] { all.map(\.text) }

    var logger: Logger { Logger(label: "test") { _ in Handler(records: self) } }

    private struct Handler: LogHandler {
        let records: LogRecords
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { records.kept.withLock { $0.append((event.level, event.message.description)) } }
    }
}

extension Sequence<UInt8> {
    /// Whether the text's bytes occur in it.
    func contains(text: String) -> Bool { Data(self).range(of: Data(text.utf8)) != nil }
}
