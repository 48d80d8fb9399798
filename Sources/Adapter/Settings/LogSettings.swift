internal import SluiceCore
internal import Logging

/// What the environment says of the log. Reading it never fails, so that a start-up that does is logged in the right form.
struct LogSettings: Sendable {
    /// `AWS_LAMBDA_LOG_FORMAT`: `JSON` in any case, text otherwise.
    let isJSON: Bool
    /// `AWS_LAMBDA_LOG_LEVEL`: `TRACE` to `FATAL`, in any case; INFO when unset or unknown.
    let level: Logger.Level
    /// What was ignored.
    let warning: String?

    init(_ environment: Environment) {
        isJSON = environment["AWS_LAMBDA_LOG_FORMAT"]?.lowercased() == "json"
        let text = environment["AWS_LAMBDA_LOG_LEVEL"] ?? ""
        level = LogLevel.parse(text) ?? .info
        let isUnknown = !text.isEmpty && LogLevel.parse(text) == nil
        warning = isUnknown ? "AWS_LAMBDA_LOG_LEVEL: '\(text)' is no level; using INFO" : nil
    }
}
