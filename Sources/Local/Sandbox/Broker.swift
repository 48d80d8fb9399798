internal import SluiceStreaming
internal import SluiceCore

/// Brings invocations and the app's calls of `next` together, and freezes the app whenever Lambda would. Confined to the
/// event loop.
final class Broker: @unchecked Sendable {  // used on the loop's thread only
    /// The runtime's life so far: `next` ends init, and `init/error` is allowed before it only.
    enum RuntimePhase { case stopped, starting, ready, failed }

    let loop: EventLoop
    private let settings: LocalSettings
    private let sandbox: any AppProcess
    private let console: Console
    let extensions = Extensions()
    let telemetry: Telemetry
    /// Handed out, and the runtime has not asked for another since.
    private var untold: [LocalInvocation] = []

    private(set) var phase = RuntimePhase.stopped
    private var queue: [LocalInvocation] = []
    private(set) var inFlight: [String: LocalInvocation] = [:]
    private(set) var recentResponses = RecentResponses()
    private var waiting: [(socket: Socket, continuation: CheckedContinuation<LocalInvocation?, Never>)] = []
    /// Set from the moment that the process is to end: nothing is handed to it any more.
    private var ending: SandboxEnding?

    init(_ loop: EventLoop, _ settings: LocalSettings, _ sandbox: any AppProcess, _ console: Console) {
        self.loop = loop
        self.settings = settings
        self.sandbox = sandbox
        self.console = console
        telemetry = Telemetry(lieEvery: settings.platformErrorEvery)
        sandbox.onEnd = { [weak self] end in self?.sandboxEnded(end) }
        extensions.onChange = { [weak self] in self?.settle() }
    }

    // MARK: From the front door

    /// Hands an invocation to the app and suspends until the client has its response.
    func invoke(_ invocation: LocalInvocation) async {
        queue.append(invocation)
        startIfNeeded()
        settle()
        await invocation.end()
    }

    /// Nobody will be invoked any more: who waits for that is let go.
    func stop() {
        for waiter in waiting { waiter.continuation.resume(returning: nil) }
        waiting = []
        extensions.reset()
    }

    /// Starts the app, as Lambda does before the first invocation.
    func startIfNeeded() {
        guard !sandbox.isRunning, ending == nil else { return }
        phase = .starting
        extensions.reset()
        telemetry.reset()
        untold = []
        do throws(SystemError) {
            try sandbox.start()
        } catch {
            phase = .failed
            console.problem("the app does not start: \(error)")
            failQueue("the app does not start")
        }
    }

    // MARK: From the Runtime API

    /// The next invocation; nil when the app's process has ended meanwhile.
    ///
    /// - Parameter socket: The connection that asks: a process may have ended after it asked.
    func next(_ socket: Socket) async -> LocalInvocation? {
        guard sandbox.isRunning, socket.isIdleAndAlive else { return nil }
        if phase == .starting { telemetry.initDone() }
        phase = .ready
        // What it has answered it is done with.
        for invocation in untold where invocation.responseEnded != nil { telemetry.done(invocation) }
        untold.removeAll { $0.responseEnded != nil }
        // A runtime that asks again before it has answered gets the same event again.
        if settings.concurrency == 1, let again = inFlight.values.first(where: { $0.phase == .running }) { return again }
        return await withCheckedContinuation { continuation in
            waiting.append((socket, continuation))
            settle()
        }
    }

    /// The invocation of this id, while it has no response.
    func open(_ id: String) -> LocalInvocation? {
        inFlight[id].flatMap { $0.phase == .running ? $0 : nil }
    }

    /// Whether this id's reply is being sent just now.
    func isResponding(_ id: String) -> Bool { inFlight[id]?.phase == .responding }

    /// The app has answered: from here on its time is not the client's.
    func answered(_ invocation: LocalInvocation) {
        guard invocation.phase != .done else { return }
        invocation.endAnswer()
        invocation.phase = .delivering
        settle()
    }

    /// The client has its response.
    func complete(_ invocation: LocalInvocation) {
        guard invocation.phase != .done else { return }
        invocation.endAnswer()
        let time = (ContinuousClock.now - invocation.began).shownInMilliseconds
        let status = invocation.reply.status == 0 ? "---" : String(invocation.reply.status)
        var line =
            "\(status)  \(time)  \(invocation.label)  \(invocation.mode)  \(invocation.reply.bytes) B"
        if invocation.reportCount > 0 { line += "  reports \(invocation.reportCount)" }
        if let end = invocation.responseEnded {
            for report in invocation.reports { line += "\n     \(report.line(responseEnded: end))" }
            recentResponses.add(invocation.id, endedAt: end)
        }
        for note in invocation.notes { line += "\n     \(note)" }
        console.line(line)
        inFlight[invocation.id] = nil
        invocation.finish()
        settle()
    }

    /// Start-up failed, and the app says so.
    func initFailed(_ text: String) {
        phase = .failed
        console.problem("start-up failed: \(text)")
        failQueue("start-up failed")
    }

    // MARK: What follows from what

    /// Hands out what can be handed out, and freezes or thaws.
    private func settle() {
        guard ending == nil else { return }
        while !queue.isEmpty, !waiting.isEmpty {
            let waiter = waiting.removeFirst()
            guard waiter.socket.isIdleAndAlive else {
                waiter.continuation.resume(returning: nil)
                continue
            }
            sandbox.thaw()
            handOut(queue.removeFirst(), to: waiter.continuation)
        }
        let isIdle =
            phase == .ready && inFlight.values.allSatisfy { $0.phase == .delivering } && queue.isEmpty && !waiting.isEmpty
            && extensions.areIdle
        if isIdle, settings.freezes { sandbox.freeze() }
    }

    private func handOut(_ invocation: LocalInvocation, to continuation: CheckedContinuation<LocalInvocation?, Never>) {
        invocation.phase = .running
        invocation.began = .now
        invocation.deadline = invocation.began + settings.timeout
        invocation.deadlineMilliseconds = WallClock.milliseconds + settings.timeout.milliseconds
        inFlight[invocation.id] = invocation
        extensions.invoke(invocation)
        untold.append(invocation)
        telemetry.start(invocation)
        watch(invocation)
        continuation.resume(returning: invocation)
    }

    /// Ends the app when an invocation outlives its deadline, as Lambda does.
    private func watch(_ invocation: LocalInvocation) {
        invocation.watch = Task(executorPreference: loop) {
            while true {
                // Cancelled when the invocation has ended, which the next line sees.
                try? await Task.sleep(until: invocation.deadline, clock: .continuous)
                if Task.isCancelled || invocation.phase == .delivering || invocation.phase == .done { return }
                if !self.sandbox.isTraced { break }
                invocation.deadline = .now + .seconds(1)
            }
            let seconds = Double(self.settings.timeout.milliseconds) / 1000
            self.console.problem("\(invocation.id) Task timed out after \(seconds) seconds")
            let isWarned = self.endSandbox()
            let how = isWarned ? "is ended, after SIGTERM and 500 ms" : "was killed"
            invocation.notes.append("Task timed out after \(seconds) seconds: the app's process \(how)")
            // The client does not wait for the rest of the process's life.
            if isWarned { await self.abandon(invocation) }
        }
    }

    // MARK: The end of the process

    /// Ends the process as Lambda does: one with a registered extension gets SIGTERM and 500 ms before SIGKILL, any other one
    /// SIGKILL at once.
    ///
    /// - Returns: Whether it has the 500 ms.
    @discardableResult
    private func endSandbox() -> Bool {
        guard sandbox.isRunning, ending == nil else { return ending?.isWarned ?? false }
        let ending = SandboxEnding(isWarned: !extensions.isEmpty)
        self.ending = ending
        guard ending.isWarned else {
            sandbox.kill()
            return false
        }
        sandbox.terminate()
        ending.limit = Task(executorPreference: loop) {
            // Cancelled when the process has ended, which the next line sees.
            try? await Task.sleep(for: SandboxEnding.grace)
            if !Task.isCancelled { self.sandbox.kill() }
        }
        return true
    }

    /// Ends the process for good; returns when it has ended.
    func shutDown() async {
        guard sandbox.isRunning else { return }
        await withCheckedContinuation { ended in
            sandbox.onEnd = { [weak self] end in
                self?.showEnding(end)
                ended.resume()
            }
            endSandbox()
        }
    }

    /// What a process did that had been warned.
    private func showEnding(_ end: ProcessEnd) {
        guard let ending else { return }
        ending.limit?.cancel()
        if ending.isWarned { console.line(ending.line(end)) }
    }

    private func sandboxEnded(_ end: ProcessEnd) {
        let wasReady = phase == .ready
        let wasOurs = ending != nil
        showEnding(end)
        ending = nil
        if phase != .failed { phase = .stopped }
        for waiter in waiting { waiter.continuation.resume(returning: nil) }
        waiting = []
        if inFlight.isEmpty, !wasOurs {
            console.problem("the app \(end)\(wasReady ? "" : " before it asked for an invocation")")
        }
        for invocation in inFlight.values where invocation.phase != .delivering {
            invocation.notes.append("the app \(end): Lambda counts an error")
            Task(executorPreference: loop) { await self.abandon(invocation) }
        }
        if !wasReady { failQueue("the app \(end) during start-up") } else if !queue.isEmpty { startIfNeeded() }
    }

    private func failQueue(_ reason: String) {
        let failed = queue
        queue = []
        for invocation in failed {
            invocation.notes.append(reason)
            inFlight[invocation.id] = invocation
            Task(executorPreference: loop) { await self.abandon(invocation) }
        }
    }

    private func abandon(_ invocation: LocalInvocation) async {
        if invocation.reply.hasBegun {
            invocation.reply.cut()
        } else {
            await invocation.reply.fail(.function)
        }
        complete(invocation)
    }
}
