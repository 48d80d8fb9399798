import Foundation
import PackagePlugin

/// The example Shop under another name, depending on the very Sluice that its maker depends on.
struct NewPackage {
    private let name: String
    private let folder: URL
    /// The package that is asked is as `swift package init` made it, or empty, and becomes the new one.
    private let isInPlace: Bool
    private let sluice: Package

    /// - Parameter extractor: What follows `--new`.
    /// - Throws: ``Refused``, before anything is written.
    init(_ extractor: ArgumentExtractor, sluice: Package, root: Package) throws {
        var extractor = extractor
        let output = extractor.extractOption(named: "output")
        let rest = extractor.remainingArguments
        if let option = rest.first(where: { $0.hasPrefix("-") }) { throw Refused("--new has no option \(option)") }
        guard rest.count <= 1, output.count <= 1 else { throw Refused("--new takes one name and one folder") }
        name = rest.first ?? root.displayName
        let isModule = name.wholeMatch(of: /[A-Za-z][A-Za-z0-9_]*/) != nil
        guard isModule, !name.hasPrefix("Sluice") else {
            throw Refused("'\(name)' cannot be the name of your module: say one of letters and digits, as in --new Shop")
        }
        self.sluice = sluice
        isInPlace = output.isEmpty
        folder = output.first.map { URL(filePath: $0, directoryHint: .isDirectory) } ?? root.directoryURL
        guard
            !isInPlace || root.dependencies.count == 1 && root.targets.allSatisfy({ [name, name + "Tests"].contains($0.name) })
        else {
            throw Refused("\(root.displayName) is no new package: say where \(name) goes, --new \(name) --output DIR")
        }
    }

    /// Writes all of its files, or none.
    func make() throws {
        let files = try contents()
        let taken = files.filter { !mayWrite($0) }.map(\.path)
        guard taken.isEmpty else {
            throw Refused("in \(folder.path) there already, and not replaced: \(taken.joined(separator: ", "))")
        }
        for file in files {
            let target = folder.appending(path: file.path)
            try FileManager.default.createDirectory(at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(file.text.utf8).write(to: target)
        }
        print("\(name) is in \(folder.path): swift run, swift test, swift package lambda")
    }

    /// Whether nothing is there, or what `swift package init` wrote.
    private func mayWrite(_ file: File) -> Bool {
        let target = folder.appending(path: file.path)
        guard FileManager.default.fileExists(atPath: target.path) else { return true }
        guard isInPlace, let mark = file.mark, let present = try? String(contentsOf: target, encoding: .utf8) else {
            return false
        }
        return present.contains(mark)
    }

    private struct File {
        let path: String
        let text: String
        /// What the file of that name that `swift package init` writes has in it.
        let mark: String?
    }

    private func contents() throws -> [File] {
        let shop = sluice.directoryURL.appending(path: "Examples/Shop")
        return try Self.marks.map { path, mark in
            let text = try String(contentsOf: shop.appending(path: path), encoding: .utf8)
            return File(path: renamed(path), text: path == "Package.swift" ? try manifest(text) : renamed(text), mark: mark)
        }
    }

    /// The example's files, named one by one: whoever runs it has the products of its build beside them.
    private static let marks: [(path: String, mark: String?)] = [
        (".gitignore", "xcuserdata/"), ("Package.swift", "PackageDescription"), ("README.md", nil), ("template.yaml", nil),
        ("Sources/Shop/Shop.swift", "print(\"Hello, world!\")"), ("Tests/ShopTests/ShopTests.swift", "Write your test here"),
    ]

    private func renamed(_ text: String) -> String { text.replacing("Shop", with: name) }

    /// The example's manifest, with the dependency as ``requirement`` has it.
    private func manifest(_ text: String) throws -> String {
        let own = #"name: "sluice", path: "../..""#
        guard text.contains(own) else { throw Refused("Examples/Shop/Package.swift does not have \(own)") }
        let requirement = try requirement  // after the name's replacement: a folder may be called Shop
        return renamed(text).replacing(own, with: requirement)
            .replacing(#"package: "sluice""#, with: "package: \(literal(identity))")
    }

    /// By which a manifest's products name the package.
    private var identity: String {
        if case .repository = sluice.origin { return sluice.id }
        return "sluice"
    }

    /// The arguments of `.package(…)`: the repository at its version, or the folder.
    private var requirement: String {
        get throws {
            switch sluice.origin {
            case .repository(let url, let version, let revision):
                let isRelease = version.wholeMatch(of: /[0-9]+\.[0-9]+\.[0-9]+.*/) != nil
                return "url: \(literal(url)), " + (isRelease ? "from: \(literal(version))" : "revision: \(literal(revision))")
            case .root, .local: return "name: \"sluice\", path: \(literal(pathToSluice))"
            default: throw Refused("sluice comes from a registry: not known here, write the manifest by hand")
            }
        }
    }

    /// Relative, so that both can move together.
    private var pathToSluice: String {
        let from = folder.resolvingSymlinksInPath().standardizedFileURL.pathComponents
        let to = sluice.directoryURL.resolvingSymlinksInPath().standardizedFileURL.pathComponents
        let shared = zip(from, to).prefix { $0 == $1 }.count
        return (Array(repeating: "..", count: from.count - shared) + to.dropFirst(shared)).joined(separator: "/")
    }

    private func literal(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
