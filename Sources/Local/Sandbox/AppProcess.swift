internal import SluiceCore

/// What the app runs in, as the broker sees it. Confined to the event loop.
protocol AppProcess: AnyObject, Sendable {
    /// Whether it has been started and has not ended.
    var isRunning: Bool { get }
    var isFrozen: Bool { get }
    /// Whether a debugger is attached to it.
    var isTraced: Bool { get }
    /// Called when it has ended.
    var onEnd: (ProcessEnd) -> Void { get set }

    /// - Throws: ``SystemError``.
    func start() throws(SystemError)
    func freeze()
    func thaw()
    /// Ends it with SIGKILL.
    func kill()
    /// Thaws it and sends SIGTERM.
    func terminate()
}

/// How a process ended.
enum ProcessEnd: Equatable, CustomStringConvertible {
    case exited(Int32)
    case killed(Int32)
    var description: String {
        switch self {
        case .exited(let status): "exited with status \(status)"
        case .killed(let signal): "was ended by signal \(signal)"
        }
    }
}

/// This very process: a test's. It is neither frozen nor killed, as the test would be too.
final class OwnProcess: AppProcess, @unchecked Sendable {  // used on the loop's thread only
    private(set) var isRunning = false
    let isFrozen = false
    let isTraced = false
    var onEnd: (ProcessEnd) -> Void = { _ in }

    func start() { isRunning = true }
    func freeze() {}
    func thaw() {}
    func kill() {}
    func terminate() {}
}
