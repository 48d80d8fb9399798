internal import FoundationEssentials

/// How the program was built, which is read from where it lies, and how to build it again.
struct WatchedBuild: Sendable {
    /// The built program: `SCRATCH/TRIPLE/debug/NAME`.
    let program: String
    /// The folder with `Package.swift`.
    let package: String
    /// What is watched beside `Package.swift`: absolute paths.
    let folders: [String]
    let arguments: [String]

    /// - Parameters:
    ///   - program: An absolute path without links.
    ///   - folders: In the package.
    ///   - current: The folder in which the local Lambda was started.
    /// - Throws: ``LocalSettings/Problem``, where SwiftPM has not built the program, or a folder is not there.
    init(
        program: String, folders: [String], in current: String = FileManager.default.currentDirectoryPath
    ) throws(LocalSettings.Problem) {
        let parts = program.parts(at: "/")
        guard parts.count > 4, let name = parts.last, ["debug", "release"].contains(parts[parts.count - 2]) else {
            throw .init(description: "--watch: \(program) lies where SwiftPM builds nothing, so nobody knows how to build it")
        }
        let scratch = parts.dropLast(3)
        let besideScratch = scratch.dropLast().joined(separator: "/")
        // `.build` is in its package. A scratch folder of another name may be anywhere: then the program was started in its package.
        guard
            let package = scratch.last == ".build" && Self.isPackage(besideScratch)
                ? besideScratch : Self.package(above: current)
        else {
            throw .init(description: "--watch: there is no Package.swift in \(current) or above")
        }
        self.program = program
        self.package = package
        arguments = [
            "swift", "build", "--quiet", "--package-path", package, "--scratch-path", scratch.joined(separator: "/"),
            "--configuration", String(parts[parts.count - 2]), "--product", String(name),
        ]
        var paths: [String] = []
        for folder in folders {
            let path = folder.hasPrefix("/") ? folder : "\(package)/\(folder)"
            guard FileManager.default.fileExists(atPath: path) else {
                throw .init(
                    description:
                        "SLUICE_LOCAL_WATCH: there is no '\(folder)' in \(package); name the folders with the sources: a:b")
            }
            paths.append(path)
        }
        self.folders = paths
    }

    private static func isPackage(_ folder: String) -> Bool {
        FileManager.default.fileExists(atPath: folder + "/Package.swift")
    }

    private static func package(above folder: String) -> String? {
        var parts = folder.parts(at: "/")
        while !parts.isEmpty {
            let path = parts.joined(separator: "/")
            if isPackage(path) { return path }
            parts.removeLast()
        }
        return nil
    }
}
