public import SluiceCore
internal import Synchronization

/// Reports failures over OTLP: a log record for each, as OpenTelemetry's conventions have it, to a collector or to whoever speaks its
/// protocol. The reporter that an app has where `OTEL_EXPORTER_OTLP_ENDPOINT` is set.
///
/// Bodies are JSON over HTTP. The protocol has no id by which a server takes a record once: each has the attribute
/// `log.record.uid`, and one that was repeated after a connection died is known by it.
///
/// - SeeAlso: OTLP 1.x, <https://opentelemetry.io/docs/specs/otlp/>; semantic conventions for exceptions in logs.
public struct OTLPReporter: DeliveredReporter {
    /// Delivers the records.
    public let delivery: ReportDelivery

    /// - Parameters:
    ///   - endpoint: The server's base URL, `http` or `https`, as `http://localhost:4318`: `/v1/logs` is put behind it where it
    ///     does not end so. A URL that cannot be used is one ERROR record when the app starts, and nothing is sent.
    ///   - headers: Headers of each request: a key, say.
    ///
    /// The resource is what Lambda's variables say of the function, and what `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`
    /// do. Personal data is never sent.
    public init(endpoint: String, headers: [String: String] = [:]) {
        self.init(OTLPSettings(endpoint: endpoint, headers: headers))
    }

    /// What the environment says: the variables `OTEL_EXPORTER_OTLP_*`, `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`.
    ///
    /// - Returns: Nil where it names no endpoint, or where `OTEL_SDK_DISABLED` is `true`.
    package init?(environment: Environment) {
        guard let settings = OTLPSettings(environment) else { return nil }
        self.init(settings)
    }

    private init(_ settings: OTLPSettings) {
        delivery = ReportDelivery(to: settings.destination, as: OTLPFormat(), name: "otlp", problems: settings.problems)
    }

    /// Makes a log record of the failure: it is on disk when this returns, where the spool takes it.
    public func capture(_ failure: Failure) {
        if let event = ReportEvent(failure) { delivery.submit(event) }
    }
}
