internal import SluiceCore

/// What every record of a process says of where it runs.
///
/// - SeeAlso: OpenTelemetry's semantic conventions for resources: `service.*`, `faas.*`, `cloud.*`, `host.*`, `telemetry.sdk.*`.
struct OTLPResource: Sendable {
    private(set) var attributes: [String: ReportValue] = [:]

    init(_ environment: Environment) {
        func given(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        func set(_ name: String, _ value: String?) { if let value { attributes[name] = .string(value) } }
        let function = given("AWS_LAMBDA_FUNCTION_NAME")
        set("service.name", function ?? "unknown_service")
        set("faas.name", function)
        set("faas.version", given("AWS_LAMBDA_FUNCTION_VERSION"))
        set("faas.instance", given("AWS_LAMBDA_LOG_STREAM_NAME"))
        if let memory = given("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").flatMap({ Int($0) }) {
            attributes["faas.max_memory"] = .integer(memory << 20)
        }
        if function != nil {
            set("cloud.provider", "aws")
            set("cloud.platform", "aws_lambda")
        }
        set("cloud.region", given("AWS_REGION"))
        if let group = given("AWS_LAMBDA_LOG_GROUP_NAME") { attributes["aws.log.group.names"] = [.string(group)] }
        if let stream = given("AWS_LAMBDA_LOG_STREAM_NAME") { attributes["aws.log.stream.names"] = [.string(stream)] }
        set("host.arch", ReportContexts.architecture == "x86_64" ? "amd64" : ReportContexts.architecture)
        set("os.type", "linux")
        set("process.runtime.name", "swift")
        set("telemetry.sdk.name", "sluice")
        set("telemetry.sdk.language", "swift")
        set("telemetry.sdk.version", Version.current)
        // What the operator says counts more than what we found.
        for (name, value) in OTLPSettings.fields(given("OTEL_RESOURCE_ATTRIBUTES") ?? "") { set(name, value) }
        set("service.name", given("OTEL_SERVICE_NAME"))
    }
}
