internal import CSluiceRuntime
internal import SluiceStreaming
internal import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A child of this process, with a process group of its own. Confined to the event loop, whose thread lives as long as this process: the
/// child's parent-death signal follows the thread that spawned it.
final class ChildProcess: @unchecked Sendable {  // used on the loop's thread only
    private let loop: EventLoop
    /// While it runs.
    private(set) var id: pid_t?
    /// Called when it has ended.
    var onEnd: (ProcessEnd) -> Void = { _ in }

    init(_ loop: EventLoop) { self.loop = loop }

    /// Starts a program: its path, the arguments with its name first, and all of its environment.
    ///
    /// - Parameter folder: Where it works; where this process does if nil.
    /// - Throws: ``SystemError``.
    func start(_ program: String, in folder: String? = nil, _ arguments: [String], _ environment: [String: String])
        throws(SystemError)
    {
        var argv = (arguments.isEmpty ? [program] : arguments).map { strdup($0) } + [nil]
        var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        let child = sluice_spawn(program, folder, &argv, &envp)
        guard child > 0 else { throw .last("exec \(program)") }
        id = child
        let descriptor = sluice_pidfd_open(child)
        guard descriptor >= 0 else {
            let error = SystemError.last("pidfd_open")
            send(SIGKILL)
            waitpid(child, nil, 0)
            id = nil
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
        if id == child { id = nil }
        let signal = status & 0x7F
        onEnd(signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal))
    }

    func send(_ signal: CInt) {
        if let id { Self.kill(id, signal) }
    }

    /// To what it has started as well.
    func sendToGroup(_ signal: CInt) {
        if let id { Self.kill(-id, signal) }
    }

    private static func kill(_ id: pid_t, _ signal: CInt) {
        #if canImport(Glibc)
        _ = Glibc.kill(id, signal)
        #else
        _ = Darwin.kill(id, signal)
        #endif
    }
}
