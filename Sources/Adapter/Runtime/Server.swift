internal import CSluiceRuntime
internal import Logging
internal import SluiceMiddleware
internal import SluiceReporting
internal import SluiceStreaming
internal import Synchronization
internal import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Start-up, workers, and the end.
enum Server {
    enum End: Equatable, Sendable { case cancelled, failed }

    /// Serves until cancelled or until the Runtime API is gone. Every failure is on record when this returns.
    ///
    /// - Parameter endProcess: What the deadline guard does about a handler that holds its worker: a test has something else.
    static func serve(
        _ environment: Environment, bootstrapsLogging: Bool, reporter: (any SettlingReporter)? = nil,
        endProcess: @escaping @Sendable () -> Void, _ makeApp: @Sendable () async throws -> LambdaApp
    ) async -> End {
        let log = LogSettings(environment)
        let logger = LogSetup.install(json: log.isJSON, level: log.level, bootstraps: bootstrapsLogging)
        // Errors of start-up are reported too; the app's own reporters count as soon as the app is there.
        let isGiven = reporter != nil
        let testReporters = reporter as? Reporters
        func start(_ named: CaptureErrors.Reporters) -> Reporters {
            let reporters = Reporters(logger, named.resolved(environment))
            Reports.start(reporters, environment: environment, logger: logger)
            return reporters
        }
        var reporter: any SettlingReporter = reporter ?? start(.ofEnvironment)
        let settings: Settings
        do throws(SettingsError) {
            settings = try Settings(environment, log: log)
        } catch {
            return await failStartUp(error, Settings.anyRuntimeAPI(environment), reporter)
        }
        for warning in settings.warnings { logger.warning("\(warning)") }
        guard let address = settings.runtimeAPI else {
            return await failStartUp(RunError.notOnLambda, nil, reporter)
        }
        do {
            let app = try await makeApp()
            if !isGiven, app.chain.namesReporters { reporter = start(app.chain.reporters) }
            // What is wrong with the app is reported to where the app says.
            try app.validate()
            let guardian = try DeadlineGuard(
                workers: settings.workers, responder: app.chain.responder, reporter: reporter, exit: endProcess)
            if settings.outcome.metrics != nil {
                EMFMetrics.registry.isOn = true
                EMFMetrics.bootstrapIfNone()
            }
            let watcher = await startWatcher(app.chain, settings, address, reporter, testReporters, logger)
            defer { watcher?.stop() }
            let context = WorkerContext(
                chain: app.chain, life: app.life, settings: settings, address: address, reporter: reporter, guardian: guardian,
                testReporters: testReporters, watcher: watcher, outcomes: OutcomeLog(settings.outcome))
            defer { guardian.stop() }
            return await live(context, logger)
        } catch {
            return await failStartUp(error, address, reporter)
        }
    }

    /// Services begin before the first invocation is asked for, and end after the last one.
    private static func live(_ context: WorkerContext, _ logger: Logger) async -> End {
        let workers: WorkerGroup
        do throws(SystemError) {
            workers = try WorkerGroup()
        } catch {
            return await failStartUp(error, context.address, context.reporter)
        }
        let services = context.life.services
        services?.start { error in
            context.reporter.record(.service(error))
            workers.fail(hasReports: true)
        }
        var shutdown: Shutdown?
        if context.hasSomethingToEnd {
            shutdown = Shutdown.expect(
                context.settings, context.address, isExtension: context.watcher?.isExtension == true, logger)
        }
        // As in `WorkerGroup.State`: not the type of the task, where no task is.
        var cancelEnding: (@Sendable () -> Void)?
        var hasEnded: (@Sendable () async -> Bool)?
        if let shutdown {
            let loop = context.guardian.loop
            startGuard(context, workers)
            let ending = Task(executorPreference: loop) {
                await shutdown.wait(on: loop, workers, services, context.guardian) { await context.reporter.flush(within: $0) }
            }
            cancelEnding = { ending.cancel() }
            hasEnded = { await ending.value }
        }
        let end = await work(context, workers)
        if shutdown?.hasBegun != true { cancelEnding?() }
        if await hasEnded?() != true, context.hasSomethingToEnd {
            if let services {
                await Shutdown.stop(services, until: WallClock.Instant.actual.advanced(by: .milliseconds(500)))
            }
            // Their last words.
            await context.reporter.flush(within: .milliseconds(500))
        }
        return end
    }

    /// Whoever hears what the platform says; nil where the app does not want that, or where it cannot be.
    private static func startWatcher(
        _ chain: Chain, _ settings: Settings, _ address: HostPort, _ reporter: any SettlingReporter,
        _ testReporters: Reporters?, _ logger: Logger
    ) async -> PlatformWatcher? {
        guard chain.processParts.contains(where: { $0 is PlatformWatch }) else { return nil }
        do {
            let watcher = PlatformWatcher(
                try EventLoop(), reporter: reporter, testReporters: testReporters, logger: logger)
            do {
                try await watcher.start(address: address, initializationType: settings.initializationType)
            } catch {
                logger.warning("PlatformWatch hears nothing: \(error)")
                // Once the process is an extension, it stays one.
                guard watcher.isExtension else {
                    watcher.stop()
                    return nil
                }
            }
            return watcher
        } catch {
            logger.warning("PlatformWatch hears nothing: \(error)")
            return nil
        }
    }

    private static func work(_ context: WorkerContext, _ workers: WorkerGroup) async -> End {
        if context.settings.workers == 1 { sluice_set_malloc() }
        for number in 0..<context.settings.workers {
            do throws(SystemError) {
                let loop = try EventLoop()
                try loop.start("sluice-worker-\(number)")
                let worker = Worker(number: number, loop: loop, context: context) { begin(context, workers) }
                workers.add(
                    loop,
                    // No task group: its body would run on the shared pool, which nothing else of ours has threads for.
                    Task(executorPreference: loop) {
                        do {
                            try await worker.run()
                        } catch {
                            workers.fail()  // on record already
                        }
                        workers.leave()
                    })
            } catch {
                context.reporter.record(
                    .startUp(of: "worker \(number)", error))
                workers.fail(hasReports: true)
            }
        }
        await workers.wait()
        if workers.hasReports { await context.reporter.flush(within: .seconds(2)) }
        return workers.hasFailed ? .failed : .cancelled
    }

    /// What nothing needs before an invocation is there: a worker does it when it has asked for its first one. Without a guard the
    /// process ends; an invocation that was handed out at that moment is served all the same.
    private static func begin(_ context: WorkerContext, _ workers: WorkerGroup) {
        // Where there is one processor, the Runtime API goes first: it has a request to read.
        sched_yield()
        Reports.begin()
        startGuard(context, workers)
    }

    private static func startGuard(_ context: WorkerContext, _ workers: WorkerGroup) {
        do {
            try context.guardian.start()
        } catch {
            context.reporter.record(
                .startUp(of: "the deadline guard", error))
            workers.fail(hasReports: true)
        }
    }

    private static func failStartUp(
        _ error: any Error, _ address: HostPort?, _ reporter: any SettlingReporter
    ) async -> End {
        reporter.record(.startUp(error))
        await reporter.flush(within: .seconds(2))
        guard let address else { return .failed }
        do {
            let loop = try EventLoop()
            try loop.start("sluice-init")
            defer { loop.stop() }
            let document = ErrorDocument(startUp: error)
            let post = Task(executorPreference: loop) { try await RuntimeClient(loop, address: address).failInit(document) }
            try await post.value
        } catch {
            reporter.record(.startUpUntold(error))
            await reporter.flush(within: .seconds(2))
        }
        return .failed
    }
}

/// The workers of a process: they begin apart and end together.
final class WorkerGroup: Sendable {
    private struct State {
        var members: [(loop: EventLoop, cancel: @Sendable () -> Void)] = []
        var atWork = 0
        var hasFailed = false
        var hasReports = false
        var isCancelled = false
        // Closures here: a continuation's or a task's type, made at start-up, searches the whole program for `Never: Error`.
        var waiting: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    /// Readable when no worker is at work any more.
    let ended: WakeUp

    init() throws(SystemError) { ended = try WakeUp() }

    var hasEnded: Bool { state.withLock { $0.atWork == 0 } }
    var hasFailed: Bool { state.withLock(\.hasFailed) }
    /// Whether a failure was recorded that no worker has flushed.
    var hasReports: Bool { state.withLock(\.hasReports) }

    func add(_ loop: EventLoop, _ task: Task<Void, Never>) {
        let isLate = state.withLock { state in
            state.members.append((loop, { task.cancel() }))
            state.atWork += 1
            return state.isCancelled
        }
        if isLate { task.cancel() }
    }

    /// The others finish what they have and ask for no more.
    func fail(hasReports: Bool = false) {
        state.withLock { ($0.hasFailed, $0.hasReports) = (true, $0.hasReports || hasReports) }
        cancel()
    }

    func cancel() {
        let members = state.withLock { state in
            state.isCancelled = true
            return state.members
        }
        for member in members { member.cancel() }
    }

    func leave() { end { $0.atWork -= 1 } }

    /// Returns when no worker is at work any more. Cancels them when its task is cancelled.
    func wait() async {
        let members = state.withLock(\.members)
        guard let loop = members.first?.loop else { return }
        // On a thread that is there: waiting alone would start the shared pool.
        await withTaskExecutorPreference(loop) {
            await withTaskCancellationHandler {
                // Unsafe for the same reason; `end` takes it once.
                await withUnsafeContinuation { continuation in end { $0.waiting = { continuation.resume() } } }
            } onCancel: {
                cancel()
            }
        }
        for member in members { member.loop.stop() }
    }

    private func end(_ change: (inout sending State) -> Void) {
        let waiting = state.withLock { state in
            change(&state)
            guard state.atWork == 0 else { return nil as (@Sendable () -> Void)? }
            ended.signal()
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?()
    }
}
