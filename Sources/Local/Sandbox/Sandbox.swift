internal import CSluiceRuntime
internal import SluiceStreaming
internal import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The app's process: a child, started, frozen, thawed and killed as Lambda would. Confined to the event loop, whose thread lives as
/// long as this process: the child's parent-death signal follows the thread that spawned it.
final class Sandbox: AppProcess, @unchecked Sendable {  // used on the loop's thread only
    private let loop: EventLoop
    private let program: String
    private let folder: String?
    private let arguments: [String]
    private let environment: [String: String]
    private(set) var process: pid_t?
    private(set) var isFrozen = false
    /// Called when a process has ended.
    var onEnd: (ProcessEnd) -> Void = { _ in }
    var isRunning: Bool { process != nil }

    /// - Parameter folder: Where the app works; where this process does if nil.
    init(_ loop: EventLoop, program: String, in folder: String? = nil, arguments: [String], environment: [String: String]) {
        self.loop = loop
        self.program = program
        self.folder = folder
        self.arguments = arguments
        self.environment = environment
    }

    /// Starts the app in a new process.
    ///
    /// - Throws: ``SystemError``.
    func start() throws(SystemError) {
        var argv = (arguments.isEmpty ? [program] : arguments).map { strdup($0) } + [nil]
        var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        let child = sluice_spawn(program, folder, &argv, &envp)
        guard child > 0 else { throw .last("exec \(program)") }
        process = child
        isFrozen = false
        let descriptor = sluice_pidfd_open(child)
        guard descriptor >= 0 else {
            let error = SystemError.last("pidfd_open")
            Self.send(child, SIGKILL)
            waitpid(child, nil, 0)
            process = nil
            throw error
        }
        Task(executorPreference: loop) {
            // Not cancellable: only the end of the process ends the wait.
            _ = try? await self.loop.wait(until: .readable, on: descriptor, cancellable: false)
            close(descriptor)
            self.reap(child)
        }
    }

    private func reap(_ child: pid_t) {
        var status: CInt = 0
        // ECHILD: somebody has SIGCHLD ignored, and nobody knows how it ended.
        if waitpid(child, &status, 0) != child { status = 0 }
        if process == child { process = nil }
        isFrozen = false
        let signal = status & 0x7F
        onEnd(signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal))
    }

    func freeze() {
        guard let process, !isFrozen, !isTraced else { return }
        kill(process, SIGSTOP)
        isFrozen = true
    }

    func thaw() {
        guard let process, isFrozen else { return }
        kill(process, SIGCONT)
        isFrozen = false
    }

    func kill() {
        guard let process else { return }
        Self.send(process, SIGKILL)
    }

    func terminate() {
        thaw()
        guard let process else { return }
        Self.send(process, SIGTERM)
    }

    private func kill(_ process: pid_t, _ signal: CInt) { Self.send(process, signal) }

    private static func send(_ process: pid_t, _ signal: CInt) {
        #if canImport(Glibc)
        _ = Glibc.kill(process, signal)
        #else
        _ = Darwin.kill(process, signal)
        #endif
    }

    /// Whether a debugger is attached to the app.
    var isTraced: Bool { process.map { Debugger.isAttached(to: String($0)) } ?? false }
}
