import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceLocal

@Suite struct WatchTests {
    private let home = TemporaryFolder()

    private func put(_ path: String, _ text: String = "x") throws {
        let url = URL(fileURLWithPath: "\(home.path)/\(path)")
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private func build(_ program: String, _ folders: [String] = ["Sources"], in current: String = "/") throws -> WatchedBuild {
        try WatchedBuild(
            program: "\(home.path)/\(program)", folders: folders, in: current == "/" ? "/" : "\(home.path)/\(current)")
    }

    @Test("package, scratch folder, configuration and product are read from where the program lies")
    func layout() throws {
        for path in ["a/Package.swift", "a/Sources/x.swift", "a/in/Package.swift", "a/in/Sources/y.swift"] { try put(path) }
        let usual = try build("a/.build/x86_64-unknown-linux-gnu/debug/Shop")
        #expect(usual.package == "\(home.path)/a")
        #expect(
            usual.arguments == [
                "swift", "build", "--quiet", "--package-path", "\(home.path)/a", "--scratch-path", "\(home.path)/a/.build",
                "--configuration", "debug", "--product", "Shop",
            ])
        #expect(usual.folders == ["\(home.path)/a/Sources"])
        // A scratch folder of another name says nothing: where it was started does.
        let inner = try build("a/.build-in/aarch64-unknown-linux-gnu/release/Shop", in: "a/in/Sources")
        #expect(inner.package == "\(home.path)/a/in")
        #expect(inner.arguments.contains("\(home.path)/a/.build-in") && inner.arguments.contains("release"))
        let reasons = [
            ("bin/Shop", ["Sources"], "lies where SwiftPM builds nothing"),
            ("b/.build/x/profile/Shop", ["Sources"], "lies where SwiftPM builds nothing"),
            ("b/.build/x/debug/Shop", ["Sources"], "there is no Package.swift in / or above"),
            ("a/.build/x/debug/Shop", ["Sources", "Lib"], "SLUICE_LOCAL_WATCH: there is no 'Lib' in "),
        ]
        for (program, folders, reason) in reasons {
            let problem = #expect(throws: LocalSettings.Problem.self) { try build(program, folders) }
            #expect(problem?.description.contains(reason) == true, "\(problem.debugDescription)")
        }
    }

    @Test("what changes, comes or goes is seen; hidden files and an editor's leavings are not")
    func tree() throws {
        for path in [
            "a/Package.swift", "a/Sources/One/x.swift", "a/Sources/y.c", "a/Sources/Resources/page.html", "a/else/z.swift",
        ] {
            try put(path)
        }
        try FileManager.default.createSymbolicLink(
            atPath: "\(home.path)/a/Sources/loop", withDestinationPath: "\(home.path)/a/Sources")
        let watched = try build("a/.build/x/debug/Shop")
        var seen = SourceTree(watched)
        func change() -> String? {
            let now = SourceTree(watched)
            defer { seen = now }
            return now.difference(from: seen).map { String($0.dropFirst(home.path.utf8.count + 3)) }
        }
        #expect(change() == nil)
        for path in ["a/else/z.swift", "a/Sources/.x.swift.swp", "a/Sources/x.swift~", "a/Sources/#x.swift#"] {
            try put(path, "other")
            #expect(change() == nil, "\(path)")
        }
        for path in [
            "a/Package.swift", "a/Sources/One/x.swift", "a/Sources/Resources/page.html", "a/Sources/One/Deep/new.swift",
        ] {
            try put(path, "other")
            #expect(change()?.hasSuffix(path.dropFirst(2)) == true)
        }
        try FileManager.default.removeItem(atPath: "\(home.path)/a/Sources/y.c")
        #expect(change()?.hasSuffix("Sources/y.c") == true)
        try FileManager.default.removeItem(atPath: "\(home.path)/a/Sources")
        #expect(change() != nil)
        #expect(change() == nil)
    }

    @Test("the copy outlives the program, is renewed in one step, and leaves nothing")
    func copy() throws {
        try put("debug/Shop", "one")
        try put("debug/.watched-999999999/Shop", "of a process that was killed")
        try put("debug/.watched-1/Shop", "of one that lives")
        let program = "\(home.path)/debug/Shop"
        let copy = try ProgramCopy(of: program)
        #expect(copy.path.hasSuffix("/Shop"))
        func text() throws -> String { try String(contentsOfFile: copy.path, encoding: .utf8) }
        try put("debug/Shop", "two")
        #expect(try text() == "one")
        let running = try FileHandle(forReadingFrom: URL(fileURLWithPath: copy.path))
        try copy.renew()
        #expect(try text() == "two")
        #expect(try running.readToEnd() == Data("one".utf8))
        try FileManager.default.removeItem(atPath: program)
        #expect(throws: (any Error).self) { try copy.renew() }
        #expect(try text() == "two")
        // What `swift package clean` does.
        try FileManager.default.removeItem(atPath: (copy.path as NSString).deletingLastPathComponent)
        try put("debug/Shop", "three")
        try copy.renew()
        #expect(try text() == "three")
        copy.remove()
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(home.path)/debug").sorted() == [".watched-1", "Shop"])
    }

    @Test("dynamic libraries are copied too: the program looks for them beside itself")
    func libraries() throws {
        for name in ["Shop", "libStore.so", "libOther.so"] { try put("debug/\(name)", "one") }
        try put("debug/Modules/x.swiftmodule")
        let copy = try ProgramCopy(of: "\(home.path)/debug/Shop")
        let folder = (copy.path as NSString).deletingLastPathComponent
        func texts() throws -> [String: String] {
            var texts: [String: String] = [:]
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                texts[name] = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            }
            return texts
        }
        #expect(try texts() == ["Shop": "one", "libStore.so": "one", "libOther.so": "one"])
        try put("debug/libStore.so", "two")
        let running = try FileHandle(forReadingFrom: URL(fileURLWithPath: "\(folder)/libStore.so"))
        try copy.renew()
        #expect(try texts() == ["Shop": "one", "libStore.so": "two", "libOther.so": "one"])
        #expect(try running.readToEnd() == Data("one".utf8))
    }

    @Test("the argument, the variable, and what they mean")
    func settings() throws {
        #expect(try LocalSettings([:]).watched == nil)
        #expect(try LocalSettings([:], arguments: ["Shop", "--watch"]).watched == ["Sources"])
        #expect(try LocalSettings(["SLUICE_LOCAL_WATCH": "off"]).watched == nil)
        #expect(try LocalSettings(["SLUICE_LOCAL_WATCH": "on"]).watched == ["Sources"])
        #expect(try LocalSettings(["SLUICE_LOCAL_WATCH": "1"]).watched == ["Sources"])
        #expect(try LocalSettings(["SLUICE_LOCAL_WATCH": "A:B/C"], arguments: ["Shop", "--watch"]).watched == ["A", "B/C"])
        #expect(throws: LocalSettings.Problem.self) {
            try LocalSettings(["SLUICE_LOCAL_WATCH": "on", "SLUICE_LOCAL_PROGRAM": "/bin/sh"])
        }
    }
}
