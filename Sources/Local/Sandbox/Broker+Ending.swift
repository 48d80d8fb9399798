internal import SluiceStreaming
internal import SluiceCore

/// How a process ends, and what becomes of its invocations.
extension Broker {
    /// Ends the process as Lambda does: one with a registered extension gets SIGTERM and 500 ms before SIGKILL, any other one
    /// SIGKILL at once.
    ///
    /// - Returns: Whether it has the 500 ms.
    @discardableResult
    func endSandbox() -> Bool {
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
                self?.telemetry.reset()
                self?.showEnding(end)
                ended.resume()
            }
            endSandbox()
        }
    }

    /// The program has been replaced: the process gets no invocation more, and ends once it has answered those that it has. What waits for the
    /// end of its start-up, which may hang, goes to the new one.
    func retire() {
        guard sandbox.isRunning, ending == nil else { return }
        isOutdated = true
        settle()
    }

    /// What a process did that had been warned.
    private func showEnding(_ end: ProcessEnd) {
        guard let ending else { return }
        ending.limit?.cancel()
        if ending.isWarned { console.line(ending.line(end)) }
    }

    func sandboxEnded(_ end: ProcessEnd) {
        let wasReady = phase == .ready
        let wasOurs = ending != nil
        telemetry.reset()
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
        if !wasReady, !wasOurs { failQueue("the app \(end) during start-up") } else if !queue.isEmpty { startIfNeeded() }
        onChange()
    }

    func failQueue(_ reason: String) {
        let failed = queue
        queue = []
        for invocation in failed {
            invocation.notes.append(reason)
            inFlight[invocation.id] = invocation
            Task(executorPreference: loop) { await self.abandon(invocation) }
        }
    }

    func abandon(_ invocation: LocalInvocation) async {
        if invocation.reply.hasBegun {
            invocation.reply.cut()
        } else {
            await invocation.reply.fail(.function)
        }
        complete(invocation)
    }
}
