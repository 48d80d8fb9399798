import Foundation
import SluiceTestSupport

/// What `scripts/package` makes of a program, in roots that hold little else.
struct Packaged: Sendable {
    let name: String
    let folder: String
    /// What the script said.
    let output: [String]

    var zip: String { folder + "/\(name).zip" }
    var debugFile: String { folder + "/\(name).debug" }

    /// Where roots can be made: from Debian's packages, and as somebody who may change the root.
    static var canBeTried: Bool {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/dpkg-query") else { return false }
        if geteuid() == 0 { return true }
        let trial = try? Program("/bin/sh", arguments: ["-c", "unshare --map-root-user true && echo yes; echo END"], [:])
        return trial?.line(containing: "END") != nil && trial?.console.first == "yes"
    }

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// Made once for all tests: `scripts/test` has built it by then, or else this takes a minute.
    static let made = Task { try await make("Reporting", in: "package") }

    /// - Parameter folder: Among the release build's products, so that nothing is left anywhere else.
    static func make(_ name: String, in folder: String) async throws -> Packaged {
        let folder = Oracles.root + "/.build-portable/" + folder
        let maker = try Program(
            "/bin/bash", arguments: [Oracles.root + "/scripts/package", name, "--output", folder], [:])
        guard await maker.end() == 0 else { throw Failed(description: (maker.console + maker.errors).joined(separator: "\n")) }
        _ = maker.line(containing: "sentry-cli")
        return Packaged(name: name, folder: folder, output: maker.console)
    }

    /// The lines of a shell command's output; the last one has its exit status.
    static func run(_ command: String) async throws -> [String] {
        let shell = try Program("/bin/sh", arguments: ["-c", "{ \(command); } 2>&1; echo END $?"], [:])
        _ = await shell.end()
        _ = shell.line(containing: "END ")
        return shell.console
    }

    /// A root with the zip's content and what its program needs, less one library.
    /// - Parameters:
    ///   - without: A library whose Debian package is left out.
    ///   - system: With /dev and /proc.
    func root(without: String = "", system: Bool = false) async throws -> Root {
        let root = Root(folder: TemporaryFolder())
        let script = "'\(Oracles.root)/Tests/Package/root'" + (system ? " --system" : "")
        let lines = try await Self.run("\(script) '\(root.folder.path)' '\(zip)' \(without)")
        guard lines.last == "END 0" else { throw Failed(description: lines.joined(separator: "\n")) }
        return root
    }

    struct Root {
        let folder: TemporaryFolder

        /// The local Lambda stays outside of the root, and keeps it as long as it runs.
        func start(mode: String = "buffered", _ environment: [String: String] = [:]) throws -> LocalProgram? {
            let settings = ["SLUICE_LOCAL_PROGRAM": folder.path + "/run", "SLUICE_SPOOL": "/tmp/spool"]
            return try LocalProgram("Reporting", mode: mode, in: folder, settings.merging(environment) { $1 })
        }
    }
}
