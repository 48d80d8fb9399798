internal import SluiceCore

/// What waits to be sent, and who waits for it. Decides; ``Delivery`` acts, under its lock.
struct DeliveryQueue: Sendable {
    /// More than this many events at once are not kept.
    static let eventLimit = 1000
    /// More bytes of spans are not kept.
    static let spansLimit = 4 << 20
    /// So many of the events that are on disk are in memory too.
    static let inMemoryLimit = 100

    struct Waiter: Sendable {
        let number: UInt64
        /// Nil: everything.
        let ledger: Ledger?
        /// Whether what older invocations left behind is wanted too, and a probe may be made.
        let drains: Bool
        let until: WallClock.Instant
        /// When it goes at the latest, whatever the delivery thread hangs on.
        let atMost: WallClock.Instant
        let resume: @Sendable () -> Void
        /// Requests that were tried for it and failed: once is enough.
        var tried: Set<String> = []
    }

    enum Job: Sendable {
        case send(QueuedRequest, isProbe: Bool)
        /// The app's callbacks are to see it, then it is written to the spool.
        case prepare(QueuedRequest)
        case idle(until: WallClock.Instant?)
    }

    /// Captured by this process, in order.
    var fresh: [QueuedRequest] = []
    /// What is in the spool: failed before, or left behind by an earlier process.
    var parked: [QueuedRequest] = []
    var waiters: [Waiter] = []
    var breaker = CircuitBreaker()
    var logs = LogBuffer()
    var losses = Losses()
    var lossesToldAt = WallClock.Instant(millisecondsSinceEpoch: 0)
    var spoolSize = 0
    /// The thread has ended, or never began: nobody is to wait for it.
    var isClosed = false
    private var nextWaiter: UInt64 = 0
    /// Whose things the thread has in hand.
    private var inHand: [Ledger] = []

    mutating func add(
        _ ledger: Ledger?, drains: Bool, until: WallClock.Instant, atMost: WallClock.Instant? = nil,
        _ resume: @escaping @Sendable () -> Void
    ) {
        nextWaiter += 1
        waiters.append(
            Waiter(
                number: nextWaiter, ledger: ledger, drains: drains, until: until, atMost: atMost ?? until, resume: resume))
    }

    /// Takes a log entry, unless the buffer is full.
    ///
    /// - Returns: Also whether the thread must hear of it: of the first, since its age counts, and of the one that makes them due. While
    ///   the server is away nothing is due.
    mutating func add(_ log: LogBuffer.Entry, at now: WallClock.Instant) -> (isTaken: Bool, isNews: Bool) {
        let (isFirst, wasDue) = (logs.isEmpty, logs.isDue(at: now))
        guard logs.add(log, at: now) else { return (false, false) }
        return (true, !breaker.isOpen && (isFirst || logs.isDue(at: now) && !wasDue))
    }

    /// What to do next, and whose wait is over.
    ///
    /// - Parameter holdsBackEvents: The server asked for no events for now: what is in the spool stays there.
    mutating func next(at now: WallClock.Instant, holdsBackEvents: Bool = false) -> (Job, [Waiter]) {
        let (job, over) = choose(at: now, holdsBackEvents: holdsBackEvents)
        switch job {
        case .send(let request, _), .prepare(let request): inHand = request.owners.map(\.ledger)
        case .idle: inHand = []
        }
        return (job, over)
    }

    /// Whether anything of a ledger's is here, and not yet in the spool.
    func concerns(_ ledger: Ledger) -> Bool {
        inHand.contains { $0 === ledger } || logs.contains(ledger)
            || fresh.contains { request in request.owners.contains { $0.ledger === ledger } }
    }

    private mutating func choose(at now: WallClock.Instant, holdsBackEvents: Bool) -> (Job, [Waiter]) {
        var over = expire(at: now)
        // With the server away they stay in their buffer, whose limit holds.
        if !breaker.isOpen, !waiters.isEmpty || logs.isDue(at: now) { moveLogs() }
        // A client that waits for its own response goes before whoever empties the spool.
        while !waiters.isEmpty {
            let first = waiters.firstIndex { !$0.drains } ?? waiters.startIndex
            if let (request, isProbe) = take(for: waiters[first], at: now, holdsBackEvents) {
                return (.send(request, isProbe: isProbe), over)
            }
            over.append(waiters.remove(at: first))
        }
        if let index = fresh.firstIndex(where: { $0.awaitsCallbacks }) { return (.prepare(fresh.remove(at: index)), over) }
        // Logs that nobody flushes leave by their age.
        if !breaker.isOpen, let index = fresh.firstIndex(where: { $0.kind == .logs }) {
            return (.send(fresh.remove(at: index), isProbe: false), over)
        }
        return (.idle(until: breaker.isOpen ? nil : logs.due), over)
    }

    /// Whether spans are taken: while the server is away only those that may find out whether it still is.
    func hasRoom(forSpans size: Int, at now: WallClock.Instant) -> Bool {
        let waiting = fresh.lazy.filter { $0.kind == .spans }
        if breaker.isOpen { return waiting.isEmpty && breaker.mayProbe(at: now) }
        return waiting.reduce(size) { $0 + $1.byteCount } <= Self.spansLimit
    }

    /// A prepared request, or logs that never left, go where they were: before those that are yet to be prepared.
    mutating func putBack(_ request: QueuedRequest) {
        fresh.insert(request, at: fresh.firstIndex { $0.awaitsCallbacks } ?? fresh.endIndex)
    }

    /// Those whose time has come.
    mutating func expire(at now: WallClock.Instant) -> [Waiter] {
        let over = waiters.filter { $0.until <= now }
        if !over.isEmpty { waiters.removeAll { $0.until <= now } }
        return over
    }

    /// Those who should have gone.
    mutating func overdue(at now: WallClock.Instant) -> [Waiter] {
        let over = waiters.filter { $0.atMost <= now }
        if !over.isEmpty { waiters.removeAll { $0.atMost <= now } }
        return over
    }

    private mutating func take(for waiter: Waiter, at now: WallClock.Instant, _ holdsBackEvents: Bool) -> (
        QueuedRequest, Bool
    )? {
        if breaker.isOpen {
            guard waiter.drains, breaker.mayProbe(at: now) else { return nil }
            // An event: it may be repeated, whatever becomes of the probe.
            if let index = fresh.firstIndex(where: { $0.kind == .event && !waiter.tried.contains($0.id) }) {
                return (fresh.remove(at: index), true)
            }
            if !holdsBackEvents, let index = parked.firstIndex(where: { !waiter.tried.contains($0.id) }) {
                return (parked.remove(at: index), true)
            }
            if let index = fresh.firstIndex(where: { $0.kind == .spans && !waiter.tried.contains($0.id) }) {
                return (fresh.remove(at: index), true)
            }
            // Only logs wait: one batch of them is the probe. Those that never left go before younger ones.
            moveLogs()
            return firstLogs(for: waiter).map { (fresh.remove(at: $0), true) }
        }
        func isOwn(_ request: QueuedRequest) -> Bool {
            !waiter.tried.contains(request.id)
                && (waiter.ledger == nil || waiter.drains || request.owners.contains { $0.ledger === waiter.ledger })
        }
        // An error goes first: the time may be short.
        let own = fresh.firstIndex { $0.kind != .spans && isOwn($0) } ?? fresh.firstIndex(where: isOwn)
        // Its own logs may be behind those of others in the buffer.
        let next = own ?? (waiter.ledger.map(logs.contains) == true ? firstLogs(for: waiter) : nil)
        if let next { return (fresh.remove(at: next), false) }
        guard waiter.drains else { return nil }
        if !holdsBackEvents, let index = parked.firstIndex(where: { !waiter.tried.contains($0.id) }) {
            return (parked.remove(at: index), false)
        }
        if !losses.isEmpty, lossesToldAt.advanced(by: .seconds(30)) <= now || lossesToldAt > now {
            return (QueuedRequest(id: "losses", kind: .losses, content: .bytes([]), owners: []), false)
        }
        return nil
    }

    /// The first who wait must not be kept by what failed for them.
    mutating func failed(_ id: String) {
        for index in waiters.indices { waiters[index].tried.insert(id) }
    }

    /// The time that a transfer has: until the last of those who wait gives up.
    var latest: WallClock.Instant? { waiters.map(\.until).max() }

    private func firstLogs(for waiter: Waiter) -> Int? {
        fresh.firstIndex { $0.kind == .logs && !waiter.tried.contains($0.id) }
    }

    /// One batch at a time: what is in the buffer is what its limit holds for.
    private mutating func moveLogs() {
        guard !fresh.contains(where: { $0.kind == .logs }), let request = logs.take() else { return }
        fresh.append(request)
    }
}
