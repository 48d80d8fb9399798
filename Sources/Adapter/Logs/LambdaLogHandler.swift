public import Logging
internal import SluiceReporting
internal import SluiceCore

/// Writes records in Lambda's JSON or text format to standard error, one `write(2)` each.
///
/// The request id and the tenant come from the invocation that the current task works for. `run()` installs it; to use it
/// in a bootstrap of your own, as one of several handlers: `LoggingSystem.bootstrap { LambdaLogHandler(label: $0) }`.
public struct LambdaLogHandler: LogHandler {
    /// What every record of this logger carries, under `metadata` in JSON and as `key=value` in text.
    public var metadata: Logger.Metadata = [:]
    /// Records below it are dropped by swift-log.
    public var logLevel: Logger.Level
    /// Asked at each record; what it gives goes below the record's own metadata.
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let isJSON: Bool
    private let sink: LogSink
    private let now: @Sendable () -> WallClock.Instant
    private let feedsReports: Bool

    /// - Parameters:
    ///   - label: The logger's label.
    ///   - level: The lowest level that is written.
    ///   - json: Whether records are JSON objects, as under `AWS_LAMBDA_LOG_FORMAT=JSON`, or lines of four or five fields.
    public init(label: String, json: Bool = false, level: Logger.Level = .info) {
        self.init(label: label, json: json, level: level, feedsReports: false)
    }

    /// - Parameter feedsReports: Whether records are breadcrumbs and structured logs too, as by ``ReportLogHandler``.
    init(
        label: String, json: Bool, level: Logger.Level, feedsReports: Bool, sink: LogSink = .standardError,
        now: @escaping @Sendable () -> WallClock.Instant = { .now }
    ) {
        self.feedsReports = feedsReports
        self.label = label
        self.isJSON = json
        self.logLevel = level
        self.sink = sink
        self.now = now
    }

    /// One entry of ``metadata``.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one record, with one `write(2)`.
    public func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let context = InvocationScope.current?.state.logContext { all.merge(context) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        let record = LogRecord(
            time: Timestamp.text(now()), level: LogLevel.name(event.level), label: label,
            message: event.message.description, error: event.error, metadata: all, scope: InvocationScope.current)
        sink.send(isJSON ? record.json : record.text)
        if feedsReports { Reports.take(event, label: label, metadata: all) }
    }
}
