internal import Logging
internal import Synchronization
internal import SluiceCore

/// What happens to a request on the delivery thread: sent, sent again, kept for later, or given up.
extension Delivery {
    func send(_ request: QueuedRequest, _ isProbe: Bool, _ transport: WireTransport?, _ wake: WakeUp) {
        var request = request
        guard !isLimited(request.kind) else {
            return drop(request, .rateLimitBackoff, "the server asked to hold back")
        }
        guard request.kind != .losses else { return sendLosses(request, transport, wake) }
        if isHeld, case .event = request.content {
            // With its names, which only this process knows how to find.
            guard let bytes = prepare(&request, wake) else { return }
            request.content = .bytes(bytes)
        }
        guard !isHeld else { return putOff(request) }
        guard let body = prepare(&request, wake) else { return }
        guard let transport else { return giveUp(request, after: .seconds(60), "libcurl is not there", keepsLogs: false) }
        deliver(request, stamped(body, telling: takeLosses()), isProbe, transport, wake)
    }

    /// A body as it leaves at this moment.
    private func stamped(_ body: [UInt8], telling losses: Losses?) -> [UInt8] {
        guard let extended else { return body }
        let now = WallClock.Instant.now
        let stamped = extended.stamped(body, at: now)
        return losses.map { extended.body(stamped, telling: $0, at: now) } ?? stamped
    }

    private func sendLosses(_ request: QueuedRequest, _ transport: WireTransport?, _ wake: WakeUp) {
        // Taken in any case: what cannot be told must not be tried again and again.
        guard let losses = takeLosses(), let extended else { return }
        guard let transport else { return lose(request, "libcurl is not there", .seconds(60)) }
        let now = WallClock.Instant.now
        let body = extended.stamped(extended.body(nil, telling: losses, at: now), at: now)
        deliver(request, body, false, transport, wake)
    }

    private func takeLosses() -> Losses? {
        state.withLock { state in
            guard !state.losses.isEmpty else { return nil }
            hasLosses.store(false, ordering: .releasing)
            state.lossesToldAt = .now
            return state.losses.take()
        }
    }

    static let probeLimit = Duration.milliseconds(500)
    static let attempts = 4
    /// Where nobody waits: logs that leave by their age.
    static let backgroundLimit = Duration.seconds(5)

    func deliver(
        _ request: QueuedRequest, _ bytes: [UInt8], _ isProbe: Bool, _ transport: WireTransport, _ wake: WakeUp
    ) {
        let begin = ContinuousClock.now
        let (isWaitedFor, failures) = state.withLock { ($0.latest != nil, $0.breaker.failures) }
        // Longer from one failure to the next: a distant server's handshake alone may take more than the first limit.
        let probeLimit = Self.probeLimit * (1 << min(max(failures - 1, 0), 3))
        defer { _ = letGo() }
        for attempt in 1...Self.attempts {
            let spent = ContinuousClock.now - begin
            let whole = isProbe ? probeLimit : Self.backgroundLimit
            let message = TransportRequest(
                body: bytes, isAtMostOnce: !request.isRepeatable, timeout: max(whole - spent, .milliseconds(1)))
            let response = transport.send(message, wake: wake) { timeLeft(isWaitedFor: isWaitedFor) }
            let cost = ContinuousClock.now - begin
            switch response.outcome {
            case .status(let status): return conclude(request, status, response, after: cost)
            case .aborted(let wasSent):
                return giveUp(request, after: cost, "the flush had no more time", keepsLogs: !wasSent)
            case .failed(let problem, let wasSent, let timedOut):
                diagnostics.debug("attempt \(attempt) of \(request.id) failed: \(problem)")
                guard request.isRepeatable || !wasSent else {
                    return lose(request, problem, timedOut ? cost : nil)
                }
                // What takes time has no second chance, and neither has what is refused at once: both are the server's state.
                guard !timedOut, attempt < Self.attempts, cost < whole, wasSent || attempt < 2 else {
                    return giveUp(request, after: cost, problem, keepsLogs: !wasSent)
                }
            }
        }
    }

    /// The time until the last of those who wait gives up, nil when nobody does any more. Lets those go whose time has come.
    ///
    /// - Parameter isWaitedFor: Whether somebody waited when the request in hand was begun: the last of them goes when its line in the
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

    /// Whoever came meanwhile is looked at after the request in hand.
    private func emptyWake() { wake?.clear() }

    func conclude(_ request: QueuedRequest, _ status: Int, _ response: TransportResponse, after cost: Duration) {
        extended?.heed(response, status: status, at: .now)
        let verdict = format.verdict(on: status, body: response.body)
        if verdict == .later {
            // A server that says nothing of it is asked again as one that is away is.
            if let wait = response.retryAfter {
                let time = RetryAfter.duration(wait, now: .now)
                heldUntil.withLock { $0 = (.now.advanced(by: time), time) }
            }
            return giveUp(request, after: cost, "the server answered with \(status)", keepsLogs: true)
        }
        state.withLock { $0.breaker.succeeded() }
        var request = request
        finish(request)
        guard verdict == .refused else {
            request.move(to: .delivered)
            return diagnostics.debug("\(request.id) delivered")
        }
        request.move(to: .refused(status))
        // What a 429 refused the server has counted itself.
        if status != 429 { count(.sendError, request) }
        let hint = extended?.hint(on: status) ?? ""
        diagnostics.once(.error, "the error tracker refused a report with \(status)\(hint)", key: "refused \(status)")
    }

    /// The server wants it, and not now: it waits in the spool.
    func putOff(_ request: QueuedRequest) {
        var request = request
        request.source = nil
        if request.kind == .event { rest(&request) }
        let kept = request
        state.withLock { state in
            if kept.kind == .logs { state.putBack(kept) } else if kept.kind == .event { state.parked.append(kept) }
            state.failed(kept.id)
        }
        dropUnkept()
        diagnostics.debug("\(request.id) kept for later: the server asked to come again later")
    }

    /// What is on disk needs no memory.
    private func rest(_ request: inout QueuedRequest) {
        guard let file = request.file else { return }
        // With its names, which only this process knows how to find.
        if case .bytes(let bytes) = request.content, bytes.count != request.size { rewrite(&request, file, bytes) }
        request.content = .file
        request.move(to: .spooled)
    }

    /// Not delivered, and not lost: on disk, or in memory where there is no disk.
    ///
    /// - Parameter keepsLogs: Logs that never left wait as well. Those that the server may have are not sent again.
    func giveUp(_ request: QueuedRequest, after cost: Duration, _ problem: String, keepsLogs: Bool) {
        let isLogs = request.kind == .logs
        guard request.isRepeatable || (isLogs && keepsLogs) else { return lose(request, problem, cost) }
        var request = request
        request.source = nil
        rest(&request)
        let (kept, isFirst) = (request, !state.withLock(\.breaker.isOpen))
        state.withLock { state in
            state.breaker.failed(after: cost, at: .now)
            if isLogs { state.putBack(kept) } else { state.parked.append(kept) }
            state.failed(kept.id)
        }
        dropUnkept()
        if isFirst {
            diagnostics.say(
                .warning, "reports do not get through (\(problem)); they wait\(kept.file == nil ? "" : " in the spool")")
        }
        diagnostics.debug("\(request.id) kept for later: \(problem)")
    }

    func rewrite(_ request: inout QueuedRequest, _ file: String, _ bytes: [UInt8]) {
        do throws(SpoolError) {
            try spool.replace(file, bytes)
            let grown = bytes.count - request.size
            request.size = bytes.count
            state.withLock { $0.spoolSize += grown }
        } catch {
            // What was there before is still there.
            diagnostics.debug("\(error)")
        }
    }

    /// Items without an id are not sent twice. A connection that broke once (no `cost`) says nothing of the server's state.
    func lose(_ request: QueuedRequest, _ problem: String, _ cost: Duration?) {
        if let cost { state.withLock { $0.breaker.failed(after: cost, at: .now) } }
        drop(request, .networkError, problem)
    }

    /// Where the disk takes nothing, memory holds the newest hundred.
    func dropUnkept() {
        let oldest: QueuedRequest? = state.withLock { state in
            guard state.parked.count(where: { $0.file == nil }) > DeliveryQueue.inMemoryLimit else { return nil }
            return state.parked.firstIndex { $0.file == nil }.map { state.parked.remove(at: $0) }
        }
        if let oldest { drop(oldest, .cacheOverflow, "neither disk nor memory has room for it") }
    }

    func drop(_ request: QueuedRequest, _ reason: DropReason, _ why: String) {
        var request = request
        finish(request)
        request.move(to: .dropped(reason))
        count(reason, request)
        if let source = request.source, reason == .beforeSend || reason == .eventProcessor, Reports.isOnlyReporter {
            source.box.forget(source.error)
        }
        diagnostics.debug("\(request.id) dropped (\(reason.rawValue)): \(why)")
    }

    private func count(_ reason: DropReason, _ request: QueuedRequest) {
        count(reason, request.kind, things: request.count, size: request.kind == .event ? 0 : request.size)
    }

    /// It will not be sent any more.
    func finish(_ request: QueuedRequest) {
        if let file = request.file {
            spool.remove(file)
            state.withLock { $0.spoolSize -= request.size }
        }
        work.subtract(
            request.kind == .logs ? request.count : request.kind == .losses ? 0 : 1, ordering: .acquiringAndReleasing)
    }
}
