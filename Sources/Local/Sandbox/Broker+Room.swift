/// What is asked before a sandbox gets another invocation.
extension Broker {
    /// Whether nothing is left to do: this is where Lambda freezes.
    var isIdle: Bool {
        phase == .ready && inFlight.values.allSatisfy { $0.phase == .delivering } && queue.isEmpty && !waiting.isEmpty
            && extensions.areIdle
    }

    /// Whether another invocation would start a process.
    var isStopped: Bool { !sandbox.isRunning && ending == nil }

    /// Whether it runs, and nothing is known that will end it.
    var takesInvocations: Bool { sandbox.isRunning && ending == nil && !isOutdated }

    /// How many invocations would be handed to the app at once.
    var freeNow: Int { takesInvocations && phase == .ready ? max(0, waiting.count - queue.count) : 0 }

    /// How many could wait for the end of its start-up.
    var freeAfterStart: Int { takesInvocations && phase == .starting ? max(0, settings.concurrency - queue.count) : 0 }

    /// How many it could take in a moment: the app has answered, and asks soon if it has nothing else to do, or its process is about to end
    /// and to be replaced.
    var freeSoon: Int {
        guard sandbox.isRunning else { return 0 }
        if ending != nil || phase == .failed { return max(0, settings.concurrency - queue.count) }
        guard takesInvocations, phase == .ready else { return 0 }
        let unanswered = inFlight.values.count { $0.responseEnded == nil && $0.phase != .done }
        return max(0, settings.concurrency - unanswered - queue.count)
    }
}
