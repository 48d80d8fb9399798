import Foundation
import SluiceTestSupport
import Synchronization

/// A built example as a real process. Not Foundation's `Process`: that takes a process for running while a child of it lives.
final class Program: Sendable {
    private let out = Collected<String>()
    private let err = Collected<String>()
    private let status = Collected<Int32>()
    private let ended = Gate()
    let pid: Int32
    private let input: Int32

    struct SpawnFailed: Error {
        let code: Int32
    }

    /// The folder in which SwiftPM put the program of the tests, which is this one, and the examples.
    private static var products: URL {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    }

    /// One spawn at a time: a program that starts between another's `pipe` and its close-on-exec would hold its pipes open.
    private static let spawning = NSLock()

    /// For the writing of programs: what another test spawns meanwhile would keep the file open, and nobody could execute it.
    static func withoutSpawning<Value>(_ body: () throws -> Value) rethrows -> Value { try spawning.withLock(body) }

    /// Where SwiftPM put an example.
    static func path(of name: String) -> String { products.appendingPathComponent(name).path }

    /// Goes when the process has ended.
    private let folder: TemporaryFolder?

    /// - Parameters:
    ///   - name: An example's name, or the path of another program.
    ///   - folder: What the process writes to, kept as long as it runs.
    ///   - joins: Whether standard error goes where standard output goes.
    init(
        _ name: String, arguments: [String] = [], _ environment: [String: String], in folder: TemporaryFolder? = nil,
        joins: Bool = false
    ) throws {
        self.folder = folder
        var all = ProcessInfo.processInfo.environment.filter { variable in
            !["AWS_", "SLUICE_", "SENTRY_"].contains { variable.key.hasPrefix($0) }
        }
        all.merge(environment) { _, new in new }
        let path = name.contains("/") ? name : Self.path(of: name)
        Self.spawning.lock()
        defer { Self.spawning.unlock() }
        var argv = ([path] + arguments).map { strdup($0) } + [nil]
        var envp = all.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var (inPipe, outPipe, errPipe): ([Int32], [Int32], [Int32]) = ([0, 0], [0, 0], [0, 0])
        guard pipe(&inPipe) == 0, pipe(&outPipe) == 0, pipe(&errPipe) == 0 else { throw SpawnFailed(code: errno) }
        input = inPipe[1]
        for descriptor in inPipe + outPipe + errPipe { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, inPipe[0], 0)
        posix_spawn_file_actions_adddup2(&actions, outPipe[1], 1)
        posix_spawn_file_actions_adddup2(&actions, joins ? outPipe[1] : errPipe[1], 2)
        var child: pid_t = 0
        let code = posix_spawn(&child, path, &actions, nil, &argv, &envp)
        close(inPipe[0])
        close(outPipe[1])
        close(errPipe[1])
        guard code == 0 else { throw SpawnFailed(code: code) }
        let pid = child
        self.pid = pid
        Self.collect(outPipe[0], out)
        Self.collect(errPipe[0], err)
        // The thread holds what it needs and not the program, which ends the process when nobody holds it any more.
        let (ended, exits) = (ended, status)
        Thread {
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            let signal = status & 0x7F
            exits.add(signal == 0 ? (status >> 8) & 0xFF : -signal)
            ended.open()
        }.start()
    }

    private static func collect(_ descriptor: Int32, _ lines: Collected<String>) {
        Thread {
            var held: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count <= 0 { break }
                held += buffer[..<count]
                while let end = held.firstIndex(of: 10) {
                    lines.add(String(decoding: held[..<end], as: UTF8.self))
                    held.removeFirst(end + 1)
                }
            }
            close(descriptor)
        }.start()
    }

    deinit {
        kill(pid, SIGKILL)
        close(input)
        // What still runs could write to a folder that is gone, and so make it again.
        _ = Self.observe { hasEnded ? true : nil }
    }

    /// A line for its standard input. The program must be one that reads it.
    func say(_ line: String) {
        var rest = Array((line + "\n").utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    var console: [String] { out.values }
    var errors: [String] { err.values }

    func signal(_ number: Int32) { kill(pid, number) }

    var hasEnded: Bool { !status.values.isEmpty }

    /// The exit status, or the negated signal.
    func end() async -> Int32 {
        await ended.wait()
        return status.values.first ?? .min
    }

    /// Waits for a line of the console. Bounded by time only so that a failing test ends.
    func line(containing text: String) -> String? { Self.observe { self.console.first { $0.contains(text) } } }

    func errorLine(containing text: String) -> String? { Self.observe { self.errors.first { $0.contains(text) } } }

    /// Looks until something is there, yielding the processor in between; gives up after 20 s.
    static func observe<Value>(_ look: () -> Value?) -> Value? {
        let limit = Date().addingTimeInterval(20)
        while Date() < limit {
            if let value = look() { return value }
            // A millisecond, so that the programs that are waited for have the processors.
            poll(nil, 0, 1)
        }
        return nil
    }

    /// The processes whose parent this one is.
    var children: [Int32] { Self.processes().filter { $0.parent == pid }.map(\.pid) }

    struct Entry {
        let pid: Int32
        let parent: Int32
        let state: String
        /// Processor time spent, in clock ticks.
        let ticks: Int
    }

    static func processes() -> [Entry] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.compactMap { entry($0) }
    }

    static func entry(_ pid: Int32) -> Entry? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8), let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(end, offsetBy: 2)...].split(separator: " ")
        guard fields.count > 12, let parent = Int32(fields[1]) else { return nil }
        return Entry(pid: pid, parent: parent, state: String(fields[0]), ticks: Int(fields[11]) ?? 0)
    }
}

/// An example under the local Lambda, and a client of its front door.
struct LocalProgram: Sendable {
    let program: Program
    let port: UInt16

    init?(
        _ name: String, arguments: [String] = [], mode: String = "buffered", in folder: TemporaryFolder = TemporaryFolder(),
        _ environment: [String: String] = [:], joins: Bool = false
    ) throws {
        var environment = environment
        environment["PORT"] = "0"
        environment["AWS_LWA_INVOKE_MODE"] = mode
        environment["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        if environment["SLUICE_SPOOL"] == nil { environment["SLUICE_SPOOL"] = folder.path }
        // Most tests follow one process.
        if environment["SLUICE_LOCAL_SANDBOXES"] == nil { environment["SLUICE_LOCAL_SANDBOXES"] = "1" }
        program = try Program(name, arguments: arguments, environment, in: folder, joins: joins)
        guard let line = program.line(containing: "Lambda on this machine"),
            let port = line.firstMatch(of: /127\.0\.0\.1:(\d+)/).flatMap({ UInt16($0.1) })
        else { return nil }
        self.port = port
    }

    func get(_ target: String) -> WireMessage? { send("GET \(target) HTTP/1.1\r\nHost: local\r\nConnection: close\r\n\r\n") }

    func send(_ text: String, hasBody: Bool = true) -> WireMessage? {
        guard let socket = RawSocket.connect(port: port) else { return nil }
        socket.write(text)
        return WireReader(socket).next(hasBody: hasBody)
    }

    /// The app's failure records of this level, as JSON.
    func records(_ level: String = "ERROR") -> [JSONView] {
        program.errors.compactMap { JSONView(Array($0.utf8)) }.filter { $0["level"]?.text == level }
    }

    /// The console's report of an invocation: its line and the notes below.
    func report(_ target: String) -> String? {
        guard program.line(containing: " \(target)  ") != nil else { return nil }
        var report: [String] = []
        for line in program.console {
            if line.contains(" \(target)  ") {
                report = [line]
            } else if !report.isEmpty, line.hasPrefix("     ") {
                report.append(line)
            }
        }
        return report.joined(separator: "\n")
    }

    /// The app's own process.
    var child: Int32? { Program.observe { program.children.first } }
}
