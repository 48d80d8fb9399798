internal import Logging
@_spi(JSON) internal import SluiceCore
internal import SluiceReporting
internal import SluiceStreaming
internal import Synchronization

/// Hears what Lambda says of invocations, and tells of each error that it counted and nobody here knows of. Works on a thread of its own.
final class PlatformWatcher: Sendable {
    private let loop: EventLoop
    private let reporter: any SettlingReporter
    /// As ``WorkerContext/testReporters``.
    private let testReporters: Reporters?
    private let logger: Logger
    private let flushLimit: Duration
    private let pairing = PlatformPairing()
    private let hasComplained = Atomic(false)
    /// Kept: its connection is open while this process is an extension.
    private let client = Mutex<Confined<ExtensionClient>?>(nil)

    init(
        _ loop: EventLoop, reporter: any SettlingReporter, testReporters: Reporters?, logger: Logger, flushLimit: Duration
    ) {
        self.loop = loop
        self.reporter = reporter
        self.testReporters = testReporters
        self.logger = logger
        self.flushLimit = flushLimit
    }

    /// Makes the process an extension and listens. Before the first `next`.
    ///
    /// - Throws: ``ExtensionError``, ``SystemError``. It has changed nothing, or the process is an extension that hears nothing.
    func start(address: HostPort, initializationType: String?) async throws {
        try loop.start("sluice-platform")
        try await Task(executorPreference: loop) {
            let client = ExtensionClient(self.loop, address: address, initializationType: initializationType)
            try await client.register()
            let held = Confined(client)
            self.client.withLock { $0 = held }
            let subscription: Result<Void, any Error>
            do {
                try await self.listen(client)
                subscription = .success(())
            } catch {
                subscription = .failure(error)
            }
            // In any case, as start-up waits for it.
            try await client.waitForEvents()
            try subscription.get()
        }.value
    }

    /// Whether Lambda has this process among its extensions.
    var isExtension: Bool { client.withLock { $0 != nil } }

    private func listen(_ client: ExtensionClient) async throws {
        let listener = try PlatformListener(
            loop, take: { [weak self] in self?.take($0) }, complain: { [weak self] in self?.complain($0) })
        Task(executorPreference: loop) { await listener.run() }
        try await client.subscribe(port: listener.port)
    }

    func stop() { loop.stop() }

    /// An invocation is over; the next has not been asked for.
    func note(_ requestID: String, _ end: ReplyEnd) {
        // As a rule the platform speaks later.
        guard let miscount = pairing.note(requestID, end) else { return }
        Task(executorPreference: loop) { self.tell(miscount) }
    }

    // MARK: On the loop

    private func take(_ batch: [UInt8]) {
        do throws(JSONError) {
            for record in try PlatformRecord.all(in: batch) {
                if let miscount = pairing.hear(record) { tell(miscount) }
            }
        } catch {
            complain(error.description)
        }
    }

    /// Once for the process: what is wrong with one batch is wrong with all of them.
    private func complain(_ problem: String) {
        guard !hasComplained.exchange(true, ordering: .relaxed) else { return }
        logger.warning("PlatformWatch cannot read what Lambda says: \(problem)")
    }

    /// One record and one report, under the id of an invocation that is over.
    private func tell(_ miscount: PlatformPairing.Miscount) {
        Task(executorPreference: loop) {
            let scope = InvocationScope(requestID: miscount.requestID, follower: Reports.follower(for: self.testReporters))
            await InvocationScope.$current.withValue(scope) {
                if scope.follower != nil {
                    Reports.setTag("request_id", miscount.requestID)
                    Reports.setContext("platform", miscount.platformContext)
                    Reports.setContext("reply", miscount.replyContext)
                }
                self.reporter.record(.platformError(miscount))
                await self.reporter.settle(within: self.flushLimit)
            }
        }
    }
}

extension PlatformPairing.Miscount {
    /// What the platform said.
    var platformContext: [String: ReportValue] {
        var values: [String: ReportValue] = ["record": .string(platform.kind.rawValue)]
        if let status = platform.status { values["status"] = .string(status) }
        if let type = platform.errorType { values["error_type"] = .string(type) }
        if let latency = platform.spans["responseLatency"] { values["response_latency_in_millis"] = .double(latency) }
        if let duration = platform.spans["responseDuration"] { values["response_duration_in_millis"] = .double(duration) }
        if let duration = platform.duration { values["duration_in_millis"] = .double(duration) }
        if let bytes = platform.producedBytes { values["produced_bytes"] = .integer(bytes) }
        return values
    }

    /// What this process did.
    var replyContext: [String: ReportValue] {
        var values: [String: ReportValue] = ["kind": .string(ours.kind.description), "bytes": .integer(ours.bytes)]
        if let status = ours.status { values["status_code"] = .integer(status) }
        return values
    }

    /// Both, for the record.
    var details: Logger.Metadata {
        var details: Logger.Metadata = [
            "platformRecord": "\(platform.kind.rawValue)", "reply": "\(ours.kind)", "bytes": "\(ours.bytes)",
        ]
        if let status = platform.status { details["platformStatus"] = "\(status)" }
        if let type = platform.errorType { details["platformErrorType"] = "\(type)" }
        for (name, time) in platform.spans where !name.isEmpty { details["\(name)Ms"] = "\(time)" }
        if let duration = platform.duration { details["platformDurationMs"] = "\(duration)" }
        if let bytes = platform.producedBytes { details["producedBytes"] = "\(bytes)" }
        return details
    }
}
