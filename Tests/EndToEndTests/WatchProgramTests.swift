import Foundation
import SluiceTestSupport
import Testing

/// `--watch`, with a compiler that copies programs.
@Suite(.serialized) struct WatchProgramTests {
    /// A package as SwiftPM leaves it, whose source names the example that a build makes of it.
    private struct Package {
        let folder = TemporaryFolder()
        var source: String { "\(folder.path)/shop/Sources/Shop/Shop.swift" }
        var program: String { "\(folder.path)/shop/.build/somewhere/debug/Shop" }

        init(_ example: String) throws {
            let files = FileManager.default
            for path in ["shop/Sources/Shop", "shop/.build/somewhere/debug", "tools"] {
                try files.createDirectory(atPath: "\(folder.path)/\(path)", withIntermediateDirectories: true)
            }
            try Data().write(to: URL(fileURLWithPath: "\(folder.path)/shop/Package.swift"))
            let products = URL(fileURLWithPath: Program.path(of: "Hello")).deletingLastPathComponent().path
            let compiler = """
                #!/bin/sh
                echo "swift $*" >> '\(folder.path)/calls'
                name=$(cat '\(source)')
                # As a linker does: what was there is gone before anything is built.
                rm -f '\(program)'
                if [ ! -e "\(products)/$name" ]; then echo "Shop.swift:1:1: error: cannot find '$name' in scope"; exit 1; fi
                cp "\(products)/$name" '\(program)'
                """
            try writeCompiler(compiler)
            try Program.withoutSpawning { try files.copyItem(atPath: Program.path(of: example), toPath: program) }
            try write(example, to: source)
        }

        func writeCompiler(_ script: String) throws {
            let path = "\(folder.path)/tools/swift"
            try Program.withoutSpawning { try write(script, to: path) }
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }

        /// As editors do: a new file takes the old one's place.
        func write(_ text: String, to path: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        }

        var calls: [String] {
            ((try? String(contentsOfFile: "\(folder.path)/calls", encoding: .utf8)) ?? "").split(separator: "\n").map(
                String.init)
        }

        var copies: [String] {
            let home = (program as NSString).deletingLastPathComponent
            return ((try? FileManager.default.contentsOfDirectory(atPath: home)) ?? []).filter { $0.hasPrefix(".watched-") }
        }

        func start(_ arguments: [String] = ["--watch"], _ environment: [String: String] = [:]) throws -> LocalProgram {
            let path = "\(folder.path)/tools:" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
            let settings = ["PATH": path, "SLUICE_LOCAL_SANDBOXES": "", "SLUICE_SPOOL": "\(folder.path)/spool"]
            return try #require(
                try LocalProgram(
                    program, arguments: arguments, mode: "response_stream", in: folder, settings.merging(environment) { $1 }))
        }
    }

    @Test("a change is built, and new sandboxes run it; a stream goes on in the old one; a failed build changes nothing")
    func swaps() async throws {
        let package = try Package("Streams")
        let local = try package.start()
        let old = try #require(local.child)
        let stream = try #require(RawSocket.connect(port: local.port))
        stream.write("GET /ticks?count=100 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(!stream.read().isEmpty)
        #expect(local.get("/hello/World")?.status == 404)
        let idle = try #require(local.program.children.first { $0 != old })

        try package.write("Hello", to: package.source)
        #expect(local.program.line(containing: "watch: Sources/Shop/Shop.swift has changed: building") != nil)
        #expect(local.program.line(containing: "watch: built in ") != nil)
        #expect(local.get("/hello/World")?.text == "Hello, World!")
        #expect(
            package.calls == [
                "swift build --quiet --package-path \(package.folder.path)/shop --scratch-path \(package.folder.path)/shop/.build --configuration debug --product Shop"
            ])
        #expect(Program.entry(old) != nil)
        #expect(!stream.read().isEmpty)
        #expect(Program.observe { Program.entry(idle) == nil ? true : nil } == true)

        try package.write("NoSuchThing", to: package.source)
        #expect(
            local.program.errorLine(containing: "watch: the build exited with status 1; the program from before goes on") != nil
        )
        #expect(local.program.line(containing: "error: cannot find 'NoSuchThing' in scope") != nil)
        // Also in a process that is started now.
        for child in local.program.children where child != old { kill(child, SIGKILL) }
        #expect(Program.observe { local.get("/hello/World")?.text == "Hello, World!" ? true : nil } == true)

        try package.write("Failures", to: package.source)
        #expect(Program.observe { local.get("/fine")?.text == "fine" ? true : nil } == true)
        #expect(package.copies.count == 1)
        local.program.signal(SIGINT)
        #expect(await local.program.end() == 128 + SIGINT)
        #expect(package.copies.isEmpty)
    }

    @Test("a new file counts, a hidden one does not; the variable says the same as the argument; what a kill left is removed")
    func files() async throws {
        let package = try Package("Streams")
        let first = try package.start([], ["SLUICE_LOCAL_WATCH": "on"])
        #expect(first.program.line(containing: "watching \(package.folder.path)/shop/Sources") != nil)
        first.program.signal(SIGKILL)
        #expect(await first.program.end() == -SIGKILL)
        #expect(package.copies.count == 1)

        let local = try package.start([], ["SLUICE_LOCAL_WATCH": "Sources/Shop:Sources"])
        #expect(local.program.line(containing: "watching ") != nil)
        #expect(package.copies.count == 1)
        let folder = (package.source as NSString).deletingLastPathComponent
        try package.write("", to: "\(folder)/.hidden.swift")
        try package.write("Hello", to: "\(folder)/Zwei.swift")
        #expect(local.program.line(containing: "has changed: building")?.contains("Zwei.swift") == true)
    }

    @Test("the end ends a build too")
    func endsBuild() async throws {
        let package = try Package("Streams")
        try package.writeCompiler("#!/bin/sh\necho \"pid $$\"\nsleep 60 &\necho \"pid $!\"\nwait\n")
        let local = try package.start()
        #expect(local.program.line(containing: "watching ") != nil)
        try package.write("Hello", to: package.source)
        let pids = try #require(
            Program.observe { () -> [Int32]? in
                let pids = local.program.console.filter { $0.hasPrefix("pid ") }.compactMap { Int32($0.dropFirst(4)) }
                return pids.count == 2 ? pids : nil
            })
        local.program.signal(SIGINT)
        #expect(await local.program.end() == 128 + SIGINT)
        for pid in pids { #expect(Program.observe { Program.entry(pid).map { $0.state == "Z" } ?? true ? true : nil } == true) }
    }

    @Test("what cannot be watched is a clear message")
    func refusals() async throws {
        let package = try Package("Streams")
        for (environment, reason) in [
            (["SLUICE_LOCAL_WATCH": "Sauces"], "SLUICE_LOCAL_WATCH: there is no 'Sauces' in \(package.folder.path)/shop"),
            (
                ["SLUICE_LOCAL_WATCH": "on", "SLUICE_LOCAL_PROGRAM": "/bin/sh"],
                "SLUICE_LOCAL_PROGRAM: a program that is not this one"
            ),
        ] {
            let program = try Program(package.program, environment.merging(["PORT": "0"]) { $1 })
            #expect(await program.end() == 1)
            #expect(program.errorLine(containing: "local: \(reason)") != nil)
        }
    }
}
