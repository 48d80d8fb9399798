public import Logging
internal import SluiceCore

/// Feeds log records to reports: as breadcrumbs, and as structured logs where a reporter's options ask for those.
///
/// `run()` does this with the backend it installs. With a bootstrap of your own, make it one of several handlers:
/// `LoggingSystem.bootstrap { MultiplexLogHandler([MyHandler(label: $0), ReportLogHandler(label: $0)]) }`.
public struct ReportLogHandler: LogHandler {
    /// What every record of this logger carries.
    public var metadata: Logger.Metadata = [:]
    /// Records below it are no breadcrumbs.
    public var logLevel: Logger.Level = .info
    /// Asked at each record.
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String

    /// - Parameter label: The logger's label; Sluice's own records (`sluice`) are left out, as they are reports already.
    public init(label: String) { self.label = label }

    /// One entry of ``metadata``.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Takes one record.
    public func log(event: LogEvent) {
        guard Reports.isOn else { return }
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        Reports.take(event, label: label, metadata: all)
    }
}

extension Reports {
    /// One log record, its metadata merged already.
    package static func take(_ event: LogEvent, label: String, metadata: Logger.Metadata) {
        guard label != "sluice", let hub, isOn else { return }
        // As a rule nobody wants what is below `info`; who does is asked below.
        guard event.level >= .info || !hub.tracking.isEmpty else { return }
        var data = metadata.mapValues(ReportValue.init(metadata:))
        if let error = event.error { data["error"] = .string(String(describing: error)) }
        // A log entry is filtered here and now, a breadcrumb when its report is made.
        if event.level >= .info {
            let level = ReportLevel(event.level)
            addBreadcrumb(
                Breadcrumb(
                    event.message.description, category: label, type: level == .error ? "error" : nil, level: level, data: data)
            )
        }
        guard let currentScope else { return }
        for reporter in hub.tracking { reporter.take(event, label: label, data: data, currentScope) }
    }
}

extension ReportValue {
    package init(metadata value: Logger.MetadataValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .stringConvertible(let value): self = .string(value.description)
        case .array(let values): self = .array(values.map(ReportValue.init(metadata:)))
        case .dictionary(let values): self = .object(values.mapValues(ReportValue.init(metadata:)))
        }
    }
}
