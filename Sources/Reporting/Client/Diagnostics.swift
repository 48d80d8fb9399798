internal import Logging
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What the reporting itself has to say: to the log, and with `SENTRY_DEBUG` each decision on standard error.
final class Diagnostics: Sendable {
    private let logger: Logger
    private let isDebug: Bool
    private let said = Mutex<Set<String>>([])

    init(_ logger: Logger, isDebug: Bool) {
        self.logger = logger
        self.isDebug = isDebug
    }

    func say(_ level: Logger.Level, _ text: String, if condition: Bool = true) {
        guard condition else { return }
        // In nobody's name: it is about the reporting, and must not become a breadcrumb or a report.
        logger.log(level: level, "\(text)")
    }

    /// Once for each key in the life of the process.
    func once(_ level: Logger.Level, _ text: String, key: String? = nil) {
        guard said.withLock({ $0.insert(key ?? text).inserted }) else { return debug(text) }
        say(level, text)
    }

    func debug(_ text: @autoclosure () -> String) {
        guard isDebug else { return }
        let line = Array("[sentry] \(text())\n".utf8)
        // A debug line that cannot be written is no reason to do anything.
        _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    }
}
