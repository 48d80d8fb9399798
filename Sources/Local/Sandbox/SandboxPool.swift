internal import SluiceStreaming
internal import SluiceCore

/// The sandboxes of a function, as on AWS: each serves one invocation after the other, and another one is started when all are busy. The
/// one that was used last is used again first. Beyond the limit an invocation waits. Confined to the event loop.
final class SandboxPool: LocalFunction, @unchecked Sendable {  // used on the loop's thread only
    /// How long an invocation waits for a sandbox that has answered and not yet asked for the next one, before another is started:
    /// requests that a person sends one after the other shall find the same one.
    private let patience: Duration

    private struct Entry {
        let invocation: LocalInvocation
        /// When our patience is over.
        let until: ContinuousClock.Instant
    }

    private let loop: EventLoop
    private var limit: Int
    private let console: Console
    /// By number, from 1 on.
    private let make: (Int) throws(SystemError) -> Broker
    private var brokers: [Broker] = []
    private var queue: [Entry] = []
    private var uses = 0
    private var isWaking = false
    private var isTold = false
    /// No process has been started yet since the program was replaced.
    private var mustWarm = false
    private var isOver = false

    /// - Parameter limit: Of sandboxes.
    init(
        _ loop: EventLoop, limit: Int, patience: Duration = .milliseconds(250), _ console: Console,
        make: @escaping (Int) throws(SystemError) -> Broker
    ) {
        self.loop = loop
        self.limit = limit
        self.patience = patience
        self.console = console
        self.make = make
    }

    /// Starts the first sandbox, so that its failures are seen at once.
    ///
    /// - Throws: ``SystemError``.
    func start() throws(SystemError) { try add().startIfNeeded() }

    func invoke(_ invocation: LocalInvocation) async {
        queue.append(Entry(invocation: invocation, until: .now + patience))
        settle()
        await invocation.end()
    }

    /// The program has been replaced. Sandboxes in use finish what they have, idle ones end, and the next to start run the new one.
    func replaceProgram() {
        for broker in brokers { broker.retire() }
        // Not before: while one of them still runs as it did, nobody else would be started.
        mustWarm = true
        settle()
    }

    /// Ends all processes for good; returns when they have ended.
    func shutDown() async {
        isOver = true
        await withTaskGroup(of: Void.self) { group in
            for broker in brokers { group.addTask { await broker.shutDown() } }
        }
    }

    // MARK: Who gets what

    private func settle() {
        guard !isOver else { return }
        while let broker = next() {
            uses += 1
            broker.lastUse = uses
            broker.take(queue.removeFirst().invocation)
        }
        if queue.isEmpty { isTold = false }
        if mustWarm { warm() }
    }

    /// As at the start: what fails in the new program's start is seen at once.
    private func warm() {
        if brokers.contains(where: \.takesInvocations) {
            mustWarm = false
        } else if let stopped = brokers.first(where: \.isStopped) {
            mustWarm = false
            stopped.startIfNeeded()
        }
    }

    /// Who takes the first of the queue; nil while it waits.
    private func next() -> Broker? {
        guard let first = queue.first else { return nil }
        if let free = brokers.filter({ $0.freeNow > 0 }).max(by: { $0.lastUse < $1.lastUse }) { return free }
        if let starting = brokers.first(where: { $0.freeAfterStart > 0 }) { return starting }
        let isPatient = ContinuousClock.now < first.until
        if isPatient {
            wake(at: first.until)
            if queue.count <= brokers.reduce(0, { $0 + $1.freeSoon }) { return nil }
        }
        if let stopped = brokers.first(where: \.isStopped) { return stopped }
        if brokers.count < limit, let another = another() { return another }
        if !isPatient { tell(first.invocation) }
        return nil
    }

    private func another() -> Broker? {
        do throws(SystemError) {
            return try add()
        } catch {
            limit = brokers.count
            console.problem("no more than \(limit) sandboxes: \(error)")
            return nil
        }
    }

    private func add() throws(SystemError) -> Broker {
        let broker = try make(brokers.count + 1)
        broker.onChange = { [weak self] in self?.settle() }
        brokers.append(broker)
        return broker
    }

    private func wake(at moment: ContinuousClock.Instant) {
        guard !isWaking else { return }
        isWaking = true
        Task(executorPreference: loop) {
            // Throws when the loop has ended, and all with it.
            try? await self.loop.pause(for: moment - .now)
            self.isWaking = false
            self.settle()
        }
    }

    /// Says who waits, once until nobody waits. One sandbox by choice is one request after the other, which is no news.
    private func tell(_ invocation: LocalInvocation) {
        guard limit > 1, !isTold else { return }
        isTold = true
        console.line("all \(limit) sandboxes are in use: \(invocation.label) waits (SLUICE_LOCAL_SANDBOXES)")
    }
}
