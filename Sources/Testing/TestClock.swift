public import SluiceCore
internal import Synchronization

/// A clock that stands still until the test moves it.
///
/// A client that has one gives each request a deadline by it. When the clock comes to 500 ms before it, or to 80 % of the time where that is
/// less, the request's task is cancelled as by the deadline guard, and its response is the 504 of a time-out.
public final class TestClock: Sendable {
    private struct Run {
        let at: WallClock.Instant
        let state: InvocationScope.State?
        let task: Task<Void, Never>?
    }

    private struct State {
        var now: WallClock.Instant
        var runs: [Run] = []
    }

    private let state: Mutex<State>

    /// - Parameter start: What it shows first.
    public init(_ start: WallClock.Instant = WallClock.Instant(millisecondsSinceEpoch: 1_700_000_000_000)) {
        state = Mutex(State(now: start))
        ManualTime.use()
    }

    /// What it shows.
    public var now: WallClock.Instant { state.withLock(\.now) }

    /// Moves it forward, and does what is due then.
    public func advance(by time: Duration) {
        let due = state.withLock { state in
            let now = state.now.advanced(by: max(time, .zero))
            state.now = now
            let due = state.runs.filter { $0.at <= now }
            state.runs.removeAll { $0.at <= now }
            return due
        }
        for run in due { run.state?.isTimedOut = true }
        for run in due { run.task?.cancel() }
    }

    func began(_ scope: InvocationScope.State, until deadline: WallClock.Instant?) { add(scope, nil, deadline) }
    func task(_ task: Task<Void, Never>, until deadline: WallClock.Instant?) { add(nil, task, deadline) }

    private func add(_ scope: InvocationScope.State?, _ task: Task<Void, Never>?, _ deadline: WallClock.Instant?) {
        guard let deadline else { return }
        let isDue = state.withLock { state in
            let left = state.now.duration(to: deadline)
            let at = deadline.advanced(by: .zero - min(.milliseconds(500), left / 5))
            guard at > state.now else { return true }
            state.runs.append(Run(at: at, state: scope, task: task))
            return false
        }
        if isDue {
            scope?.isTimedOut = true
            task?.cancel()
        }
    }
}
