internal import Synchronization
internal import SluiceCore

/// What became of everything that was captured: each thing is in exactly one line at any time.
public struct ReportLedger: Sendable, Hashable, CustomStringConvertible {
    /// Not yet sent.
    public var pending = 0
    /// The server has it.
    public var delivered = 0
    /// What is on disk, for the next chance.
    public var spooled = 0
    /// The server said no, by status.
    public var refused: [Int: Int] = [:]
    /// Left out, by reason.
    public var dropped: [DropReason: Int] = [:]

    package init() {}

    /// How many things were captured.
    public var captured: Int {
        pending + delivered + spooled + refused.values.reduce(0, +) + dropped.values.reduce(0, +)
    }

    /// Whether the server has all of it.
    public var isDelivered: Bool { delivered == captured }

    /// All lines in words, as `3 captured: 2 delivered, 1 spooled`.
    public var description: String {
        var parts: [String] = []
        if delivered > 0 { parts.append("\(delivered) delivered") }
        if spooled > 0 { parts.append("\(spooled) spooled") }
        if pending > 0 { parts.append("\(pending) pending") }
        let refusals = Dictionary(uniqueKeysWithValues: refused.map { ("refused (\($0))", $1) })
        let losses = Dictionary(uniqueKeysWithValues: dropped.map { ("dropped (\($0))", $1) })
        parts += (refusals.inOrder + losses.inOrder).map { "\($1) \($0)" }
        return "\(captured) captured" + (parts.isEmpty ? "" : ": " + parts.joined(separator: ", "))
    }

    /// One captured thing's line.
    package enum Line: Sendable, Hashable {
        case pending, delivered, spooled
        case refused(Int)
        case dropped(DropReason)
    }

    mutating func add(_ line: Line, _ count: Int) {
        switch line {
        case .pending: pending += count
        case .delivered: delivered += count
        case .spooled: spooled += count
        case .refused(let status):
            refused[status, default: 0] += count
            if refused[status] == 0 { refused[status] = nil }
        case .dropped(let reason):
            dropped[reason, default: 0] += count
            if dropped[reason] == 0 { dropped[reason] = nil }
        }
    }
}

/// The ledger of one invocation, or of the process.
package final class Ledger: Sendable {
    private let counts = Mutex(ReportLedger())
    /// Read without the lock by a flush that finds nothing to do.
    private let open = Atomic(0)
    private let used = Atomic(false)

    package init() {}

    package var now: ReportLedger { counts.withLock { $0 } }

    /// Whether anything is still pending.
    package var hasPending: Bool { open.load(ordering: .acquiring) > 0 }

    /// Whether anything was ever captured.
    package var isUsed: Bool { used.load(ordering: .acquiring) }

    package func enter(_ line: ReportLedger.Line, _ count: Int = 1) {
        counts.withLock { $0.add(line, count) }
        used.store(true, ordering: .releasing)
        if line == .pending { open.add(count, ordering: .acquiringAndReleasing) }
    }

    func move(_ count: Int = 1, from old: ReportLedger.Line, to new: ReportLedger.Line) {
        guard old != new else { return }
        counts.withLock { counts in
            counts.add(old, -count)
            counts.add(new, count)
        }
        if old == .pending { open.subtract(count, ordering: .acquiringAndReleasing) }
        if new == .pending { open.add(count, ordering: .acquiringAndReleasing) }
    }
}
