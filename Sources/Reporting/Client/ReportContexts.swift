package import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What every report of this process says of where it runs: read once.
package struct ReportContexts: Sendable {
    package private(set) var contexts: [String: [String: ReportValue]] = [:]
    private let region: String?
    private let log: (group: String, stream: String)?
    private let function: (name: String, version: String)?
    package let hostName: String?

    package init(_ environment: Environment, startedAt: WallClock.Instant) {
        func given(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        region = given("AWS_REGION")
        log = given("AWS_LAMBDA_LOG_GROUP_NAME").flatMap { group in given("AWS_LAMBDA_LOG_STREAM_NAME").map { (group, $0) } }
        function = given("AWS_LAMBDA_FUNCTION_NAME").map { ($0, given("AWS_LAMBDA_FUNCTION_VERSION") ?? "") }
        var system = utsname()
        uname(&system)
        let kernel = String(cField: &system.release) ?? ""
        hostName = String(cField: &system.nodename)
        contexts["runtime"] = ["name": "swift", "version": .string(Self.swiftVersion)]
        contexts["os"] = Self.distribution().merging(["kernel_version": .string(kernel)]) { old, _ in old }
        contexts["device"] = [
            "arch": .string(Self.architecture), "processor_count": .integer(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))),
        ]
        if let memory = given("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").flatMap({ Int($0) }) {
            contexts["device"]?["memory_size"] = .integer(memory << 20)
        }
        contexts["app"] = ["app_start_time": .string(Timestamp.text(startedAt))]
        if let function { contexts["app"]?["app_name"] = .string(function.name) }
        if let type = given("AWS_LAMBDA_INITIALIZATION_TYPE") { contexts["app"]?["start_type"] = .string(type) }
        if let region {
            contexts["cloud_resource"] = [
                "cloud.provider": "aws", "cloud.platform": "aws_lambda", "cloud.region": .string(region),
            ]
        }
    }

    /// What is to be said of one invocation, as things are now.
    package func contexts(of scope: InvocationScope) -> [String: [String: ReportValue]] {
        guard let facts = scope.platform as? any ReportedPlatform else { return [:] }
        let now = WallClock.Instant.now
        var lambda: [String: ReportValue] = [
            "aws_request_id": .string(scope.requestID), "invoked_function_arn": .string(facts.functionARN),
            "execution_duration_in_millis": .integer(facts.arrival.duration(to: now).milliseconds),
            "cold_start": .bool(facts.isColdStart),
        ]
        if let deadline = scope.deadline {
            lambda["remaining_time_in_millis"] = .integer(now.duration(to: deadline).milliseconds)
        }
        if let function {
            lambda["function_name"] = .string(function.name)
            lambda["function_version"] = .string(function.version)
        }
        if let trace = scope.traceID { lambda["xray_trace_id"] = .string(trace) }
        if let tenant = scope.tenantID { lambda["tenant_id"] = .string(tenant) }
        var contexts = ["aws.lambda": lambda]
        if let log {
            var values: [String: ReportValue] = ["log_group": .string(log.group), "log_stream": .string(log.stream)]
            if let region { values["url"] = .string(Self.logURL(region, log.group, log.stream, scope.requestID)) }
            contexts["aws.cloudwatch.logs"] = values
        }
        let account = facts.functionARN.split(at: ":", omittingEmptySubsequences: false)
        if account.count > 4, !account[4].isEmpty, var cloud = self.contexts["cloud_resource"] {
            cloud["cloud.account.id"] = .string(String(account[4]))
            contexts["cloud_resource"] = cloud
        }
        return contexts
    }

    private static func logURL(_ region: String, _ group: String, _ stream: String, _ id: String) -> String {
        let host =
            region.hasPrefix("cn-")
            ? "console.amazonaws.cn" : region.hasPrefix("us-gov-") ? "console.amazonaws-us-gov.com" : "console.aws.amazon.com"
        return
            "https://\(host)/cloudwatch/home?region=\(region)#logsV2:log-groups/log-group/\(PercentEncoding.unreserved(group))"
            + "/log-events/\(PercentEncoding.unreserved(stream))?filterPattern=\"\(id)\""
    }

    #if arch(x86_64)
    package static let architecture = "x86_64"
    #elseif arch(arm64)
    package static let architecture = "arm64"
    #else
    package static let architecture = "unknown"
    #endif

    #if compiler(>=6.4)
    private static let swiftVersion = "6.4"
    #elseif compiler(>=6.3)
    private static let swiftVersion = "6.3"
    #else
    private static let swiftVersion = "6.2"
    #endif

    /// What `/etc/os-release` says.
    private static func distribution() -> [String: ReportValue] {
        guard let file = fopen("/etc/os-release", "re") else { return ["name": "Linux"] }
        defer { fclose(file) }
        var found: [String: ReportValue] = ["name": "Linux"]
        var line = [CChar](repeating: 0, count: 512)
        while fgets(&line, CInt(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let parts = text.split(at: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = String(parts[1].filter { $0 != "\"" && $0 != "\n" })
            switch parts[0] {
            case "NAME": found["name"] = .string(value)
            case "VERSION_ID": found["version"] = .string(value)
            default: break
            }
        }
        return found
    }
}

/// What a platform's scope tells reports of its invocation.
package protocol ReportedPlatform: PlatformScope {
    /// The function's ARN, with the alias or version that was invoked.
    var functionARN: String { get }
    /// When the invocation was handed out.
    var arrival: WallClock.Instant { get }
    /// Whether it is the first one of its process.
    var isColdStart: Bool { get }
}
