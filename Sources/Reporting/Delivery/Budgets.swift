internal import SluiceCore
internal import Synchronization

/// The thread that lets a flush go when its time is over, whatever the delivery thread hangs on: a disk that stalls, a log handler of the
/// app, a resolver. It does nothing else. Started by the first flush that waits.
final class Budgets: Sendable {
    private struct State {
        /// Nil before the thread runs, and where the system has none left: then the delivery thread alone keeps the time.
        var wakeUp: WakeUp?
        /// When the thread looks by itself.
        var nextLook: WallClock.Instant?
    }

    private let state = Mutex(State())

    /// How much later than its time a flush may end: a delivery thread that is well ends it in time, and its ledger is true then.
    static func grace(_ limit: Duration) -> Duration { min(limit / 20, .milliseconds(20)) }

    /// Sees to it that the thread looks at that time, or before it.
    func look(at time: WallClock.Instant, _ start: () -> WakeUp?) {
        let mustWake = state.withLock { state in
            if state.wakeUp == nil { state.wakeUp = start() }
            guard state.nextLook.map({ time < $0 }) ?? true else { return false }
            state.nextLook = time
            return true
        }
        if mustWake { wake() }
    }

    func wake() { state.withLock(\.wakeUp)?.signal() }

    /// On the thread: it will not look by itself, for now.
    func forget() { state.withLock { $0.nextLook = nil } }

    /// On the thread: sleeps until `time`, or until somebody wants an earlier look.
    func sleep(until time: WallClock.Instant?, _ wakeUp: WakeUp) {
        let left = state.withLock { state in
            state.nextLook = time
            return time?.remaining
        }
        wakeUp.sleep(for: left)
    }
}

extension Delivery {
    /// Sees to it that who may wait until `time` does not wait longer.
    func keepBudgets(until time: WallClock.Instant) {
        budgets.look(at: time) {
            do throws(SystemError) {
                let wakeUp = try WakeUp()
                try OwnedThread.start("sluice-budgets", takesSignals: false) { self.keepBudgets(wakeUp) }
                return wakeUp
            } catch {
                return nil
            }
        }
    }

    private func keepBudgets(_ wakeUp: WakeUp) {
        while true {
            // From here on whoever comes wakes us, until we know when to look again.
            budgets.forget()
            let next = letOverdueGo()
            // Those who wait when the delivery has been stopped are still let go, and nobody waits any more afterwards.
            if next == nil, isStopping.load(ordering: .acquiring), closeIfIdle() { return }
            budgets.sleep(until: next, wakeUp)
        }
    }

    /// From here on nobody is to wait; false where somebody does.
    private func closeIfIdle() -> Bool {
        state.withLock { state in
            state.isClosed = state.isClosed || state.waiters.isEmpty
            return state.isClosed
        }
    }

    /// Lets those go who should have gone; the time of the next one.
    private func letOverdueGo() -> WallClock.Instant? {
        let (over, next) = state.withLock { $0.overdue(at: .now) }
        for waiter in over { waiter.resume() }
        return next
    }
}
