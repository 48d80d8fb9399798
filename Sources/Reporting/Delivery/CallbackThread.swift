internal import SluiceCore
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Runs the app's own callbacks where they can hang without harm: each in a thread that is left behind when it does.
enum CallbackThread {
    static let limit = Duration.seconds(1)
    /// Left behind at most; with so many of them hanging the next one would too.
    static let leftBehindLimit = 4
    private static let leftBehind = Atomic(0)

    private final class Call: Sendable {
        let event: ReportEvent
        let callbacks: UserCallbacks
        /// Nobody waits any more, or here is what came of it: whichever is first.
        let state = Mutex<(verdict: UserCallbacks.Verdict?, isLeftBehind: Bool)>((nil, false))
        let done: WakeUp

        init(_ event: ReportEvent, _ callbacks: UserCallbacks) throws(SystemError) {
            self.event = event
            self.callbacks = callbacks
            done = try WakeUp()
        }

        func run() {
            let verdict = callbacks.run(event)
            let isLeftBehind = state.withLock { state in
                state.verdict = verdict
                return state.isLeftBehind
            }
            if isLeftBehind { CallbackThread.leftBehind.subtract(1, ordering: .relaxed) }
            done.signal()
        }
    }

    /// - Parameters:
    ///   - wake: Readable when `meanwhile` is to be called before its time.
    ///   - meanwhile: Called while this waits; empties `wake`, and tells in what time it wants to be called again.
    static func run(
        _ callbacks: UserCallbacks, on event: ReportEvent, wake: WakeUp, limit: Duration = limit,
        meanwhile: () -> Duration?
    ) -> UserCallbacks.Verdict {
        guard !callbacks.isEmpty else { return .event(event) }
        guard leftBehind.load(ordering: .relaxed) < leftBehindLimit else {
            return .drop(.beforeSend, "beforeSend hung \(leftBehindLimit) times and is not called any more")
        }
        let call: Call
        do throws(SystemError) {
            let made = try Call(event, callbacks)
            try OwnedThread.start("sluice-callback", takesSignals: false) { made.run() }
            call = made
        } catch {
            return .drop(.internalError, "beforeSend cannot be run: \(error)")
        }
        let end = ContinuousClock.now + limit
        // Who comes meanwhile with less time than that must not be kept by it.
        var descriptors = [call.done.descriptor, wake.descriptor].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while descriptors[0].revents == 0, ContinuousClock.now < end {
            let left = min(end - ContinuousClock.now, meanwhile() ?? limit)
            poll(&descriptors, 2, CInt(clamping: max(left.milliseconds, 1)))
        }
        let verdict = call.state.withLock { state in
            if state.verdict == nil {
                leftBehind.add(1, ordering: .relaxed)
                state.isLeftBehind = true
            }
            return state.verdict
        }
        if let verdict { return verdict }
        return .drop(.beforeSend, "beforeSend took longer than \(limit)")
    }
}
