internal import SluiceCore

/// Where an OTLP reporter sends to.
///
/// - SeeAlso: OpenTelemetry Protocol Exporter, <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>
struct OTLPSettings: Sendable {
    var destination: ReportDestination
    /// What is wrong, one line each: the first is an ERROR where nothing can be sent.
    var problems: [ReportDelivery.Problem] = []

    /// - Parameter endpoint: The base URL, to which the signal's path is added.
    init(endpoint: String, headers: [String: String]) {
        let fields = headers.inOrder.map { (name: $0.key, value: $0.value) }
        self.init(Self.logsURL(endpoint), fields, named: "the OTLP endpoint")
    }

    /// Nil where the environment names no endpoint.
    init?(_ environment: Environment) {
        func given(_ name: String) -> String? {
            environment[name].map { String($0.trimmed) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        /// The signal's own variable counts before the one for all signals.
        func exporter(_ name: String) -> String? {
            given("OTEL_EXPORTER_OTLP_LOGS_\(name)") ?? given("OTEL_EXPORTER_OTLP_\(name)")
        }
        guard given("OTEL_SDK_DISABLED")?.lowercased() != "true", given("OTEL_LOGS_EXPORTER")?.lowercased() != "none" else {
            return nil
        }
        let fields = Self.fields(exporter("HEADERS") ?? "")
        if let own = given("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT") {
            self.init(own, fields, named: "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT")
        } else if let base = given("OTEL_EXPORTER_OTLP_ENDPOINT") {
            self.init(Self.logsURL(base), fields, named: "OTEL_EXPORTER_OTLP_ENDPOINT")
        } else {
            return nil
        }
        destination.caCertificates = exporter("CERTIFICATE")
        if let spoken = exporter("PROTOCOL")?.lowercased(), spoken != "http/json" {
            problems.append(
                .warning("OTEL_EXPORTER_OTLP_PROTOCOL: Sluice speaks http/json, not '\(Trim.text(spoken, to: 40))'"))
        }
    }

    private init(_ url: String, _ headers: [(name: String, value: String)], named name: String) {
        destination = ReportDestination(url, headers: headers)
        guard !destination.isUsable else { return }
        problems = [.error("\(name) is no http or https URL; nothing is reported there")]
    }

    private static func logsURL(_ base: String) -> String {
        // What cannot be used is told as it was given.
        guard ReportDestination(base).isUsable else { return base }
        let plain = base.utf8.last == UInt8(ascii: "/") ? String(base.dropLast()) : base
        return plain.hasSuffix("/v1/logs") ? plain : plain + "/v1/logs"
    }

    /// `key1=value1,key2=value2`, percent-encoded as in W3C Baggage. What cannot be read is left out.
    static func fields(_ text: String) -> [(name: String, value: String)] {
        text.split(at: ",").compactMap { member in
            guard let (name, value) = member.cut(at: "=") else { return nil }
            let decoded = PercentEncoding.decode(value.trimmed) ?? String(value.trimmed)
            return name.trimmed.isEmpty ? nil : (String(name.trimmed), decoded)
        }
    }
}
