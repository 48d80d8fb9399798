internal import SluiceCore

/// Whether the server is worth a client's time. Pure: the moment is handed in.
///
/// After one failed delivery it is open: flushes before a reply cost nothing, and recovery is probed after one. A probe may take
/// a tenth of the time at most: the longer one takes, the longer it is until the next.
struct CircuitBreaker: Sendable, Equatable {
    private(set) var failures = 0
    private var nextProbe = WallClock.Instant(millisecondsSinceEpoch: 0)

    static let longestWait = Duration.seconds(60)

    var isOpen: Bool { failures > 0 }

    func mayProbe(at now: WallClock.Instant) -> Bool { now >= nextProbe || nextProbe > now.advanced(by: Self.longestWait) }

    mutating func succeeded() { self = CircuitBreaker() }

    mutating func failed(after cost: Duration, at now: WallClock.Instant) {
        failures = min(failures + 1, 30)
        // The first probe is free: the failure before it may have been one of a kind.
        guard failures > 1 else { return }
        let wait = cost * 10 * (1 << min(failures - 2, 6))
        nextProbe = now.advanced(by: min(max(wait, .milliseconds(5)), Self.longestWait))
    }
}
