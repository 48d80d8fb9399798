/// How bad it is, in Sentry's words.
public enum ReportLevel: String, Sendable, Hashable {
    /// The process ends.
    case fatal
    /// A request failed.
    case error
    /// Something is not as it should be.
    case warning
    /// Worth knowing.
    case info
    /// For whoever looks for a mistake.
    case debug
}
