package import Logging
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What a reporter itself has to say: to the log, and where it is asked to each decision on standard error.
package final class Diagnostics: Sendable {
    private let logger: Logger
    private let isDebug: Bool
    private let said = Mutex<Set<String>>([])

    private let name: String

    /// - Parameters:
    ///   - name: The reporter's name, in front of each decision.
    ///   - logger: The log.
    ///   - isDebug: Whether decisions are told.
    package init(_ name: String, _ logger: Logger, isDebug: Bool) {
        self.name = name
        self.logger = logger
        self.isDebug = isDebug
    }

    package func say(_ level: Logger.Level, _ text: String, if condition: Bool = true) {
        guard condition else { return }
        // In nobody's name: it is about the reporting, and must not become a breadcrumb or a report.
        logger.log(level: level, "\(text)")
    }

    /// Once for each key in the life of the process.
    package func once(_ level: Logger.Level, _ text: String, key: String? = nil) {
        guard said.withLock({ $0.insert(key ?? text).inserted }) else { return debug(text) }
        say(level, text)
    }

    package func debug(_ text: @autoclosure () -> String) {
        guard isDebug else { return }
        let line = Array("[\(name)] \(text())\n".utf8)
        // A debug line that cannot be written is no reason to do anything.
        _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    }
}
