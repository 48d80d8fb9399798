import FoundationEssentials
import Sluice
import Synchronization

/// What the process keeps between invocations.
final class Memory: Sendable {
    private struct State {
        var gaps: [Int] = []
        var afterReply: [String] = []
        var ticks = 0
        var isTicking = false
        /// Of handlers that never return: dropped, they would be reported by the runtime.
        var forever: [CheckedContinuation<String, Never>] = []
    }

    /// Another one after each start.
    let process = UUID().uuidString.lowercased()
    private let state = Mutex(State())

    func keep(_ continuation: CheckedContinuation<String, Never>) { state.withLock { $0.forever.append(continuation) } }
    func keepAfterReply(_ id: String) { state.withLock { $0.afterReply.append(id) } }

    func thawed(after gap: Duration) {
        let milliseconds = gap.inMilliseconds
        state.withLock { $0.gaps.append(milliseconds) }
        print("canary: thawed after \(milliseconds) ms")
    }

    /// What it looks like now. From the first look on a task counts twentieths of a second, if it is let.
    func look() -> Look {
        let begins = state.withLock { state in
            defer { state.isTicking = true }
            return !state.isTicking
        }
        if begins { Task.detached { await self.tick() } }
        return state.withLock { state in
            Look(
                process: process, wall: Int(WallClock.Instant.now.millisecondsSinceEpoch),
                continuous: origin.continuous.duration(to: .now).inMilliseconds,
                suspending: origin.suspending.duration(to: .now).inMilliseconds, ticks: state.ticks, gaps: state.gaps,
                afterReply: state.afterReply)
        }
    }

    private func tick() async {
        while true {
            // Nobody cancels it: the process ends with it.
            try? await Task.sleep(for: .milliseconds(50))
            state.withLock { $0.ticks += 1 }
        }
    }

    private let origin = (continuous: ContinuousClock.now, suspending: SuspendingClock.now)
}

/// Clocks in milliseconds, and what was kept.
struct Look: Encodable, Sendable {
    let process: String
    let wall: Int
    let continuous: Int
    let suspending: Int
    let ticks: Int
    let gaps: [Int]
    let afterReply: [String]
}

extension Duration {
    var inMilliseconds: Int { Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000) }
}
