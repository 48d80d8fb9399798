internal import FoundationEssentials

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The program as the last good build left it, and the dynamic libraries that lie beside it, in a folder there: a build in progress, or one
/// that failed, may leave none.
struct ProgramCopy: Sendable {
    private let program: String
    private let home: String
    private let folder: String
    /// Of the copy, whose file has the program's name.
    let path: String

    private static let prefix = ".watched-"

    /// Copies a program, and removes the copies of processes that were killed.
    init(of program: String) throws {
        let parts = program.parts(at: "/")
        home = parts.dropLast().joined(separator: "/")
        self.program = program
        folder = "\(home)/\(Self.prefix)\(getpid())"
        path = "\(folder)/\(parts.last ?? "")"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: home)) ?? [] where name.hasPrefix(Self.prefix) {
            guard let owner = pid_t(name.dropFirst(Self.prefix.utf8.count)), kill(owner, 0) != 0, errno == ESRCH else {
                continue
            }
            // Nobody's, and one that stays does no harm.
            try? FileManager.default.removeItem(atPath: "\(home)/\(name)")
        }
        // Of a process with this number, long ago.
        try? FileManager.default.removeItem(atPath: folder)
        try renew()
    }

    /// Puts the program as it is now in the copy's place. Processes that run the old one keep their files.
    func renew() throws {
        // `swift package clean` takes it away.
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // The program looks for them beside itself ($ORIGIN).
        for name in try FileManager.default.contentsOfDirectory(atPath: home) where name.hasSuffix(".so") {
            try put("\(home)/\(name)", at: "\(folder)/\(name)")
        }
        try put(program, at: path)
    }

    private func put(_ original: String, at path: String) throws {
        let new = path + ".new"
        // Of an attempt that failed.
        try? FileManager.default.removeItem(atPath: new)
        try FileManager.default.copyItem(atPath: original, toPath: new)
        guard rename(new, path) == 0 else { throw POSIXFailure(code: errno, path: path) }
    }

    func remove() {
        // At the end: there is nobody to tell, and the next one removes it.
        try? FileManager.default.removeItem(atPath: folder)
    }

    private struct POSIXFailure: Error, CustomStringConvertible {
        let code: Int32
        let path: String
        var description: String { "\(path): \(String(cString: strerror(code)))" }
    }
}
