#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Whether somebody is looking at a process with a debugger: then neither freeze nor deadline may get in the way.
package enum Debugger {
    /// Linux's `TracerPid`; false where nobody can tell.
    ///
    /// - Parameter process: A process id, or `self`.
    package static func isAttached(to process: String) -> Bool {
        guard let file = fopen("/proc/\(process)/status", "r") else { return false }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, CInt(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.hasPrefix("TracerPid:") { return text.contains { $0.isNumber && $0 != "0" } }
        }
        return false
    }
}
