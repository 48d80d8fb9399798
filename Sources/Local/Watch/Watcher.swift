internal import SluiceStreaming
internal import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Builds the program when a source has changed, and has the sandboxes run what was built. Confined to the event loop.
final class Watcher: @unchecked Sendable {  // used on the loop's thread only
    /// Between two looks at the sources.
    private static let interval = Duration.milliseconds(500)

    private let loop: EventLoop
    private let build: WatchedBuild
    private let copy: ProgramCopy
    private let pool: SandboxPool
    private let environment: [String: String]
    private let console: Console
    private let builder: ChildProcess
    private var isOver = false

    init(
        _ loop: EventLoop, _ build: WatchedBuild, _ copy: ProgramCopy, _ pool: SandboxPool, _ environment: [String: String],
        _ console: Console
    ) {
        self.loop = loop
        self.build = build
        self.copy = copy
        self.pool = pool
        self.environment = environment
        self.console = console
        builder = ChildProcess(loop)
    }

    func start() {
        let seen = SourceTree(build)
        console.line("watching \(build.folders.joined(separator: ", "))")
        Task(executorPreference: loop) { await self.watch(seen) }
    }

    /// Ends a build in progress.
    func stop() {
        isOver = true
        builder.sendToGroup(SIGTERM)
    }

    private func watch(_ first: SourceTree) async {
        var seen = first
        while !isOver {
            // Throws when the loop has ended.
            guard (try? await loop.pause(for: Self.interval)) != nil else { return }
            // Looked at before the build: what changes in a build is built next.
            let now = SourceTree(build)
            guard let path = now.difference(from: seen), !isOver else { continue }
            seen = now
            console.line("watch: \(shown(path)) has changed: building")
            await rebuild()
        }
    }

    private func rebuild() async {
        let began = ContinuousClock.now
        do {
            let end = try await runBuild()
            if isOver { return }
            guard end == .exited(0) else {
                return console.problem("watch: the build \(end); the program from before goes on")
            }
            try copy.renew()
            console.line("watch: built in \((ContinuousClock.now - began).shownInMilliseconds); new sandboxes run it")
            pool.replaceProgram()
        } catch {
            console.problem("watch: nothing is built, and the program from before goes on: \(error)")
        }
    }

    /// Its errors go where ours go.
    private func runBuild() async throws(SystemError) -> ProcessEnd {
        // Found by the shell's rules: this process knows no more than the name.
        try builder.start("/usr/bin/env", ["env"] + build.arguments, environment)
        return await withCheckedContinuation { ended in
            builder.onEnd = { ended.resume(returning: $0) }
        }
    }

    private func shown(_ path: String) -> String {
        let folder = build.package + "/"
        guard path.utf8.starts(with: folder.utf8) else { return path }
        return String(decoding: path.utf8.dropFirst(folder.utf8.count), as: UTF8.self)
    }
}
