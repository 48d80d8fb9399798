/// The end of the app's process that the platform has decided on. Confined to the event loop.
final class SandboxEnding {
    /// What a process with internal extensions gets between SIGTERM and SIGKILL.
    static let grace = Duration.milliseconds(500)

    /// Whether it gets a SIGTERM first.
    let isWarned: Bool
    /// Sends SIGKILL when the time is over.
    var limit: Task<Void, Never>?
    private let began = ContinuousClock.now

    init(isWarned: Bool) { self.isWarned = isWarned }

    /// For the console.
    func line(_ end: ProcessEnd) -> String {
        let time = (ContinuousClock.now - began).shownInMilliseconds
        return end == .killed(9)
            ? "shutdown: the app got SIGTERM, did not end within \(Self.grace.milliseconds) ms, and was killed"
            : "shutdown: the app got SIGTERM and \(end) after \(time)"
    }
}
