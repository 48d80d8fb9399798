/// One envelope on its way.
struct QueuedEnvelope: Sendable {
    enum Content: Sendable {
        /// An event that is yet to be made ready: symbols, and what the app has to say about it.
        case event(ReportEvent, UserCallbacks)
        case bytes([UInt8])
        /// Structured logs.
        case logs(ReportEnvelope.Item)
        /// In the spool.
        case file
    }

    let id: String
    let category: ReportCategory
    var content: Content
    /// The name of its file in the spool; nil where it has none.
    var file: String?
    /// Whose ledgers it is in, and how many things of each.
    var owners: [(ledger: Ledger, count: Int)]
    var line = ReportLedger.Line.pending
    /// The error that an event is about: when the app's callbacks drop the event, it may be captured again.
    var source: (error: any Error, box: ScopeBox)?
    var size = 0

    var count: Int { owners.reduce(0) { $0 + $1.count } }

    /// Whether the app's callbacks have yet to see it.
    var awaitsCallbacks: Bool {
        if case .event(_, let callbacks) = content { !callbacks.isEmpty && file == nil } else { false }
    }

    /// Whether it may be sent again after a connection failed: the server takes an event's id once.
    var isRepeatable: Bool { category == .error }

    mutating func move(to line: ReportLedger.Line) {
        for (ledger, count) in owners { ledger.move(count, from: self.line, to: line) }
        self.line = line
    }
}

/// The app's own code that sees events before they leave.
struct UserCallbacks: Sendable {
    var processors: [@Sendable (ReportEvent) throws -> ReportEvent?]
    var beforeSend: (@Sendable (ReportEvent) throws -> ReportEvent?)?

    var isEmpty: Bool { processors.isEmpty && beforeSend == nil }

    enum Verdict: Sendable {
        case event(ReportEvent)
        case drop(DropReason, String)
    }

    func run(_ event: ReportEvent) -> Verdict {
        var event = event
        do {
            for process in processors {
                guard let next = try process(event) else { return .drop(.eventProcessor, "an event processor dropped it") }
                event = next
            }
        } catch {
            return .drop(.eventProcessor, "an event processor threw \(error)")
        }
        do {
            if let beforeSend {
                guard let next = try beforeSend(event) else { return .drop(.beforeSend, "beforeSend dropped it") }
                event = next
            }
        } catch {
            return .drop(.beforeSend, "beforeSend threw \(error)")
        }
        return .event(event)
    }
}
