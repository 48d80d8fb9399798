internal import SluiceCore
internal import SluiceReporting

/// A variable whose value cannot be used; stops start-up.
public struct SettingsError: Error, Equatable, CustomStringConvertible {
    /// The environment variable's name.
    public let variable: String
    /// What was expected.
    public let reason: String
    /// For variables of your own: throw it where the app is made.
    ///
    /// - Parameters:
    ///   - variable: The environment variable's name.
    ///   - reason: What was expected. Never the value, if that may be a secret.
    public init(variable: String, reason: String) {
        self.variable = variable
        self.reason = reason
    }

    /// The variable's name and what was expected.
    public var description: String { "\(variable): \(reason)" }
}

/// What the environment says, read once. `AWS_*` variables are read as leniently as they are documented; ours, `SLUICE_*`,
/// strictly. A class: each reply has it.
final class Settings: Sendable {
    enum InvokeMode: String, Sendable {
        case buffered
        case responseStream = "response_stream"
    }

    /// `AWS_LWA_LAMBDA_RUNTIME_API_PROXY`, or else `AWS_LAMBDA_RUNTIME_API`, as `host:port`; nil off Lambda.
    let runtimeAPI: HostPort?
    /// `AWS_LWA_INVOKE_MODE`: `buffered` or `response_stream`, in any case; buffered when unset or unknown.
    let invokeMode: InvokeMode
    /// `AWS_LAMBDA_MAX_CONCURRENCY`: workers; 1 when unset, not a number, or below 1.
    let workers: Int
    /// `AWS_LAMBDA_INITIALIZATION_TYPE`: `on-demand`, `lambda-managed-instances` and others.
    let initializationType: String?
    /// Whether these are managed instances, which run many invocations at once and do not freeze.
    var isManaged: Bool { initializationType == "lambda-managed-instances" }
    /// Format and level of the log.
    let log: LogSettings
    /// `SLUICE_OUTCOME` and `SLUICE_METRICS*`: what is written of each invocation.
    let outcome: OutcomeSettings
    /// `AWS_LWA_ERROR_STATUS_CODES`: responses with these become failed invocations.
    let errorStatusCodes: StatusList
    /// `AWS_LWA_PASS_THROUGH_PATH`: where events go that are no HTTP requests and have no handler, with a slash before it; nil when unset.
    let passThroughPath: String?
    /// `SLUICE_EMPTY_STREAM`: what a streamed response without a body looks like; `bare` when unset.
    let emptyStream: EmptyStream
    /// `SLUICE_STREAM_CONNECTION`: whether the connection of a streamed response is kept; it is when unset.
    let keepsStreamConnection: Bool
    /// `AWS_LWA_REMOVE_BASE_PATH`, `AWS_LWA_AUTHORIZATION_SOURCE`, `SLUICE_STAGE_IN_PATH`.
    let eventRules: EventRules
    /// What was ignored, one line each, to be logged as WARN.
    let warnings: [String]

    /// - Throws: ``SettingsError``.
    ///
    /// - Parameter log: What the same environment says of the log, which is read first.
    init(_ environment: Environment, log: LogSettings? = nil) throws(SettingsError) {
        var warnings: [String] = []
        let variable = Self.present(environment[Self.proxy]) == nil ? Self.runtimeAPI : Self.proxy
        if let api = environment[variable] {
            guard let parsed = HostPort(api) else {
                throw SettingsError(variable: variable, reason: "expected host:port, found '\(api)'")
            }
            runtimeAPI = parsed
        } else {
            runtimeAPI = nil
        }
        let mode = environment["AWS_LWA_INVOKE_MODE"] ?? ""
        invokeMode = InvokeMode(rawValue: mode.lowercased()) ?? .buffered
        if !mode.isEmpty, InvokeMode(rawValue: mode.lowercased()) == nil {
            warnings.append("AWS_LWA_INVOKE_MODE: '\(mode)' is neither buffered nor response_stream; using buffered")
        }
        initializationType = Self.present(environment["AWS_LAMBDA_INITIALIZATION_TYPE"])
        workers = max(1, Int(environment["AWS_LAMBDA_MAX_CONCURRENCY"] ?? "") ?? 1)
        self.log = log ?? LogSettings(environment)
        if let warning = self.log.warning { warnings.append(warning) }
        errorStatusCodes = StatusList(environment["AWS_LWA_ERROR_STATUS_CODES"] ?? "")
        for part in errorStatusCodes.invalid {
            warnings.append("AWS_LWA_ERROR_STATUS_CODES: '\(part)' is no status and no range; ignored")
        }
        passThroughPath = Self.present(environment["AWS_LWA_PASS_THROUGH_PATH"]).map { path in
            PercentEncoding.repair(path.utf8.first == UInt8(ascii: "/") ? path : "/" + path)
        }
        let empty = Self.present(environment["SLUICE_EMPTY_STREAM"])
        guard let form = EmptyStream(rawValue: empty ?? EmptyStream.bare.rawValue) else {
            let known = EmptyStream.allCases.map(\.rawValue).joined(separator: ", ")
            throw SettingsError(variable: "SLUICE_EMPTY_STREAM", reason: "expected one of \(known)")
        }
        emptyStream = form
        switch Self.present(environment["SLUICE_STREAM_CONNECTION"]) {
        case nil, "keep": keepsStreamConnection = true
        case "close": keepsStreamConnection = false
        default: throw SettingsError(variable: "SLUICE_STREAM_CONNECTION", reason: "expected close or keep")
        }
        eventRules = try EventRules(environment, &warnings)
        outcome = try OutcomeSettings(environment)
        do throws(RelativeSpool) {
            _ = try Spool.root(in: environment)
        } catch {
            throw SettingsError(variable: "SLUICE_SPOOL", reason: "expected an absolute path, found '\(error.path)'")
        }
        #if !Sentry
        if Self.present(environment["SENTRY_DSN"]) != nil {
            warnings.append("SENTRY_DSN: this build has no reporter for Sentry (the package's trait 'Sentry' is off); ignored")
        }
        #endif
        for name in Self.notYet where Self.present(environment[name]) != nil {
            warnings.append("\(name): Sluice does not have this setting yet; ignored")
        }
        self.warnings = warnings
    }

    private static let runtimeAPI = "AWS_LAMBDA_RUNTIME_API"
    private static let proxy = "AWS_LWA_LAMBDA_RUNTIME_API_PROXY"

    /// Where an error of the settings themselves is told: as ``runtimeAPI``, or past a proxy whose address cannot be read.
    static func anyRuntimeAPI(_ environment: Environment) -> HostPort? {
        [proxy, runtimeAPI].lazy.compactMap { environment[$0].flatMap { HostPort($0) } }.first
    }

    /// Lambda Web Adapter's settings that would mean something here, for those who come from there.
    private static let notYet = [
        "AWS_LWA_ENABLE_COMPRESSION"
    ]

    private static func present(_ value: String?) -> String? { value?.isEmpty == false ? value : nil }
}

/// `host:port`.
struct HostPort: Sendable, Equatable, CustomStringConvertible {
    let host: String
    let port: UInt16

    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0,
            colon != text.startIndex
        else { return nil }
        host = String(text[..<colon])
        self.port = port
    }

    var description: String { "\(host):\(port)" }
}
