internal import CSluiceRuntime
internal import Synchronization
internal import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The thread that lets a flush go when its time is over, whatever the delivery thread hangs on: a disk that stalls, a log handler of the
/// app, a resolver. It does nothing else. Started by the first flush that waits.
final class Budgets: Sendable {
    private struct State {
        /// Nil before the thread runs, and where the system has none left: then the delivery thread alone keeps the time.
        var descriptor: CInt?
        /// When the thread looks by itself.
        var nextLook: WallClock.Instant?
    }

    private let state = Mutex(State())

    deinit { if let descriptor = state.withLock(\.descriptor) { close(descriptor) } }

    /// How much later than its time a flush may end: a delivery thread that is well ends it in time, and its ledger is true then.
    static func grace(_ limit: Duration) -> Duration { min(limit / 20, .milliseconds(20)) }

    /// Sees to it that the thread looks at that time, or before it.
    func look(at time: WallClock.Instant, _ start: () -> CInt?) {
        let mustWake = state.withLock { state in
            if state.descriptor == nil { state.descriptor = start() }
            guard state.nextLook.map({ time < $0 }) ?? true else { return false }
            state.nextLook = time
            return true
        }
        if mustWake { wake() }
    }

    func wake() {
        guard let descriptor = state.withLock(\.descriptor) else { return }
        var one: UInt64 = 1
        // A full counter wakes as well as one more would.
        _ = write(descriptor, &one, 8)
    }

    /// On the thread: it will not look by itself, for now.
    func forget() { state.withLock { $0.nextLook = nil } }

    /// On the thread: sleeps until `time`, or until somebody wants an earlier look.
    func sleep(until time: WallClock.Instant?, _ descriptor: CInt) {
        let timeout = state.withLock { state -> CInt in
            state.nextLook = time
            return time.map { CInt(clamping: max($0.remaining.milliseconds + 1, 1)) } ?? -1
        }
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&polled, 1, timeout)
        var counter: UInt64 = 0
        // Only empties the counter.
        _ = read(descriptor, &counter, 8)
    }
}

extension Delivery {
    /// Sees to it that who may wait until `time` does not wait longer.
    func keepBudgets(until time: WallClock.Instant) {
        budgets.look(at: time) {
            let descriptor = sluice_eventfd()
            guard descriptor >= 0 else { return nil }
            let keeper = Unmanaged.passRetained(BudgetKeeper(self, descriptor))
            let code = sluice_start_thread(
                "sluice-budgets",
                { raw in
                    guard let raw else { return }
                    Unmanaged<BudgetKeeper>.fromOpaque(raw).takeRetainedValue().run()
                }, keeper.toOpaque())
            guard code != 0 else { return descriptor }
            keeper.release()
            close(descriptor)
            return nil
        }
    }

    /// From here on nobody is to wait; false where somebody does.
    fileprivate func closeIfIdle() -> Bool {
        state.withLock { state in
            state.isClosed = state.isClosed || state.waiters.isEmpty
            return state.isClosed
        }
    }

    /// Lets those go who should have gone; the time of the next one.
    fileprivate func letOverdueGo() -> WallClock.Instant? {
        let (over, next) = state.withLock { $0.overdue(at: .now) }
        for waiter in over { waiter.resume() }
        return next
    }
}

private final class BudgetKeeper: Sendable {
    let delivery: Delivery
    let descriptor: CInt

    init(_ delivery: Delivery, _ descriptor: CInt) { (self.delivery, self.descriptor) = (delivery, descriptor) }

    func run() {
        while true {
            // From here on whoever comes wakes us, until we know when to look again.
            delivery.budgets.forget()
            let next = delivery.letOverdueGo()
            // Those who wait when the delivery has been stopped are still let go, and nobody waits any more afterwards.
            if next == nil, delivery.isStopping.load(ordering: .acquiring), delivery.closeIfIdle() { return }
            delivery.budgets.sleep(until: next, descriptor)
        }
    }
}
