internal import SluiceStreaming
internal import SluiceCore

/// Brings one sandbox's invocations and its app's calls of `next` together, and freezes the app whenever Lambda would. Confined to the
/// event loop.
final class Broker: LocalFunction, @unchecked Sendable {  // used on the loop's thread only
    /// The runtime's life so far: `next` ends init, and `init/error` is allowed before it only.
    enum RuntimePhase { case stopped, starting, ready, failed }

    let loop: EventLoop
    let settings: LocalSettings
    let sandbox: any AppProcess
    let console: Console
    let extensions = Extensions()
    let telemetry: Telemetry
    /// Handed out, and the runtime has not asked for another since.
    private var untold: [LocalInvocation] = []

    var phase = RuntimePhase.stopped
    var queue: [LocalInvocation] = []
    var inFlight: [String: LocalInvocation] = [:]
    private(set) var recentResponses = RecentResponses()
    var waiting: [(socket: Socket, continuation: CheckedContinuation<LocalInvocation?, Never>)] = []
    /// Set from the moment that the process is to end: nothing is handed to it any more.
    var ending: SandboxEnding?
    /// It runs a program that has been replaced.
    var isOutdated = false
    /// Called when there may be room for an invocation.
    var onChange: () -> Void = {}
    /// Rises with each invocation of any sandbox: who took the last one has the highest.
    var lastUse = 0

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

    func invoke(_ invocation: LocalInvocation) async {
        take(invocation)
        await invocation.end()
    }

    /// Hands an invocation to the app as soon as it asks for one.
    func take(_ invocation: LocalInvocation) {
        queue.append(invocation)
        startIfNeeded()
        settle()
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
        isOutdated = false
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
    func settle() {
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
        onChange()
        guard ending == nil else { return }
        if isOutdated {
            if isIdle || phase != .ready { endSandbox() }
        } else if isIdle, settings.freezes {
            sandbox.freeze()
        }
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
}
