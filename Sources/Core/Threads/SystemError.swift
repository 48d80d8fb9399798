#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A system call that failed: `errno` and the call's name.
public struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The value of `errno`.
    public let code: Int32
    /// The call that failed, as `connect` or `send`.
    public let call: String

    package init(code: Int32, call: String) {
        self.code = code
        self.call = call
    }

    package static func last(_ call: String) -> SystemError { SystemError(code: errno, call: call) }

    /// The call and the system's own words.
    public var description: String { "\(call): \(String(cString: strerror(code)))" }

    /// The peer is gone: a write or read on a connection that no longer exists.
    package var isConnectionLoss: Bool {
        [EPIPE, ECONNRESET, ECONNABORTED, ENOTCONN, ESHUTDOWN, ETIMEDOUT].contains(code)
    }
}
