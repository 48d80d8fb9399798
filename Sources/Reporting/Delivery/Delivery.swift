internal import Logging
internal import CSluiceRuntime
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Takes reports to the server, on one thread of its own that owns libcurl. Nothing else blocks there.
final class Delivery: Sendable {
    let settings: ReportSettings
    let dsn: DSN
    private let spool: Spool
    private let state = Mutex(DeliveryQueue())
    /// What could be sent, parked parcels included: a flush that finds nothing reads this and no more.
    private let work = Atomic(0)
    /// Whether there are losses that the server has not been told of.
    private let hasReports = Atomic(false)
    private let wake: CInt
    private let isStopping = Atomic(false)
    private let notices: Notices

    init(_ settings: ReportSettings, _ dsn: DSN, _ notices: Notices) {
        self.settings = settings
        self.dsn = dsn
        self.notices = notices
        spool = Spool(root: settings.spoolFolder, destination: dsn.destination)
        wake = sluice_eventfd()
    }

    /// Starts the thread. What an earlier process left in the spool is found here.
    func start() {
        recover()
        let code = sluice_start_thread(
            "sluice-reports",
            { raw in
                guard let raw else { return }
                Unmanaged<Delivery>.fromOpaque(raw).takeRetainedValue().run()
            }, Unmanaged.passRetained(self).toOpaque())
        guard code != 0 else { return }
        Unmanaged.passUnretained(self).release()
        state.withLock { $0.isClosed = true }
        notices.once(.error, "reports cannot be sent: no thread is left for them (\(code))")
    }

    /// Ends the thread after what it is doing; what is left stays in the spool.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        signal()
    }

    private func recover() {
        let now = Deadline.now
        state.withLock { state in
            for (name, size) in spool.list() {
                guard let time = Spool.time(of: name), time.distance(to: now) < Spool.ageLimit else {
                    spool.remove(name)
                    state.reports.add(.cacheOverflow, .error)
                    continue
                }
                state.spoolSize += size
                var parcel = Parcel(
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
        var parcel = Parcel(
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
        let now = Deadline.now
        let (isTaken, isDue, isFirst) = state.withLock { state in
            let isFirst = state.logs.isEmpty
            return (state.logs.add(log, at: now), state.logs.isDue(at: now), isFirst)
        }
        guard isTaken else {
            log.ledger.move(from: .pending, to: .dropped(.bufferOverflow))
            return count(.bufferOverflow, .logItem, bytes: log.json.count)
        }
        work.add(1, ordering: .acquiringAndReleasing)
        if isDue || isFirst { signal() }
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

    /// Waits until all of a ledger is accounted for, or for `limit`.
    ///
    /// - Parameters:
    ///   - ledger: Whose things; nil for everybody's.
    ///   - drains: Whether the spool is emptied too, and a server that was away may be tried again.
    func flush(_ ledger: Ledger?, drains: Bool, within limit: Duration) async {
        let hasWork = work.load(ordering: .acquiring) > 0 || hasReports.load(ordering: .acquiring)
        guard drains ? hasWork : (ledger?.hasPending ?? true) else { return }
        guard limit > .zero else {
            notices.debug("no time is left for a flush")
            return park(ledger)
        }
        let until = Deadline.now.advanced(by: limit)
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isOpen = state.withLock { state in
                if state.isClosed || (state.breaker.isOpen && !drains) { return true }
                state.add(ledger, drains: drains, until: until) { continuation.resume() }
                return false
            }
            if isOpen { continuation.resume() } else { signal() }
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
                state.withLock { $0.fresh.append(parcel) }
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

    private func sleep(_ until: Deadline?) {
        var descriptor = pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
        poll(&descriptor, 1, until.map { CInt(clamping: max($0.remaining.milliseconds + 1, 1)) } ?? -1)
        var counter: UInt64 = 0
        // Only empties the counter.
        _ = read(wake, &counter, 8)
    }

    private func send(_ parcel: Parcel, _ isProbe: Bool, _ transport: WireTransport?) {
        var parcel = parcel
        guard parcel.category == .internal || !isLimited(parcel.category) else {
            return drop(parcel, .rateLimitBackoff, "the server asked to hold back")
        }
        guard let body = prepare(&parcel) else { return }
        guard let transport else { return giveUp(parcel, after: .seconds(60), "libcurl is not there") }
        let reports = takeReports()
        if parcel.category == .internal, reports == nil { return }
        var bytes = ReportEnvelope.stamp(body, sentAt: .now)
        if let reports {
            // Before the last line feed.
            if bytes.last == 0x0A { bytes.removeLast() }
            ReportEnvelope.append(.init(type: "client_report", payload: reports), to: &bytes)
            bytes.append(0x0A)
        }
        deliver(parcel, bytes, isProbe, transport)
    }

    private static let probeLimit = Duration.milliseconds(500)
    private static let attempts = 4
    /// Where nobody waits: logs that leave by their age.
    private static let backgroundLimit = Duration.seconds(5)

    private func deliver(_ parcel: Parcel, _ bytes: [UInt8], _ isProbe: Bool, _ transport: WireTransport) {
        let begin = ContinuousClock.now
        let (isWaitedFor, failures) = state.withLock { ($0.latest != nil, $0.breaker.failures) }
        // Longer from one failure to the next: a distant server's handshake alone may take more than the first limit.
        let probeLimit = Self.probeLimit * (1 << min(max(failures - 1, 0), 3))
        for attempt in 1...Self.attempts {
            let spent = ContinuousClock.now - begin
            let whole = isProbe ? probeLimit : Self.backgroundLimit
            let request = TransportRequest(
                body: bytes, isAtMostOnce: !parcel.isRepeatable, timeout: max(whole - spent, .milliseconds(1)))
            var last: [DeliveryQueue.Waiter] = []
            let answer = transport.send(request, wake: wake) {
                let (over, left) = timeLeft()
                // The last one goes when this parcel's line in the ledger is true again.
                if left == nil, isWaitedFor { last = over } else { for waiter in over { waiter.resume() } }
                return left ?? (isWaitedFor ? nil : .seconds(1))
            }
            defer { for waiter in last { waiter.resume() } }
            let cost = ContinuousClock.now - begin
            switch answer.outcome {
            case .answered(let status): return answered(parcel, status, answer)
            case .aborted: return giveUp(parcel, after: cost, "the flush had no more time")
            case .failed(let problem, let wasSent, let timedOut):
                notices.debug("attempt \(attempt) of \(parcel.id) failed: \(problem)")
                guard parcel.isRepeatable || !wasSent else {
                    return lose(parcel, problem, timedOut ? cost : nil)
                }
                // What takes time has no second chance, and neither has what is refused at once: both are the server's state.
                guard !timedOut, attempt < Self.attempts, cost < whole, wasSent || attempt < 2 else {
                    return giveUp(parcel, after: cost, problem)
                }
            }
        }
    }

    /// Until the last of those who wait gives up, nil when nobody does any more; and those whose time has come.
    private func timeLeft() -> (over: [DeliveryQueue.Waiter], left: Duration?) {
        var counter: UInt64 = 0
        // Only empties the counter: whoever came meanwhile is looked at after this parcel.
        _ = read(wake, &counter, 8)
        return state.withLock { state in (state.expire(at: .now), state.latest?.remaining) }
    }

    /// Lets those go whose time has come; the time until the next one.
    private func letGo() -> Duration? {
        let (over, next) = state.withLock { state in (state.expire(at: .now), state.waiters.map(\.until).min()) }
        for waiter in over { waiter.resume() }
        return next?.remaining
    }

    private func answered(_ parcel: Parcel, _ status: Int, _ answer: TransportAnswer) {
        state.withLock { state in
            state.breaker.succeeded()
            limits.withLock {
                $0.update(status: status, limits: answer.rateLimits, retryAfter: answer.retryAfter, now: .now)
            }
        }
        var parcel = parcel
        finish(parcel)
        guard !(200...299).contains(status) else {
            parcel.move(to: .delivered)
            return notices.debug("\(parcel.id) delivered")
        }
        parcel.move(to: .refused(status))
        // What a 429 refused the server has counted itself.
        if status != 429 { count(.sendError, parcel) }
        notices.once(
            .error, "the error tracker refused a report with \(status)\(Self.hint(status))", key: "refused \(status)")
    }

    private static func hint(_ status: Int) -> String {
        switch status {
        case 401, 403: ": the key of the DSN is wrong or disabled"
        case 413: ": it is too large"
        case 429: ": too many, it holds back"
        default: ""
        }
    }

    private let limits = Mutex(RateLimits())

    func isLimited(_ category: ReportCategory) -> Bool { limits.withLock { $0.isLimited(category, at: .now) } }

    /// Not delivered, and not lost: on disk, or in memory where there is no disk.
    private func giveUp(_ parcel: Parcel, after cost: Duration, _ problem: String) {
        guard parcel.isRepeatable else { return lose(parcel, problem, cost) }
        var parcel = parcel
        parcel.source = nil
        if let file = parcel.file {
            // With its names, which only this process knows how to find.
            if case .bytes(let bytes) = parcel.content, bytes.count != parcel.size { rewrite(&parcel, file, bytes) }
            parcel.content = .file
            parcel.move(to: .spooled)
        }
        let (kept, isFirst) = (parcel, !state.withLock(\.breaker.isOpen))
        state.withLock { state in
            state.breaker.failed(after: cost, at: .now)
            state.parked.append(kept)
            state.failed(kept.id)
        }
        dropUnkept()
        if isFirst { notices.say(.warning, "reports do not get through (\(problem)); they wait in the spool") }
        notices.debug("\(parcel.id) kept for later: \(problem)")
    }

    private func rewrite(_ parcel: inout Parcel, _ file: String, _ bytes: [UInt8]) {
        do throws(SpoolError) {
            try spool.replace(file, bytes)
            let grown = bytes.count - parcel.size
            parcel.size = bytes.count
            state.withLock { $0.spoolSize += grown }
        } catch {
            // What was there before is still there.
            notices.debug("\(error)")
        }
    }

    /// Items without an id are not sent twice. A connection that broke once (no `cost`) says nothing of the server's state.
    private func lose(_ parcel: Parcel, _ problem: String, _ cost: Duration?) {
        if let cost { state.withLock { $0.breaker.failed(after: cost, at: .now) } }
        drop(parcel, .networkError, problem)
    }

    /// Where the disk takes nothing, memory holds the newest hundred.
    private func dropUnkept() {
        let oldest: Parcel? = state.withLock { state in
            guard state.parked.count(where: { $0.file == nil }) > DeliveryQueue.inMemoryLimit else { return nil }
            return state.parked.firstIndex { $0.file == nil }.map { state.parked.remove(at: $0) }
        }
        if let oldest { drop(oldest, .cacheOverflow, "neither disk nor memory has room for it") }
    }

    private func drop(_ parcel: Parcel, _ reason: DropReason, _ why: String) {
        var parcel = parcel
        finish(parcel)
        parcel.move(to: .dropped(reason))
        count(reason, parcel)
        if let source = parcel.source, reason == .beforeSend || reason == .eventProcessor { source.box.forget(source.error) }
        notices.debug("\(parcel.id) dropped (\(reason.rawValue)): \(why)")
    }

    private func count(_ reason: DropReason, _ parcel: Parcel) {
        guard settings.options.sendClientReports, parcel.category != .internal else { return }
        state.withLock { state in
            state.reports.add(reason, parcel.category, parcel.count)
            hasReports.store(true, ordering: .releasing)
            if parcel.category == .logItem { state.reports.add(reason, .logByte, parcel.size) }
        }
    }

    /// It will not be sent any more.
    private func finish(_ parcel: Parcel) {
        if let file = parcel.file {
            spool.remove(file)
            state.withLock { $0.spoolSize -= parcel.size }
        }
        work.subtract(
            parcel.category == .logItem ? parcel.count : parcel.category == .internal ? 0 : 1, ordering: .acquiringAndReleasing)
    }

    private func takeReports() -> [UInt8]? {
        state.withLock { state in
            guard let reports = state.reports.take(at: .now) else { return nil }
            hasReports.store(false, ordering: .releasing)
            state.reportsSentAt = .now
            return reports
        }
    }

    // MARK: Envelopes

    /// The bytes to send; nil when the parcel is dropped, or gone.
    private func prepare(_ parcel: inout Parcel) -> [UInt8]? {
        switch parcel.content {
        case .bytes(let bytes): return bytes.isEmpty ? blank.bytes : bytes
        case .logs(let item): return blank.with(item).bytes
        case .file:
            if let bytes = parcel.file.flatMap(spool.read) { return bytes }
            // Another process has delivered it, or somebody cleaned up.
            drop(parcel, .cacheOverflow, "its file is gone")
            return nil
        case .event(let event, let callbacks):
            let event = Symbols.resolve(event)
            switch CallbackThread.run(callbacks, on: event, meanwhile: letGo) {
            case .event(let event):
                // Without callbacks it was drawn at its capture.
                guard callbacks.isEmpty || settings.sampleRate >= 1 || Double.random(in: 0..<1) < settings.sampleRate else {
                    drop(parcel, .sampleRate, "sampled out")
                    return nil
                }
                let bytes = envelope(of: event)
                if parcel.file == nil { keep(&parcel, bytes) }
                parcel.content = .bytes(bytes)
                parcel.source = nil
                return bytes
            case .drop(let reason, let why):
                notices.say(
                    .warning, "a report was dropped: \(why)", if: reason != .eventProcessor || why.contains(text: "threw"))
                drop(parcel, reason, why)
                return nil
            }
        }
    }

    /// An envelope without items.
    private var blank: ReportEnvelope {
        var envelope = ReportEnvelope()
        if settings.options.tunnel != nil { envelope.dsn = dsn.full }
        return envelope
    }

    /// The envelope of one event, within the protocol's limits.
    private func envelope(of event: ReportEvent) -> [UInt8] {
        var event = event
        var payload = event.json()
        // A part of the event is worth more than none.
        if payload.count > Self.eventLimit { event.breadcrumbs = Array(event.breadcrumbs.suffix(10)); payload = event.json() }
        if payload.count > Self.eventLimit { event.contexts = [:]; payload = event.json() }
        if payload.count > Self.eventLimit { event.request = nil; event.breadcrumbs = []; payload = event.json() }
        var envelope = blank
        envelope.eventID = event.id
        envelope.trace =
            event.trace?.sampling(
                publicKey: dsn.publicKey, release: Field.release(event.release),
                environment: Field.environment(event.environment),
                organization: settings.organizationID) ?? []
        envelope.items = [.init(type: "event", payload: payload, contentType: "application/json")]
        return envelope.bytes
    }

    private static let eventLimit = 950_000

    /// Writes a parcel into the spool. A disk that takes nothing costs durability, and one warning.
    private func keep(_ parcel: inout Parcel, _ bytes: [UInt8]) {
        let (size, evicted) = state.withLock { state in
            var evicted: [Parcel] = []
            while state.spoolSize + bytes.count > Spool.sizeLimit, !state.parked.isEmpty {
                let oldest = state.parked.removeFirst()
                state.spoolSize -= oldest.size
                evicted.append(oldest)
            }
            return (state.spoolSize, evicted)
        }
        for var old in evicted {
            old.file.map(spool.remove)
            old.move(to: .dropped(.cacheOverflow))
            count(.cacheOverflow, old)
            work.subtract(1, ordering: .acquiringAndReleasing)
        }
        guard size + bytes.count <= Spool.sizeLimit else { return }
        do throws(SpoolError) {
            parcel.file = try spool.write(bytes, id: parcel.id, at: .now)
            parcel.size = bytes.count
            state.withLock { $0.spoolSize += bytes.count }
        } catch {
            notices.once(.warning, "\(error); a report that cannot be sent at once may be lost", key: "spool")
        }
    }
}

extension ReportEnvelope {
    func with(_ item: Item) -> ReportEnvelope {
        var envelope = self
        envelope.items.append(item)
        return envelope
    }
}
