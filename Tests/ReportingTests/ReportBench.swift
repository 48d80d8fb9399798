import Foundation
import Logging
import SluiceTestSupport
import Synchronization

@testable import SluiceReporting

/// A mock server, a spool folder, and clients of its own: nothing of the process's is used, so tests may run side by side.
final class ReportBench: Sendable {
    let ingest: MockIngest
    /// What `SLUICE_SPOOL` says.
    let spoolRoot: String
    /// The records of the clients' logger, as `warning: text`.
    let records = Collected<String>()
    let box = ScopeBox()

    init(spoolRoot: String? = nil, verdict: @escaping @Sendable (Int) -> MockIngest.Verdict = { _ in .answer(200) }) {
        ingest = MockIngest(verdict: verdict)
        self.spoolRoot = spoolRoot ?? NSTemporaryDirectory() + "sluice-test-" + UUID().uuidString
    }

    deinit {
        ingest.stop()
        // Not there where nothing was captured.
        try? FileManager.default.removeItem(atPath: spoolRoot)
    }

    func client(_ change: (inout ReportOptions) -> Void = { _ in }) -> ReportClient {
        let records = records
        let logger = Logger(label: "sluice") { _ in RecordingHandler(records: records) }
        var options = ReportOptions()
        options.proxy = ""  // whatever this machine's environment says
        change(&options)
        return ReportClient(
            options, environment: ["SENTRY_DSN": ingest.dsn, "SLUICE_SPOOL": spoolRoot], logger: logger)
    }

    /// The spool's files, oldest first.
    var spooled: [String] { spool?.list().map(\.name) ?? [] }
    var spool: Spool? { (try? DSN(ingest.dsn)).map { Spool(root: spoolRoot, destination: $0.destination) } }

    var ledger: ReportLedger { box.ledger.now }

    struct RecordingHandler: LogHandler {
        let records: Collected<String>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { records.add("\(event.level): \(event.message)") }
    }
}

extension ReportClient {
    /// Captures a message in a scope.
    @discardableResult
    func capture(_ message: String, in box: ScopeBox, level: ReportLevel = .error) -> String {
        var event = ReportEvent(level: level)
        event.message = message
        return capture(event, box.scope, box)
    }

    /// A log entry whose body is `text`.
    func log(_ text: String, in box: ScopeBox) {
        let json = #"{"timestamp":1.5,"trace_id":"0123456789abcdef0123456789abcdef","level":"info","body":"\#(text)"}"#
        delivery?.submit(
            LogBuffer.Entry(json: Array(json.utf8), ledger: box.ledger))
    }

    /// As `FlushReports` does before the reply.
    func flush(_ box: ScopeBox, within limit: Duration = .seconds(20)) async {
        await delivery?.flush(box.ledger, drains: false, within: limit)
    }

    /// As the worker does after the reply.
    func settle(_ box: ScopeBox, within limit: Duration = .seconds(20)) async {
        await delivery?.flush(box.ledger, drains: true, within: limit)
    }

    /// Reply after reply until `isDone`: a probe waits until it is due, and somebody must ask for it.
    func settle(_ box: ScopeBox, until isDone: () -> Bool) async {
        while !isDone(), !Task.isCancelled {
            await settle(box)
            await Task.yield()
        }
    }
}

/// A point that all of a number of tasks must reach before any goes on.
final class Barrier: Sendable {
    private let gate = Gate()
    private let left: Atomic<Int>

    init(_ count: Int) { left = Atomic(count) }

    func wait() async {
        if left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { gate.open() }
        await gate.wait()
    }
}

struct Boom: Error {}
