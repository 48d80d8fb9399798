public import Logging
internal import SluiceCore

/// Feeds log records to reports: as breadcrumbs, and with ``ReportOptions/enableLogs`` as Sentry's structured logs.
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
        guard isOn, label != "sluice", let client = current else { return }
        // As a rule nobody wants it.
        guard event.level >= .info || client.settings.options.enableLogs else { return }
        let box = box
        var data = metadata.mapValues(ReportValue.init(metadata:))
        if let error = event.error { data["error"] = .string(String(describing: error)) }
        let level = ReportLevel(event.level)
        // A log entry is filtered here and now, a breadcrumb when its report is made.
        if event.level >= .info {
            client.add(
                Breadcrumb(
                    event.message.description, category: label, type: level == .error ? "error" : nil, level: level, data: data),
                to: box)
        }
        client.log(event, label: label, data: data, box)
    }
}

extension ReportClient {
    func log(_ event: LogEvent, label: String, data: [String: ReportValue], _ box: ScopeBox) {
        guard settings.options.enableLogs, let delivery else { return }
        let trace = trace(of: box)
        var json = JSONWriter(reserving: 512)
        json.object { json in
            json.key("timestamp")
            json.number(WallClock.Instant.now.secondsSinceEpoch)
            json.field("trace_id", trace.traceID)
            let (name, severity) = Self.severity(event.level)
            json.field("level", name)
            json.field("severity_number", severity)
            json.field("body", Trim.text(event.message.description, to: Trim.message))
            json.key("attributes")
            json.object { json in
                var attributes: [String: ReportValue] = [:]
                attributes.reserveCapacity(data.count + 8)
                for (key, value) in data { attributes[key] = scrubber.data(value, name: key) }
                attributes["sentry.environment"] = .string(settings.environment)
                attributes["sentry.release"] = settings.release.map { .string($0) }
                attributes["sentry.sdk.name"] = .string(SDK.current.name)
                attributes["sentry.sdk.version"] = .string(SDK.current.version)
                attributes["sentry.origin"] = "auto.log.swift_log"
                attributes["logger.name"] = .string(label)
                attributes["server.address"] = settings.serverName.map { .string($0) }
                if let id = InvocationScope.current?.requestID { attributes["faas.invocation_id"] = .string(id) }
                for (key, value) in attributes.inOrder { value.writeAttribute(key, to: &json) }
            }
        }
        delivery.submit(LogBuffer.Entry(json: json.bytes, ledger: box.ledger))
    }

    private static func severity(_ level: Logger.Level) -> (String, Int) {
        switch level {
        case .trace: ("trace", 1)
        case .debug: ("debug", 5)
        case .info, .notice: ("info", 9)
        case .warning: ("warn", 13)
        case .error: ("error", 17)
        case .critical: ("fatal", 21)
        }
    }
}

extension ReportValue {
    init(metadata value: Logger.MetadataValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .stringConvertible(let value): self = .string(value.description)
        case .array(let values): self = .array(values.map(ReportValue.init(metadata:)))
        case .dictionary(let values): self = .object(values.mapValues(ReportValue.init(metadata:)))
        }
    }

    /// `"key":{"value":…,"type":…}`.
    func writeAttribute(_ key: String, to json: inout JSONWriter) {
        json.key(key)
        json.object { json in
            json.key("value")
            let type: String
            switch self {
            case .bool: type = "boolean"
            case .integer: type = "integer"
            case .double: type = "double"
            default: type = "string"
            }
            switch self {
            case .bool, .integer, .double, .string: write(to: &json)
            default:
                var nested = JSONWriter()
                write(to: &nested)
                json.string(nested.bytes)
            }
            json.field("type", type)
        }
    }
}

extension ReportLevel {
    init(_ level: Logger.Level) {
        switch level {
        case .trace, .debug: self = .debug
        case .info, .notice: self = .info
        case .warning: self = .warning
        case .error: self = .error
        case .critical: self = .fatal
        }
    }
}
