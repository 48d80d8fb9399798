internal import Synchronization

/// Calls things at their times, on one thread that nobody's work can block: a budget is kept here, whatever its work hangs on. Started
/// by the first that is set.
package final class Alarms: Sendable {
    package static let shared = Alarms()

    private struct Alarm {
        let number: UInt64
        let time: WallClock.Instant
        let ring: @Sendable () -> Void
    }

    private struct State {
        /// Nil before the thread runs.
        var wakeUp: WakeUp?
        var alarms: [Alarm] = []
        var lastNumber: UInt64 = 0
        /// When the thread looks by itself; nil while it does not.
        var nextLook: WallClock.Instant?
    }

    private let state = Mutex(State())

    /// Calls `ring` at that time, unless it is cancelled before.
    ///
    /// - Parameter ring: Must neither wait nor run the app's own code.
    /// - Returns: Its number; nil where the system has no thread left for it, and it will not ring.
    package func set(at time: WallClock.Instant, _ ring: @escaping @Sendable () -> Void) -> UInt64? {
        let (number, wakeUp) = state.withLock { state -> (UInt64?, WakeUp?) in
            guard let wakeUp = state.wakeUp ?? start() else { return (nil, nil) }
            state.wakeUp = wakeUp
            state.lastNumber += 1
            state.alarms.append(Alarm(number: state.lastNumber, time: time, ring: ring))
            // A look that should have been (a long freeze, a stepped clock) is not to be relied on.
            let now = WallClock.Instant.now
            guard state.nextLook.map({ time < $0 || $0 < now }) ?? true else { return (state.lastNumber, nil) }
            state.nextLook = time
            return (state.lastNumber, wakeUp)
        }
        wakeUp?.signal()
        return number
    }

    /// It is not called any more, unless that is just happening.
    package func cancel(_ number: UInt64) {
        // What goes is let go outside of the lock.
        let old = state.withLock { state in
            state.alarms.firstIndex { $0.number == number }.map { state.alarms.remove(at: $0) }
        }
        withExtendedLifetime(old) {}
    }

    private func start() -> WakeUp? {
        do throws(SystemError) {
            let wakeUp = try WakeUp()
            try OwnedThread.start("sluice-alarms", takesSignals: false) { self.run(wakeUp) }
            return wakeUp
        } catch {
            return nil
        }
    }

    private func run(_ wakeUp: WakeUp) {
        while true {
            let due = state.withLock { state in
                // From here on whoever comes wakes us, until we know when to look again.
                state.nextLook = nil
                let now = WallClock.Instant.now
                defer { state.alarms.removeAll { $0.time <= now } }
                return state.alarms.filter { $0.time <= now }
            }
            for alarm in due { alarm.ring() }
            let next = state.withLock { state in
                state.nextLook = state.alarms.map(\.time).min()
                return state.nextLook
            }
            wakeUp.sleep(for: next?.remaining)
        }
    }
}
