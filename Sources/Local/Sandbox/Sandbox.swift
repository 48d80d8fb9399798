internal import SluiceStreaming
internal import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The app's process: a child, started, frozen, thawed and killed as Lambda would. Confined to the event loop.
final class Sandbox: AppProcess, @unchecked Sendable {  // used on the loop's thread only
    private let process: ChildProcess
    private let program: String
    private let folder: String?
    private let arguments: [String]
    private let environment: [String: String]
    private(set) var isFrozen = false
    /// Called when a process has ended.
    var onEnd: (ProcessEnd) -> Void = { _ in }
    var isRunning: Bool { process.id != nil }

    /// - Parameter folder: Where the app works; where this process does if nil.
    init(_ loop: EventLoop, program: String, in folder: String? = nil, arguments: [String], environment: [String: String]) {
        process = ChildProcess(loop)
        self.program = program
        self.folder = folder
        self.arguments = arguments
        self.environment = environment
        process.onEnd = { [weak self] end in
            self?.isFrozen = false
            self?.onEnd(end)
        }
    }

    /// Starts the app in a new process.
    ///
    /// - Throws: ``SystemError``.
    func start() throws(SystemError) {
        try process.start(program, in: folder, arguments, environment)
        isFrozen = false
    }

    func freeze() {
        guard isRunning, !isFrozen, !isTraced else { return }
        process.send(SIGSTOP)
        isFrozen = true
    }

    func thaw() {
        guard isRunning, isFrozen else { return }
        process.send(SIGCONT)
        isFrozen = false
    }

    func kill() { process.send(SIGKILL) }

    func terminate() {
        thaw()
        process.send(SIGTERM)
    }

    /// Whether a debugger is attached to the app.
    var isTraced: Bool { process.id.map { Debugger.isAttached(to: String($0)) } ?? false }
}
