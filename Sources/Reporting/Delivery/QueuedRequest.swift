internal import SluiceCore

/// One request on its way.
package struct QueuedRequest: Sendable {
    /// What it carries.
    package enum Kind: String, Sendable, Hashable {
        /// One report, which has an id.
        case event
        /// Log entries, which have none.
        case logs
        /// The spans of one piece of work: never in the spool, and not sent twice.
        case spans
        /// Counts of what was thrown away.
        case losses
    }

    enum Content: Sendable {
        /// An event that is yet to be made ready: symbols, and what the app has to say about it.
        case event(ReportEvent, UserCallbacks)
        case bytes([UInt8])
        case logs([[UInt8]])
        /// The bytes are in the spool.
        case file
    }

    let id: String
    let kind: Kind
    var content: Content
    /// The name of its file in the spool; nil where it has none.
    var file: String?
    /// Whose ledgers it is in, and how many things of each.
    var owners: [(ledger: Ledger, count: Int)]
    var line = ReportLedger.Line.pending
    /// The error that an event is about: when the app's callbacks drop the event, it may be captured again.
    var source: (error: any Error, box: ReportingScope)?
    /// In bytes; of spans how many there are.
    var size = 0

    /// In memory.
    var byteCount: Int { if case .bytes(let bytes) = content { bytes.count } else { 0 } }

    var count: Int { owners.reduce(0) { $0 + $1.count } }

    /// Whether the app's callbacks have yet to see it.
    var awaitsCallbacks: Bool {
        if case .event(_, let callbacks) = content { !callbacks.isEmpty && file == nil } else { false }
    }

    /// Whether it may be sent again after a connection failed: an event has an id, by which a server or a reader knows it again.
    var isRepeatable: Bool { kind == .event }

    mutating func move(to line: ReportLedger.Line) {
        for (ledger, count) in owners { ledger.move(count, from: self.line, to: line) }
        self.line = line
    }
}
