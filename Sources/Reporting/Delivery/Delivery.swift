internal import Logging
internal import CSluiceRuntime
internal import Synchronization
internal import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Takes reports to the server, on one thread of its own that owns libcurl. Nothing else blocks there.
final class Delivery: Sendable {
    let settings: ReportSettings
    let dsn: DSN
    let spool: Spool
    let state = Mutex(DeliveryQueue())
    let limits = Mutex(RateLimits())
    /// What could be sent, parked parcels included: a flush that finds nothing reads this and no more.
    let work = Atomic(0)
    /// Whether there are losses that the server has not been told of.
    let hasReports = Atomic(false)
    let wake: CInt
    let isStopping = Atomic(false)
    let budgets = Budgets()
    let notices: Diagnostics

    init(_ settings: ReportSettings, _ dsn: DSN, _ notices: Diagnostics, wake: CInt = sluice_eventfd()) {
        self.settings = settings
        self.dsn = dsn
        self.notices = notices
        spool = Spool(root: settings.spoolFolder, destination: dsn.destination)
        self.wake = wake
    }

    deinit { close(wake) }

    /// Starts the thread. What an earlier process left in the spool is found here.
    func start() {
        recover()
        guard wake >= 0 else { return shut("no descriptor is left to wake their thread with") }
        let code = sluice_start_thread(
            "sluice-reports",
            { raw in
                guard let raw else { return }
                Unmanaged<Delivery>.fromOpaque(raw).takeRetainedValue().run()
            }, Unmanaged.passRetained(self).toOpaque())
        guard code != 0 else { return }
        Unmanaged.passUnretained(self).release()
        shut("no thread is left for them (\(code))")
    }

    /// From here on nobody waits: what is captured stays in the spool.
    private func shut(_ problem: String) {
        state.withLock { $0.isClosed = true }
        notices.once(.error, "reports cannot be sent: \(problem)")
    }

    /// Ends the thread after what it is doing; what is left stays in the spool.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        signal()
        budgets.wake()
    }

    private func recover() {
        let now = WallClock.Instant.now
        var found: [(name: String, size: Int)] = []
        do throws(SpoolError) {
            found = try spool.list()
        } catch {
            warn(error)
        }
        func isOld(_ name: String) -> Bool { Spool.time(of: name).map { $0.duration(to: now) >= Spool.ageLimit } ?? true }
        // Not under the lock: a disk may stall.
        for (name, _) in found where isOld(name) { spool.remove(name) }
        state.withLock { state in
            for (name, size) in found {
                guard !isOld(name) else {
                    state.reports.add(.cacheOverflow, .error)
                    continue
                }
                state.spoolSize += size
                var parcel = QueuedEnvelope(
                    id: name, category: .error, content: .file, file: name, owners: [(ScopeBox.process.ledger, 1)], size: size)
                ScopeBox.process.ledger.enter(.spooled)
                parcel.line = .spooled
                state.parked.append(parcel)
            }
            work.store(state.parked.count, ordering: .releasing)
            if !state.parked.isEmpty { notices.debug("\(state.parked.count) reports of an earlier process are in the spool") }
        }
    }

    // MARK: What others call

    /// Takes an event. When this returns it is on disk, unless the app has callbacks that must see it first.
    func submit(_ event: ReportEvent, _ callbacks: UserCallbacks, owner: Ledger, source: (any Error, ScopeBox)?) {
        var parcel = QueuedEnvelope(
            id: event.id, category: .error, content: .event(event, callbacks), owners: [(owner, 1)],
            source: callbacks.isEmpty ? nil : source.map { ($0.0, $0.1) })
        owner.enter(.pending)
        if callbacks.isEmpty { keep(&parcel, envelope(of: Symbols.bare(event))) }
        work.add(1, ordering: .acquiringAndReleasing)
        let isFull = state.withLock { state in
            guard state.fresh.count(where: { $0.category == .error }) < DeliveryQueue.eventLimit else { return true }
            state.fresh.append(parcel)
            return false
        }
        if isFull { drop(parcel, .queueOverflow, "more events wait than the queue holds") }
        // The app's callbacks come before the disk: at once, whoever waits for it or not.
        if !callbacks.isEmpty { signal() }
    }

    func submit(_ log: LogBuffer.Entry) {
        log.ledger.enter(.pending)
        let now = WallClock.Instant.now
        let (isTaken, isNews) = state.withLock { state in state.add(log, at: now) }
        guard isTaken else {
            log.ledger.move(from: .pending, to: .dropped(.bufferOverflow))
            return count(.bufferOverflow, .logItem, bytes: log.json.count)
        }
        work.add(1, ordering: .acquiringAndReleasing)
        if isNews { signal() }
    }

    /// Something was dropped before it came here.
    func count(_ reason: DropReason, _ category: ReportCategory, bytes: Int = 0) {
        guard settings.options.sendClientReports else { return }
        state.withLock { state in
            state.reports.add(reason, category)
            hasReports.store(true, ordering: .releasing)
            if category == .logItem { state.reports.add(reason, .logByte, bytes) }
        }
    }

    /// Whether a flush that drains has anything to do.
    var hasWork: Bool { work.load(ordering: .acquiring) > 0 || hasReports.load(ordering: .acquiring) }

    /// Waits until all of a ledger is accounted for, or for `limit`.
    ///
    /// - Parameters:
    ///   - ledger: Whose things; nil for everybody's.
    ///   - drains: Whether the spool is emptied too, and a server that was away may be tried again.
    func flush(_ ledger: Ledger?, drains: Bool, within limit: Duration) async {
        guard drains ? hasWork : (ledger?.hasPending ?? true) else { return }
        guard limit > .zero else {
            notices.debug("no time is left for a flush")
            return park(ledger)
        }
        let until = WallClock.Instant.now.advanced(by: limit)
        let atMost = until.advanced(by: Budgets.grace(limit))
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isOpen = state.withLock { state in
                if state.isClosed || (state.breaker.isOpen && !drains) { return true }
                state.add(ledger, drains: drains, until: until, atMost: atMost) { continuation.resume() }
                return false
            }
            guard !isOpen else { return continuation.resume() }
            keepBudgets(until: atMost)
            signal()
        }
        park(ledger)
    }

    /// What was not sent and is on disk is `spooled` from here on.
    private func park(_ ledger: Ledger?) {
        state.withLock { state in
            for index in state.fresh.indices where state.fresh[index].file != nil && state.fresh[index].line == .pending {
                guard ledger == nil || state.fresh[index].owners.contains(where: { $0.ledger === ledger }) else { continue }
                state.fresh[index].move(to: .spooled)
            }
            // A few keep their addresses to be given names; the others are on disk, and need no memory.
            while state.fresh.count > DeliveryQueue.inMemoryLimit,
                let index = state.fresh.firstIndex(where: { $0.file != nil && $0.line == .spooled })
            {
                var parcel = state.fresh.remove(at: index)
                parcel.content = .file
                state.parked.append(parcel)
            }
        }
    }

    private func signal() {
        var one: UInt64 = 1
        // A full counter wakes as well as one more would.
        _ = write(wake, &one, 8)
    }

    // MARK: The thread

    private func run() {
        // Here and not at the first report: that one may have little time.
        let transport = WireTransport(settings, dsn)
        if transport == nil { notices.once(.error, "reports cannot be sent: \(WireTransport.problem)") }
        while !isStopping.load(ordering: .acquiring) {
            let isHeldBack = isLimited(.error)
            let (job, over) = state.withLock { $0.next(at: .now, holdsBackErrors: isHeldBack) }
            for waiter in over { waiter.resume() }
            switch job {
            case .idle(let until): sleep(until)
            case .prepare(var parcel):
                guard let bytes = prepare(&parcel) else { continue }
                parcel.content = .bytes(bytes)
                state.withLock { $0.putBack(parcel) }
            case .send(let parcel, let isProbe):
                send(parcel, isProbe, transport)
            }
        }
        transport?.close()
        let left = state.withLock { state in
            defer { (state.waiters, state.isClosed) = ([], true) }
            return state.waiters
        }
        for waiter in left { waiter.resume() }
    }

    private func sleep(_ until: WallClock.Instant?) {
        var descriptor = pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
        poll(&descriptor, 1, until.map { CInt(clamping: max($0.remaining.milliseconds + 1, 1)) } ?? -1)
        emptyWake()
    }

    func isLimited(_ category: ReportCategory) -> Bool { limits.withLock { $0.isLimited(category, at: .now) } }
}
