package import Logging

/// How bad something is. More levels may come.
public struct ReportLevel: RawRepresentable, Sendable, Hashable, CustomStringConvertible, Encodable {
    /// The level's name in reports.
    public let rawValue: String

    /// - Parameter rawValue: Lower case. A tracker may take an unknown level for another one.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The same as ``rawValue``.
    public var description: String { rawValue }

    /// The process ends.
    public static let fatal = Self(rawValue: "fatal")
    /// A request failed.
    public static let error = Self(rawValue: "error")
    /// Something is not as it should be.
    public static let warning = Self(rawValue: "warning")
    /// Worth knowing.
    public static let info = Self(rawValue: "info")
    /// It is for whoever looks for a mistake.
    public static let debug = Self(rawValue: "debug")
}

extension ReportLevel {
    package init(_ level: Logger.Level) {
        switch level {
        case .trace, .debug: self = .debug
        case .info, .notice: self = .info
        case .warning: self = .warning
        case .error: self = .error
        case .critical: self = .fatal
        }
    }

    /// The level of a record that says the same.
    package var ofLog: Logger.Level {
        switch self {
        case .fatal: .critical
        case .error: .error
        case .warning: .warning
        case .debug: .debug
        default: .info
        }
    }
}
