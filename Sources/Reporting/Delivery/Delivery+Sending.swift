internal import Logging
internal import Synchronization
internal import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What happens to a parcel on the delivery thread: sent, sent again, kept for later, or given up.
extension Delivery {
    func send(_ parcel: QueuedEnvelope, _ isProbe: Bool, _ transport: WireTransport?) {
        var parcel = parcel
        guard parcel.category == .internal || !isLimited(parcel.category) else {
            return drop(parcel, .rateLimitBackoff, "the server asked to hold back")
        }
        guard let body = prepare(&parcel) else { return }
        guard let transport else { return giveUp(parcel, after: .seconds(60), "libcurl is not there", keepsLogs: false) }
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

    static let probeLimit = Duration.milliseconds(500)
    static let attempts = 4
    /// Where nobody waits: logs that leave by their age.
    static let backgroundLimit = Duration.seconds(5)

    func deliver(_ parcel: QueuedEnvelope, _ bytes: [UInt8], _ isProbe: Bool, _ transport: WireTransport) {
        let begin = ContinuousClock.now
        let (isWaitedFor, failures) = state.withLock { ($0.latest != nil, $0.breaker.failures) }
        // Longer from one failure to the next: a distant server's handshake alone may take more than the first limit.
        let probeLimit = Self.probeLimit * (1 << min(max(failures - 1, 0), 3))
        defer { _ = letGo() }
        for attempt in 1...Self.attempts {
            let spent = ContinuousClock.now - begin
            let whole = isProbe ? probeLimit : Self.backgroundLimit
            let request = TransportRequest(
                body: bytes, isAtMostOnce: !parcel.isRepeatable, timeout: max(whole - spent, .milliseconds(1)))
            let answer = transport.send(request, wake: wake) { timeLeft(isWaitedFor: isWaitedFor) }
            let cost = ContinuousClock.now - begin
            switch answer.outcome {
            case .answered(let status): return answered(parcel, status, answer)
            case .aborted(let wasSent):
                return giveUp(parcel, after: cost, "the flush had no more time", keepsLogs: !wasSent)
            case .failed(let problem, let wasSent, let timedOut):
                notices.debug("attempt \(attempt) of \(parcel.id) failed: \(problem)")
                guard parcel.isRepeatable || !wasSent else {
                    return lose(parcel, problem, timedOut ? cost : nil)
                }
                // What takes time has no second chance, and neither has what is refused at once: both are the server's state.
                guard !timedOut, attempt < Self.attempts, cost < whole, wasSent || attempt < 2 else {
                    return giveUp(parcel, after: cost, problem, keepsLogs: !wasSent)
                }
            }
        }
    }

    /// Until the last of those who wait gives up, nil when nobody does any more. Lets those go whose time has come.
    ///
    /// - Parameter isWaitedFor: Whether somebody waited when the parcel in hand was begun: the last of them goes when its line in the
    ///   ledger is true again.
    func timeLeft(isWaitedFor: Bool) -> Duration? {
        emptyWake()
        let (over, left) = state.withLock { state -> ([DeliveryQueue.Waiter], Duration?) in
            let now = WallClock.Instant.now
            if isWaitedFor, state.waiters.allSatisfy({ $0.until <= now }) { return ([], nil) }
            return (state.expire(at: now), state.latest?.remaining)
        }
        for waiter in over { waiter.resume() }
        return left ?? (isWaitedFor ? nil : .seconds(1))
    }

    /// Lets those go whose time has come; the time until the next one.
    func letGo() -> Duration? {
        emptyWake()
        let (over, next) = state.withLock { state in (state.expire(at: .now), state.waiters.map(\.until).min()) }
        for waiter in over { waiter.resume() }
        return next?.remaining
    }

    /// Whoever came meanwhile is looked at after the parcel in hand.
    func emptyWake() {
        var counter: UInt64 = 0
        _ = read(wake, &counter, 8)
    }

    func answered(_ parcel: QueuedEnvelope, _ status: Int, _ answer: TransportResponse) {
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

    static func hint(_ status: Int) -> String {
        switch status {
        case 401, 403: ": the key of the DSN is wrong or disabled"
        case 413: ": it is too large"
        case 429: ": too many, it holds back"
        default: ""
        }
    }

    /// Not delivered, and not lost: on disk, or in memory where there is no disk.
    ///
    /// - Parameter keepsLogs: Logs that never left wait as well. Those that the server may have are not sent again.
    func giveUp(_ parcel: QueuedEnvelope, after cost: Duration, _ problem: String, keepsLogs: Bool) {
        let isLogs = parcel.category == .logItem
        guard parcel.isRepeatable || (isLogs && keepsLogs) else { return lose(parcel, problem, cost) }
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
            if isLogs { state.putBack(kept) } else { state.parked.append(kept) }
            state.failed(kept.id)
        }
        dropUnkept()
        if isFirst {
            notices.say(
                .warning, "reports do not get through (\(problem)); they wait\(kept.file == nil ? "" : " in the spool")")
        }
        notices.debug("\(parcel.id) kept for later: \(problem)")
    }

    func rewrite(_ parcel: inout QueuedEnvelope, _ file: String, _ bytes: [UInt8]) {
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
    func lose(_ parcel: QueuedEnvelope, _ problem: String, _ cost: Duration?) {
        if let cost { state.withLock { $0.breaker.failed(after: cost, at: .now) } }
        drop(parcel, .networkError, problem)
    }

    /// Where the disk takes nothing, memory holds the newest hundred.
    func dropUnkept() {
        let oldest: QueuedEnvelope? = state.withLock { state in
            guard state.parked.count(where: { $0.file == nil }) > DeliveryQueue.inMemoryLimit else { return nil }
            return state.parked.firstIndex { $0.file == nil }.map { state.parked.remove(at: $0) }
        }
        if let oldest { drop(oldest, .cacheOverflow, "neither disk nor memory has room for it") }
    }

    func drop(_ parcel: QueuedEnvelope, _ reason: DropReason, _ why: String) {
        var parcel = parcel
        finish(parcel)
        parcel.move(to: .dropped(reason))
        count(reason, parcel)
        if let source = parcel.source, reason == .beforeSend || reason == .eventProcessor { source.box.forget(source.error) }
        notices.debug("\(parcel.id) dropped (\(reason.rawValue)): \(why)")
    }

    func count(_ reason: DropReason, _ parcel: QueuedEnvelope) {
        guard settings.options.sendClientReports, parcel.category != .internal else { return }
        state.withLock { state in
            state.reports.add(reason, parcel.category, parcel.count)
            hasReports.store(true, ordering: .releasing)
            if parcel.category == .logItem { state.reports.add(reason, .logByte, parcel.size) }
        }
    }

    /// It will not be sent any more.
    func finish(_ parcel: QueuedEnvelope) {
        if let file = parcel.file {
            spool.remove(file)
            state.withLock { $0.spoolSize -= parcel.size }
        }
        work.subtract(
            parcel.category == .logItem ? parcel.count : parcel.category == .internal ? 0 : 1, ordering: .acquiringAndReleasing)
    }

    func takeReports() -> [UInt8]? {
        state.withLock { state in
            guard let reports = state.reports.take(at: .now) else { return nil }
            hasReports.store(false, ordering: .releasing)
            state.reportsSentAt = .now
            return reports
        }
    }
}
