internal import Logging

/// Takes failures to wherever somebody looks at them: an error tracker, a collector, a test's list.
///
/// `CaptureErrors(to: …)` names an app's reporters. Each failure's log record is written in any case, before they hear of it.
/// In ``capture(_:)`` and ``flush(within:)`` `InvocationScope.current` is the invocation that the failure belongs to; nil
/// outside of one, at start-up say.
public protocol ErrorReporter: Sendable {
    /// The lowest status of an error response that it wants to hear of: 500 unless it says otherwise. What is below 400 counts as 400,
    /// what is above 500 as 500.
    var lowestStatus: Int { get }

    /// Called once, when the app waits for its first invocation: the time to open what delivering needs. The default does nothing.
    func begin()

    /// Takes one failure. Called where it happened, as a rule on the invocation's own thread: keep it, and send it in ``flush(within:)``.
    func capture(_ failure: Failure)

    /// Returns when all that was captured is delivered, or is safe where it can be delivered later. What takes longer than `limit` is not
    /// waited for, and its task is cancelled. It should suspend and not block its thread, which is one of Swift's shared pool.
    /// With nothing pending it should cost nothing: it is called before each reply, and after it.
    func flush(within limit: Duration) async
}

extension ErrorReporter {
    /// 500.
    public var lowestStatus: Int { 500 }

    /// Nothing.
    public func begin() {}

    /// Whether it wants to hear of a failure.
    package func wants(_ failure: Failure) -> Bool {
        failure.level >= .error || failure.outcome == .captured || failure.outcome == .platformError
            || failure.status ?? 0 >= max(400, min(lowestStatus, 500))
    }
}
