internal import Logging
internal import SluiceCore
internal import Synchronization

/// The reporters of a process, and the deliveries that they use: what ``Reports`` speaks to while the app runs. One for each
/// ``Reports/start(_:environment:logger:)``.
final class ReportHub: Sendable {
    let process: ReportingProcess
    let reporters: Reporters
    let tracking: [any TrackingReporter]
    private let hasBegun = Atomic(false)
    private let isOver = Atomic(false)
    private let made = Mutex<[Delivery]>([])
    /// The same list, for whoever asks after each invocation: a lock would be shared between workers. Lists live as long as the process.
    private let published = Atomic<UInt>(0)

    private final class List: Sendable {
        let deliveries: [Delivery]
        init(_ deliveries: [Delivery]) { self.deliveries = deliveries }
    }

    init(_ reporters: Reporters, _ process: ReportingProcess) {
        self.process = process
        self.reporters = reporters
        tracking = reporters.all.compactMap { $0 as? any TrackingReporter }
    }

    /// Makes what reporters need to deliver. Once is enough, and more does nothing.
    func begin() {
        guard !hasBegun.exchange(true, ordering: .acquiringAndReleasing) else { return }
        ThrowHook.install()
        for reporter in reporters.all { reporter.begin() }
    }

    func end() {
        isOver.store(true, ordering: .releasing)
        for reporter in tracking { reporter.end() }
        for delivery in deliveries { delivery.stop() }
    }

    /// A delivery that is there from here on.
    func add(_ delivery: Delivery) {
        made.withLock { made in
            made.append(delivery)
            let list = List(made)
            published.store(UInt(bitPattern: Unmanaged.passRetained(list).toOpaque()), ordering: .releasing)
        }
        // Somebody was late: what it takes waits in the spool.
        if isOver.load(ordering: .acquiring) { delivery.stop() }
    }

    var deliveries: [Delivery] {
        guard let address = UnsafeRawPointer(bitPattern: published.load(ordering: .acquiring)) else { return [] }
        return Unmanaged<List>.fromOpaque(address).takeUnretainedValue().deliveries
    }

    // MARK: What scopes keep

    /// The most that any reporter wants; 100 where none of them says so.
    var breadcrumbLimit: Int { tracking.map(\.breadcrumbLimit).max() ?? ReportEvent.breadcrumbLimit }

    func trace(of box: ReportingScope) -> TraceContext {
        process.trace(of: box) { header in
            if let first = tracking.first { return first.trace(header) }
            let text = header.map { $0("traceparent") } ?? process.environment["TRACEPARENT"]
            guard let incoming = text.flatMap(TraceContext.parseW3C) else { return TraceContext() }
            return TraceContext(continuing: incoming.trace, span: incoming.span, isSampled: incoming.sampled)
        }
    }

    // MARK: Delivery

    /// Waits until all of a ledger is accounted for, or for `limit`; nil: everything.
    func flush(_ ledger: Ledger?, drains: Bool, within limit: Duration) async {
        let busy = deliveries.filter { drains ? $0.hasWork : ledger?.hasPending ?? true }
        guard busy.count > 1 else {
            await busy.first?.flush(ledger, drains: drains, within: limit)
            return
        }
        // At once: each has a thread of its own, and their limits must not add up.
        await withTaskGroup(of: Void.self) { group in
            for delivery in busy { group.addTask { await delivery.flush(ledger, drains: drains, within: limit) } }
        }
    }
}
