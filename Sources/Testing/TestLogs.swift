public import Logging
internal import SluiceCore
internal import Synchronization

/// One log record.
public struct TestRecord: Sendable {
    /// Its level.
    public let level: Logger.Level
    /// The label of its logger.
    public let label: String
    /// Its text.
    public let message: String
    /// What goes with it, that of its logger and of its request included.
    public let metadata: Logger.Metadata
    /// The error that it tells of; nil where it tells of none.
    public let error: (any Error)?
}

/// The process's logging system, while tests have it: records go to the client whose request they belong to, others to standard error.
enum TestLogs {
    final class Records: Sendable {
        private let kept = Mutex<[TestRecord]>([])
        var values: [TestRecord] { kept.withLock(\.self) }
        func add(_ record: TestRecord) { kept.withLock { $0.append(record) } }
        func reset() { kept.withLock { $0 = [] } }
    }

    /// Those of the client for which the current task works.
    @TaskLocal static var current: Records?

    /// Takes the logging system, once, unless somebody has it already: swift-log stops the process at a second bootstrap.
    static func take() { _ = taken }

    private static let taken: Bool = {
        guard Logger(label: "probe").handler is StreamLogHandler else { return false }
        LoggingSystem.bootstrap { TestLogHandler(label: $0, records: nil) }
        return true
    }()
}

/// Keeps records, for the client that is given or the one of the current task.
struct TestLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    var metadataProvider: Logger.MetadataProvider?
    let label: String
    let records: TestLogs.Records?

    init(label: String, records: TestLogs.Records?) {
        self.label = label
        self.records = records
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        guard let records = records ?? TestLogs.current else {
            guard event.level >= .info else { return }
            return StreamLogHandler.standardError(label: label).log(event: event)
        }
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        all.merge(InvocationScope.current?.state.logContext ?? [:]) { _, new in new }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        records.add(
            TestRecord(level: event.level, label: label, message: event.message.description, metadata: all, error: event.error))
    }
}
