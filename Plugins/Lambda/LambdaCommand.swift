import Foundation
import PackagePlugin

/// `swift package lambda`: makes the zip for AWS Lambda, or with `--new` a package to begin with.
@main
struct LambdaCommand: CommandPlugin {
    func performCommand(context: PluginContext, arguments: [String]) async throws {
        let sluice = try sluice(seenFrom: context.package)
        var extractor = ArgumentExtractor(arguments)
        if extractor.extractFlag(named: "help") > 0 || arguments.contains("-h") {
            return print(try help(sluice.directoryURL))
        }
        if extractor.extractFlag(named: "new") > 0 {
            return try NewPackage(extractor, sluice: sluice, root: context.package).make()
        }
        let status = try package(arguments, context.package, sluice.directoryURL)
        if status != 0 { exit(status) }  // the script has said why
    }

    /// Runs `scripts/package`, whose words go where ours go. What this plugin does not know is the script's to judge.
    private func package(_ arguments: [String], _ root: Package, _ sluice: URL) throws -> Int32 {
        let foreign = arguments.first { $0 == "--package-path" || $0.hasPrefix("--package-path=") }
        guard foreign == nil else {
            throw Refused("it is this package that is packaged: swift package --package-path DIR lambda")
        }
        let script = Process()
        script.executableURL = sluice.appending(path: "scripts/package")
        script.arguments = try named(arguments, in: root) + ["--package-path", root.directoryURL.path(percentEncoded: false)]
        try script.run()
        script.waitUntilExit()
        return script.terminationStatus
    }

    /// The arguments with the executable's name in front, which need not be said where there is but one.
    private func named(_ arguments: [String], in root: Package) throws -> [String] {
        let names = root.products(ofType: ExecutableProduct.self).map(\.name).sorted()
        let list = names.joined(separator: ", ")
        guard let only = names.first else { throw Refused("\(root.displayName) has no executable product") }
        if let name = arguments.first, !name.hasPrefix("-") {
            guard names.contains(name) else { throw Refused("there is no executable product '\(name)'; there are: \(list)") }
            return arguments
        }
        guard names.count == 1 else {
            throw Refused("say which executable, before the options: swift package lambda NAME; there are: \(list)")
        }
        return [only] + arguments
    }

    /// Our own package: the root itself, or what the root depends on.
    private func sluice(seenFrom root: Package) throws -> Package {
        let near = [root] + root.dependencies.map(\.package)
        guard let sluice = near.first(where: { $0.displayName == "sluice" }) else {
            throw Refused("\(root.displayName) does not itself depend on sluice: swift package add-dependency")
        }
        return sluice
    }

    /// The options of the zip are told by the script's own first lines.
    private func help(_ sluice: URL) throws -> String {
        let script = try String(contentsOf: sluice.appending(path: "scripts/package"), encoding: .utf8)
        let head = script.split(separator: "\n").prefix { $0.hasPrefix("#") }
        let options = head.drop { !$0.hasPrefix("#   ") }.filter { !$0.contains("--package-path DIR ") }
        return """
            Makes NAME.zip for AWS Lambda, or a package to begin with.

              swift package lambda [NAME] [OPTIONS]
                NAME is an executable product; where there is only one, it goes without saying.
            \(options.map { "  " + $0.dropFirst(2) }.joined(separator: "\n"))

              swift package lambda --new [NAME] [--output DIR]
                Makes a package that runs, tests and packages: of this one, if it is as swift package init left it, or in DIR.
                NAME is its module's; without it, this package's own.

            SwiftPM asks first: the build's products go into the package's folder. In a script:
              swift package --allow-writing-to-package-directory lambda
            """
    }
}

/// What is wrong with what was asked for, in words.
struct Refused: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
