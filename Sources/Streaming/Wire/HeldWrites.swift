internal import Synchronization
internal import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Small writes that wait for the ones behind them, as each send is a system call and wakes the reader: 16 KiB at most, and
/// never longer than a millisecond, whatever their writer does meanwhile.
///
/// Whoever sends on the socket takes what is held first. Appending belongs to one thread; sending may be anybody's.
package final class HeldWrites: Sendable {
    private static let limit = 16_384
    private struct State {
        /// Nil once the stream is over: whoever still looks after it must not keep the connection open.
        var socket: Socket?
        var bytes: [UInt8] = []
        /// When the first of them came, in nanoseconds.
        var since: Int64 = 0
        var isWatched = false
        /// How often the ticker found nothing.
        var idleTicks = 0
    }

    private let state: Mutex<State>
    private let patience: Int64

    /// - Parameter patience: Nanoseconds after which the ticker sends: half of what is promised, the other half is its own delay.
    package init(_ socket: Socket, patience: Int64 = 500_000) {
        state = Mutex(State(socket: socket))
        self.patience = patience
    }

    /// Keeps one more chunk. False when there is no room: then it is to be sent with what is held.
    package func append(_ head: [UInt8], _ bytes: [UInt8], _ tail: [UInt8]) -> Bool {
        guard let ticker = Ticker.shared else { return false }
        let size = head.count + bytes.count + tail.count
        let outcome = state.withLock { state -> (isKept: Bool, mustWatch: Bool) in
            guard state.socket != nil, state.bytes.count + size <= Self.limit else { return (false, false) }
            if state.bytes.isEmpty {
                state.since = MonotonicClock.now
                state.bytes.reserveCapacity(Self.limit)
            }
            state.bytes += head
            state.bytes += bytes
            state.bytes += tail
            defer { state.isWatched = true }
            return (true, !state.isWatched)
        }
        if outcome.mustWatch { ticker.watch(self) }
        return outcome.isKept
    }

    /// What is held; it is the caller's to send.
    package func take() -> [UInt8] {
        state.withLock { state in
            if state.bytes.isEmpty { return [] }
            defer { state.bytes = [] }
            return state.bytes
        }
    }

    /// Ends it: nothing is held any more, nor is the socket.
    package func retire() { state.withLock { ($0.socket, $0.bytes) = (nil, []) } }

    /// Sends what the kernel takes. False when something is left: the socket is full, or broken, which the next send will tell.
    package func sendNow() -> Bool {
        state.withLock { state in
            _ = send(&state)
            return state.bytes.isEmpty
        }
    }

    /// False when the socket is broken.
    private func send(_ state: inout State) -> Bool {
        guard !state.bytes.isEmpty, let socket = state.socket else { return true }
        let outcome = state.bytes.withUnsafeBytes { bytes in Result { () throws(SystemError) in try socket.send(bytes) } }
        guard case .success(let sent) = outcome else { return false }
        if sent == state.bytes.count {
            state.bytes.removeAll(keepingCapacity: true)
        } else {
            state.bytes.removeFirst(sent ?? 0)
        }
        return true
    }

    /// False when there has been nothing to do for a while, or never will be.
    fileprivate func tick() -> Bool {
        state.withLock { state in
            if state.socket != nil, !state.bytes.isEmpty {
                state.idleTicks = 0
                if MonotonicClock.now - state.since < patience || send(&state) { return true }
                // Broken, which its writer's next send will tell.
            } else if state.socket != nil, state.idleTicks < 20 {
                state.idleTicks += 1
                return true
            }
            (state.idleTicks, state.isWatched) = (0, false)
            return false
        }
    }
}

/// One thread that looks after held writes while there are any. A writer that computes after its write, without ever
/// suspending, would keep it otherwise.
private final class Ticker: Sendable {
    /// Nil where the system has no thread or descriptor left: then nothing is held.
    static let shared = Ticker()

    private let members = Mutex<[HeldWrites]>([])
    private let wakeUp: WakeUp

    private init?() {
        do throws(SystemError) {
            wakeUp = try WakeUp()
            try OwnedThread.start("sluice-ticker") { self.run() }
        } catch {
            return nil
        }
    }

    func watch(_ held: HeldWrites) {
        let isFirst = members.withLock { members in
            members.append(held)
            return members.count == 1
        }
        if isFirst { wakeUp.signal() }
    }

    private func run() {
        while true {
            let current = members.withLock(\.self)
            if current.isEmpty {
                // For ever: nothing of ours wakes a sandbox that is idle, or about to freeze.
                wakeUp.sleep()
                continue
            }
            usleep(300)
            let done = current.filter { !$0.tick() }
            if done.isEmpty { continue }
            members.withLock { members in
                // One place for each: it may have come back in the meantime.
                for member in done {
                    if let place = members.firstIndex(where: { $0 === member }) { members.remove(at: place) }
                }
            }
        }
    }
}
