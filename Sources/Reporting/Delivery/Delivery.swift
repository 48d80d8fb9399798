internal import Logging
internal import Synchronization
package import SluiceCore

/// Takes reports to one server, on a thread of its own that owns libcurl. Nothing else blocks there. ``ReportDelivery`` is the handle that
/// reporters of others have to one.
package final class Delivery: Sendable {
    let destination: ReportDestination
    let format: any ReportFormat
    /// The same format, where it knows more.
    let extended: (any ExtendedReportFormat)?
    let spool: Spool
    let state = Mutex(DeliveryQueue())
    /// The moment until which the server has asked for nothing at all.
    let heldUntil = Mutex<(moment: WallClock.Instant, time: Duration)?>(nil)
    /// What could be sent, parked requests included: a flush that finds nothing reads this and no more.
    let work = Atomic(0)
    /// Whether there are losses that the server has not been told of.
    let hasLosses = Atomic(false)
    /// Nil where the process has no descriptor left: then nobody waits.
    let wake: WakeUp?
    let isStopping = Atomic(false)
    package let diagnostics: Diagnostics

    /// - Parameters:
    ///   - destination: Where requests go.
    ///   - format: What they look like.
    ///   - root: The folder of all spools, an absolute path.
    ///   - wake: Wakes the thread.
    package init(
        to destination: ReportDestination, as format: any ReportFormat, spoolRoot root: String, _ diagnostics: Diagnostics,
        wake: WakeUp? = try? WakeUp()
    ) {
        self.destination = destination
        self.format = format
        extended = format as? any ExtendedReportFormat
        self.diagnostics = diagnostics
        spool = Spool(root: root, destination: destination.spoolName)
        self.wake = wake
    }

    /// Starts the thread. What an earlier process left in the spool is found here.
    package func start() {
        recover()
        guard let wake else { return shut("no descriptor is left to wake their thread with") }
        do throws(SystemError) {
            try OwnedThread.start("sluice-reports", takesSignals: false) { self.run(wake) }
        } catch {
            shut("no thread is left for them (\(error))")
        }
    }

    /// From here on nobody waits: what is captured stays in the spool.
    private func shut(_ problem: String) {
        state.withLock { $0.isClosed = true }
        diagnostics.once(.error, "reports cannot be sent: \(problem)")
    }

    /// Ends the thread after what it is doing; what is left stays in the spool.
    package func stop() {
        isStopping.store(true, ordering: .releasing)
        wake?.signal()
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
                    if extended?.tellsLosses == true { state.losses.add(.cacheOverflow, .event) }
                    continue
                }
                state.spoolSize += size
                var request = QueuedRequest(
                    id: name, kind: .event, content: .file, file: name, owners: [(ReportingScope.process.ledger, 1)], size: size
                )
                ReportingScope.process.ledger.enter(.spooled)
                request.line = .spooled
                state.parked.append(request)
            }
            work.store(state.parked.count, ordering: .releasing)
            if !state.parked.isEmpty {
                diagnostics.debug("\(state.parked.count) reports of an earlier process are in the spool")
            }
        }
    }

    // MARK: What others call

    /// Takes an event. When this returns it is on disk, unless the app has callbacks that must see it first.
    package func submit(
        _ event: ReportEvent, _ callbacks: UserCallbacks = UserCallbacks(), owner: Ledger,
        source: (any Error, ReportingScope)? = nil
    ) {
        var request = QueuedRequest(
            id: event.id, kind: .event, content: .event(event, callbacks), owners: [(owner, 1)],
            source: callbacks.isEmpty ? nil : source.map { ($0.0, $0.1) })
        owner.enter(.pending)
        if callbacks.isEmpty { keep(&request, format.body(of: event.withBareFrames)) }
        work.add(1, ordering: .acquiringAndReleasing)
        let isFull = state.withLock { state in
            guard state.fresh.count(where: { $0.kind == .event }) < DeliveryQueue.eventLimit else { return true }
            state.fresh.append(request)
            return false
        }
        if isFull { drop(request, .queueOverflow, "more events wait than the queue holds") }
        // The app's callbacks come before the disk: at once, whoever waits for it or not.
        if !callbacks.isEmpty { wake?.signal() }
    }

    package func submit(_ log: LogBuffer.Entry) {
        log.ledger.enter(.pending)
        let now = WallClock.Instant.now
        let (isTaken, isNews) = state.withLock { state in state.add(log, at: now) }
        guard isTaken else {
            log.ledger.move(from: .pending, to: .dropped(.bufferOverflow))
            return count(.bufferOverflow, .logs, size: log.bytes.count)
        }
        work.add(1, ordering: .acquiringAndReleasing)
        if isNews { wake?.signal() }
    }

    /// Takes the spans of one piece of work, as the format has them.
    ///
    /// - Parameter spans: How many there are.
    package func submit(spans count: Int, id: String, _ body: [UInt8], owner: Ledger) {
        let request = QueuedRequest(
            id: id, kind: .spans, content: .bytes(body), owners: [(owner, 1)], size: count)
        owner.enter(.pending)
        work.add(1, ordering: .acquiringAndReleasing)
        let isFull = state.withLock { state in
            guard state.hasRoom(forSpans: body.count, at: .now) else { return true }
            state.fresh.append(request)
            return false
        }
        if isFull { drop(request, .queueOverflow, "the server is away, or more spans wait than the queue holds") }
    }

    /// Something was dropped before it came here, or in it.
    package func count(_ reason: DropReason, _ kind: QueuedRequest.Kind, things: Int = 1, size: Int = 0) {
        guard extended?.tellsLosses == true, kind != .losses else { return }
        state.withLock { state in
            state.losses.add(reason, kind, things, size: size)
            hasLosses.store(true, ordering: .releasing)
        }
    }

    /// Whether a flush that drains has anything to do.
    package var hasWork: Bool { work.load(ordering: .acquiring) > 0 || hasLosses.load(ordering: .acquiring) }

    /// Waits until all of a ledger is accounted for, or for `limit`.
    ///
    /// - Parameters:
    ///   - ledger: Whose things; nil for everybody's.
    ///   - drains: Whether the spool is emptied too, and a server that was away may be tried again.
    package func flush(_ ledger: Ledger?, drains: Bool, within limit: Duration) async {
        guard drains ? hasWork : (ledger?.hasPending ?? true) else { return }
        guard limit > .zero else {
            diagnostics.debug("no time is left for a flush")
            return park(ledger)
        }
        let until = WallClock.Instant.now.advanced(by: limit)
        let atMost = until.advanced(by: Self.grace(limit))
        var alarm: UInt64?
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isOpen = state.withLock { state in
                if state.isClosed || (state.breaker.isOpen && !drains) { return true }
                // What is pending may be another delivery's.
                if !drains, let ledger, !state.concerns(ledger) { return true }
                state.add(ledger, drains: drains, until: until, atMost: atMost) { continuation.resume() }
                return false
            }
            guard !isOpen else { return continuation.resume() }
            alarm = keepBudget(until: atMost)
            wake?.signal()
        }
        if let alarm { Alarms.shared.cancel(alarm) }
        park(ledger)
    }

    /// How much later than its time a flush may end: a delivery thread that is well ends it in time, and its ledger is true then.
    private static func grace(_ limit: Duration) -> Duration { min(limit / 20, .milliseconds(20)) }

    /// Sees to it that who may wait until `time` does not wait longer, whatever the delivery thread hangs on: a disk that stalls, a log
    /// handler of the app, a resolver.
    private func keepBudget(until time: WallClock.Instant) -> UInt64? {
        Alarms.shared.set(at: time) { [weak self] in
            let over = self?.state.withLock { $0.overdue(at: .now) } ?? []
            for waiter in over { waiter.resume() }
        }
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
                var request = state.fresh.remove(at: index)
                request.content = .file
                state.parked.append(request)
            }
        }
    }

    // MARK: The thread

    private func run(_ wake: WakeUp) {
        // Here and not at the first report: that one may have little time.
        let transport = WireTransport(destination, contentType: format.contentType)
        if transport == nil { diagnostics.once(.error, "reports cannot be sent: \(WireTransport.problem)") }
        while !isStopping.load(ordering: .acquiring) {
            let isHeldBack = isHeld || isLimited(.event)
            let (job, over) = state.withLock { $0.next(at: .now, holdsBackEvents: isHeldBack) }
            for waiter in over { waiter.resume() }
            switch job {
            case .idle(let until): wake.sleep(for: until?.remaining)
            case .prepare(var request):
                guard let bytes = prepare(&request, wake) else { continue }
                request.content = .bytes(bytes)
                state.withLock { $0.putBack(request) }
            case .send(let request, let isProbe):
                send(request, isProbe, transport, wake)
            }
        }
        transport?.close()
        let left = state.withLock { state in
            defer { (state.waiters, state.isClosed) = ([], true) }
            return state.waiters
        }
        for waiter in left { waiter.resume() }
    }

    /// Whether the server has asked not to send this kind for now: it is dropped.
    func isLimited(_ kind: QueuedRequest.Kind) -> Bool { extended?.isLimited(kind, at: .now) ?? false }

    /// Whether the server has asked to come again later, with everything.
    var isHeld: Bool {
        heldUntil.withLock { held in
            guard let held else { return false }
            let now = WallClock.Instant.now
            // A clock that was set back does not make it longer.
            return now < held.moment && held.moment <= now.advanced(by: held.time)
        }
    }
}
