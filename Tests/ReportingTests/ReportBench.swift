import SluiceTestSupport
import Synchronization
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

/// A mock server, a spool folder, and clients of its own: nothing of the process's is used, so tests may run side by side.
final class ReportBench: Sendable {
    let ingest: MockIngest
    /// What `SLUICE_SPOOL` says. Nobody has made it yet.
    let spoolRoot: String
    /// The records of the clients' logger.
    let records: LogRecords
    /// The request that reports are about.
    let box = ReportingScope()
    /// What is on every report of the clients.
    let process = ReportingScope()
    private let folder = TemporaryFolder()

    init(
        spoolRoot: String? = nil, records: LogRecords = LogRecords(),
        verdict: @escaping @Sendable (Int) -> MockIngest.Verdict = { _ in .answer(200) }
    ) {
        self.records = records
        ingest = MockIngest(verdict: verdict)
        self.spoolRoot = spoolRoot ?? folder.path + "/spool"
    }

    deinit { ingest.stop() }

    /// - Parameter environment: In addition to a DSN of the server's and a spool of its own.
    func client(_ environment: [String: String] = [:], _ change: (inout ReportOptions) -> Void = { _ in }) -> SentryClient {
        var options = ReportOptions()
        options.proxy = ""  // whatever this machine's environment says
        change(&options)
        let all = ["SENTRY_DSN": ingest.dsn, "SLUICE_SPOOL": spoolRoot].merging(environment) { _, given in given }
        return SentryClient(
            options, ReportingProcess(environment: Environment(all), logger: records.logger, scope: process))
    }

    /// The spool's files, oldest first.
    var spooled: [String] { (try? spool?.list().map(\.name)) ?? [] }
    var spool: Spool? { (try? DSN(ingest.dsn)).map { Spool(root: spoolRoot, destination: $0.destination) } }

    var ledger: ReportLedger { box.ledger.now }
}

extension SentryClient {
    /// A delivery like this client's, which nobody has started.
    func idleDelivery(wake: WakeUp? = try? WakeUp()) throws -> Delivery {
        let delivery = try #require(delivery)
        return Delivery(
            to: delivery.destination, as: delivery.format, spoolRoot: process.spoolRoot, diagnostics, wake: wake)
    }

    /// As `Reports.addBreadcrumb` does.
    func add(_ breadcrumb: Breadcrumb, to box: ReportingScope) {
        guard let breadcrumb = settings.options.changed(breadcrumb) else { return }
        box.add(breadcrumb, limit: settings.options.maxBreadcrumbs)
    }

    /// Captures a message in a scope.
    @discardableResult
    func capture(_ message: String, in box: ReportingScope, level: ReportLevel = .error) -> String {
        var event = ReportEvent(level: level)
        event.message = message
        return capture(event, box.scope, box)
    }

    /// A log entry whose body is `text`.
    func log(_ text: String, in box: ReportingScope) {
        let json = #"{"timestamp":1.5,"trace_id":"0123456789abcdef0123456789abcdef","level":"info","body":"\#(text)"}"#
        delivery?.submit(
            LogBuffer.Entry(Array(json.utf8), ledger: box.ledger))
    }

    /// As `FlushReports` does before the reply.
    func flush(_ box: ReportingScope, within limit: Duration = .seconds(20)) async {
        await delivery?.flush(box.ledger, drains: false, within: limit)
    }

    /// As the worker does after the reply.
    func settle(_ box: ReportingScope, within limit: Duration = .seconds(20)) async {
        await delivery?.flush(box.ledger, drains: true, within: limit)
    }

    /// Reply after reply until `isDone`: a probe waits until it is due, and somebody must ask for it.
    func settle(_ box: ReportingScope, until isDone: () -> Bool) async {
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
