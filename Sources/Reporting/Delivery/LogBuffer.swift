internal import SluiceCore

/// Log entries on their way: 100 to a request, sent when that many have come together, five seconds after the first one, or with
/// the next flush.
package struct LogBuffer: Sendable {
    static let itemLimit = 100
    static let queueLimit = 1000
    static let longestWait = Duration.seconds(5)

    package struct Entry: Sendable {
        let bytes: [UInt8]
        let ledger: Ledger

        /// - Parameters:
        ///   - bytes: The entry, in the format's own form.
        ///   - ledger: Whose it is.
        package init(_ bytes: [UInt8], ledger: Ledger) {
            self.bytes = bytes
            self.ledger = ledger
        }
    }

    private var entries: [Entry] = []
    private var first = WallClock.Instant(millisecondsSinceEpoch: 0)
    private var taken = 0

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }

    /// Whether something of a ledger's is in it.
    func contains(_ ledger: Ledger) -> Bool { entries.contains { $0.ledger === ledger } }

    /// False when the buffer is full: the newest is the one that goes.
    mutating func add(_ entry: Entry, at now: WallClock.Instant) -> Bool {
        guard entries.count < Self.queueLimit else { return false }
        if entries.isEmpty { first = now }
        entries.append(entry)
        return true
    }

    /// When the buffer must be sent by itself.
    var due: WallClock.Instant? { entries.isEmpty ? nil : first.advanced(by: Self.longestWait) }

    func isDue(at now: WallClock.Instant) -> Bool {
        entries.count >= Self.itemLimit || (due.map { $0 <= now || first > now } ?? false)
    }

    /// The oldest hundred, as one envelope.
    mutating func take() -> QueuedRequest? {
        guard !entries.isEmpty else { return nil }
        let batch = entries.prefix(Self.itemLimit)
        entries.removeFirst(batch.count)
        taken += 1
        var owners: [(ledger: Ledger, count: Int)] = []
        for entry in batch {
            if let index = owners.firstIndex(where: { $0.ledger === entry.ledger }) {
                owners[index].count += 1
            } else {
                owners.append((entry.ledger, 1))
            }
        }
        return QueuedRequest(
            id: "logs-\(taken)", kind: .logs, content: .logs(batch.map(\.bytes)), owners: owners,
            size: batch.reduce(0) { $0 + $1.bytes.count })
    }
}
