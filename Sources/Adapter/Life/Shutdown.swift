internal import CSluiceRuntime
internal import Logging
internal import SluiceCore
internal import SluiceReporting
internal import SluiceStreaming
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The end of a sandbox, as Lambda announces it: SIGTERM, and SIGKILL a moment later.
///
/// Lambda sends SIGTERM only where an extension is registered: this process registers itself as one, for no events, where there is anything
/// to end. Under managed instances it is sent in any case.
final class Shutdown: Sendable {
    private let signal: WakeUp
    private let extensionClient: Confined<ExtensionClient>?
    private let budget: Duration
    private let begun = Atomic(false)
    /// Whether the signal is ours.
    private let hears: Bool

    /// Whether SIGTERM has come.
    var hasBegun: Bool { begun.load(ordering: .acquiring) }

    /// SIGTERM is heard from here on, and not before: what fails earlier leaves the process to what it does by default.
    ///
    /// A program that handles it itself is left to do so: the group of services that the app is in, say, which cancels the app.
    private init(_ client: ExtensionClient?, _ budget: Duration) throws(SystemError) {
        extensionClient = client.map { Confined($0) }
        self.budget = budget
        signal = try WakeUp()
        hears = sluice_others_handle_signal(SIGTERM) == 0
        guard hears else { return }
        guard sluice_wake_on_signal(SIGTERM, signal.descriptor) == 0 else { throw SystemError.last("sigaction") }
    }

    /// Receives SIGTERM from here on. Before the first `next`, which closes the registration. Blocks its thread until the platform has answered:
    /// Lambda's ten seconds for start-up are the limit.
    ///
    /// - Parameter isExtension: Whether the process is one already.
    /// - Returns: Nil where the platform sends none; that is recorded.
    static func expect(_ settings: Settings, _ address: HostPort, isExtension: Bool, _ logger: Logger) -> Shutdown? {
        do {
            guard !settings.isManaged else { return try Shutdown(nil, managedBudget) }
            let budget = hasExternalExtension ? Duration.milliseconds(500) : .milliseconds(300)
            if isExtension { return try Shutdown(nil, budget) }
            let loop = try EventLoop()
            try loop.start("sluice-extension")
            defer { loop.stop() }
            let client = Confined(ExtensionClient(loop, address: address, initializationType: settings.initializationType))
            // Start-up has nothing else to do: suspended, the main thread would end, and the shared pool's five would begin.
            let answered = try WakeUp()
            let answer = Mutex<Result<Void, any Error>?>(nil)
            _ = Task(executorPreference: loop) {
                do {
                    try await client.value.register()
                    try await client.value.waitForEvents()
                    answer.withLock { $0 = .success(()) }
                } catch {
                    answer.withLock { $0 = .failure(error) }
                }
                answered.signal()
            }
            // A signal's handler wakes it as well.
            while answer.withLock({ $0 == nil }) { answered.sleep() }
            try answer.withLock { try $0?.get() }
            return try Shutdown(client.value, budget)
        } catch {
            logger.warning("the end of the sandbox will come unannounced: \(error)")
            return nil
        }
    }

    /// Under managed instances the runtime has 600 ms; a margin of 100 is left.
    private static let managedBudget = Duration.milliseconds(500)

    /// An external extension makes the time longer.
    private static var hasExternalExtension: Bool {
        guard let folder = opendir("/opt/extensions") else { return false }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            if entry.pointee.d_name.0 != 0x2E { return true }
        }
        return false
    }

    deinit { if hears { sluice_forget_signal(SIGTERM) } }

    /// Waits for SIGTERM, and then ends what there is to end: what is in hand is answered, services stop in reverse order, and reports that
    /// are pending leave. All within the time that Lambda gives.
    ///
    /// - Parameters:
    ///   - workers: They begin nothing more.
    ///   - flush: Delivers what is pending, within a time.
    /// - Returns: False where it was not waited for to the end: the app has ended before.
    func wait(
        on loop: EventLoop, _ workers: WorkerGroup, _ services: (any AppServices)?, _ guardian: DeadlineGuard,
        flush: (Duration) async -> Void
    ) async -> Bool {
        do {
            try await loop.wait(until: .readable, on: signal.descriptor)
        } catch {
            return false
        }
        begun.store(true, ordering: .releasing)
        let begin = WallClock.Instant.actual
        let end = begin.advanced(by: budget)
        workers.cancel()
        // What is in hand has a part of the time; where it holds on, the rest does not wait for it.
        _ = try? await loop.wait(until: .readable, on: workers.ended.descriptor, timeout: budget * 2 / 5)
        let hasEnded = workers.hasEnded
        if !hasEnded { await guardian.tellOfTheEnd() }
        if let services { await Self.stop(services, until: begin.advanced(by: budget * 7 / 10)) }
        let left = WallClock.Instant.actual.duration(to: end)
        if left > .zero { await flush(left) }
        // Nobody would come back from it to end the process.
        if !hasEnded { _exit(128 + SIGTERM) }
        return true
    }

    /// Stops services; what takes longer is left behind. Never inlined: its continuation's type, made where a start passes, searches the
    /// whole program for `Never: Error`.
    @inline(never)
    static func stop(_ services: any AppServices, until end: WallClock.Instant) async {
        let over = Once()
        await withCheckedContinuation { continuation in
            // They are the app's own code, and may block the threads that tasks have: their time is kept elsewhere.
            let alarm = Alarms.shared.set(at: end) { over.once { continuation.resume() } }
            Task.detached {
                await services.stop()
                over.once { continuation.resume() }
                if let alarm { Alarms.shared.cancel(alarm) }
            }
        }
    }
}
