internal import Logging
internal import SluiceMiddleware
internal import SluiceReporting
internal import SluiceStreaming

/// Start-up, workers, and the end.
enum Server {
    enum End: Equatable, Sendable { case cancelled, failed }

    /// Serves until cancelled or until the Runtime API is gone. Every failure is on record when this returns.
    static func serve(
        _ environment: [String: String], bootstrapsLogging: Bool, reporter: (any Reporter)? = nil,
        _ makeApp: @Sendable () async throws -> LambdaApp
    ) async -> End {
        let log = LogSettings(environment)
        let logger = LogSetup.install(json: log.isJSON, level: log.level, bootstraps: bootstrapsLogging)
        // Errors of start-up are reported too; the app's own options count as soon as the app is there.
        if reporter == nil { Reports.start(ReportOptions(), environment: environment, logger: logger) }
        let reporter: any Reporter = reporter ?? SentryReporter(logger)
        let settings: Settings
        do throws(SettingsError) {
            settings = try Settings(environment)
        } catch {
            return await failStartUp(error, HostPort(environment["AWS_LAMBDA_RUNTIME_API"] ?? ""), reporter)
        }
        for warning in settings.warnings { logger.warning("\(warning)") }
        guard let address = settings.runtimeAPI else {
            return await failStartUp(RunError.notOnLambda, nil, reporter)
        }
        do {
            let app = try await makeApp()
            if let options = app.chain.reportOptions, reporter is SentryReporter {
                Reports.start(options, environment: environment, logger: logger)
            }
            // What is wrong with the app is reported to where the app says.
            try app.validate()
            Reports.begin()
            let guardian = try DeadlineGuard(
                workers: settings.workers, address: address, mode: settings.invokeMode, answer: app.chain.answer,
                reporter: reporter)
            try guardian.start()
            let context = WorkerContext(
                chain: app.chain, settings: settings, address: address, reporter: reporter, guardian: guardian)
            defer { guardian.stop() }
            return await work(context)
        } catch {
            return await failStartUp(error, address, reporter)
        }
    }

    private static func work(_ context: WorkerContext) async -> End {
        await withTaskGroup(of: End.self) { group in
            var loops: [EventLoop] = []
            for number in 0..<context.settings.workers {
                do throws(SystemError) {
                    let loop = try EventLoop()
                    try loop.start("sluice-worker-\(number)")
                    loops.append(loop)
                    let worker = Worker(number: number, loop: loop, context: context)
                    group.addTask(executorPreference: loop) {
                        do {
                            try await worker.run()
                            return .cancelled
                        } catch {
                            return .failed  // on record already
                        }
                    }
                } catch {
                    context.reporter.record(
                        FailureRecord(.startUp, "worker \(number) could not start", error: error, level: .critical))
                    group.addTask {
                        await context.reporter.flush(within: .seconds(2))
                        return .failed
                    }
                }
            }
            var end = End.cancelled
            for await one in group where one == .failed {
                // The others finish what they have and ask for no more.
                end = .failed
                group.cancelAll()
            }
            for loop in loops { loop.stop() }
            return end
        }
    }

    private static func failStartUp(
        _ error: any Error, _ address: HostPort?, _ reporter: any Reporter
    ) async -> End {
        reporter.record(FailureRecord(.startUp, "start-up failed", error: error))
        await reporter.flush(within: .seconds(2))
        guard let address else { return .failed }
        do {
            let loop = try EventLoop()
            try loop.start("sluice-init")
            defer { loop.stop() }
            let document = ErrorDocument(error, category: .runtime, fallback: "InitError")
            let post = Task(executorPreference: loop) { try await RuntimeClient(loop, address: address).failInit(document) }
            try await post.value
        } catch {
            reporter.record(FailureRecord(.replyRefused, "the start-up error was not taken", error: error))
            await reporter.flush(within: .seconds(2))
        }
        return .failed
    }
}
