package import Logging
internal import Synchronization

/// Says to the error tracker what happened: errors, messages, and what was known at the time.
///
/// In a request these act on that request's scope, elsewhere on the process's. What a child task sets is its own; detached tasks
/// and callbacks of other libraries do not inherit a scope: read ``InvocationScope/current`` before you cross, and bind it with
/// `InvocationScope.$current.withValue` on the other side.
///
/// What handlers and middleware throw is captured without a call of yours. Without a DSN all of this works and sends nothing.
public enum Reports {
    /// A client that is made when it is first needed.
    private static let prepared = Mutex<(@Sendable () -> ReportClient)?>(nil)
    /// The address of the client, 0 for none. Clients live as long as the process, so that nobody needs a lock to read this.
    private static let address = Atomic<UInt>(0)

    static var current: ReportClient? {
        if let client = client(at: address.load(ordering: .acquiring)) { return client }
        return prepared.withLock { prepared in
            if let make = prepared {
                address.store(UInt(bitPattern: Unmanaged.passRetained(make()).toOpaque()), ordering: .releasing)
                prepared = nil
            }
            return client(at: address.load(ordering: .acquiring))
        }
    }

    private static func client(at address: UInt) -> ReportClient? {
        UnsafeRawPointer(bitPattern: address).map { Unmanaged<ReportClient>.fromOpaque($0).takeUnretainedValue() }
    }

    static var box: ScopeBox { InvocationScope.current?.report ?? processBox ?? .process }

    @TaskLocal static var processBox: ScopeBox?

    /// Uses `options` from here on, and reads the environment when something is to be reported, or with ``begin()``.
    package static func start(_ options: ReportOptions, environment: [String: String], logger: Logger) {
        stop()
        prepared.withLock { prepared in
            prepared = {
                let client = ReportClient(options, environment: environment, logger: logger)
                if client.delivery != nil { ThrowHook.install() }
                isActive.store(client.delivery != nil, ordering: .releasing)
                return client
            }
        }
    }

    /// Starts what ``start(_:environment:logger:)`` prepared.
    package static func begin() { _ = current }

    /// Sends nothing from here on.
    package static func stop() {
        isActive.store(false, ordering: .releasing)
        prepared.withLock { $0 = nil }
        client(at: address.exchange(0, ordering: .acquiringAndReleasing))?.delivery?.stop()
    }

    private static let isActive = Atomic(false)
    /// Whether anything is reported: asked by whoever would do work for it.
    package static var isOn: Bool { isActive.load(ordering: .acquiring) }

    /// Reports an error that your code has handled. One that goes on to be thrown is reported once all the same.
    ///
    /// - Returns: The event's id; nil where this error has been captured already, or where there is no client.
    @discardableResult
    public static func capture(_ error: any Error, level: ReportLevel = .error) -> String? {
        guard let client = current else { return nil }
        let box = box
        guard let (event, scope) = client.event(of: error, level: level, mechanism: "generic", isHandled: true, in: box)
        else { return nil }
        return client.capture(event, scope, box, source: error)
    }

    /// Reports a message.
    ///
    /// - Returns: The event's id; nil where there is no client.
    @discardableResult
    public static func capture(_ message: String, level: ReportLevel = .info) -> String? {
        guard let client = current else { return nil }
        var event = ReportEvent(level: level)
        event.message = message
        let box = box
        return client.capture(event, box.scope, box)
    }

    /// Adds to the trail of what happened before; the newest ``ReportOptions/maxBreadcrumbs`` are kept.
    public static func addBreadcrumb(_ breadcrumb: Breadcrumb) {
        // Nothing would ever be sent with it.
        guard let client = current, client.delivery != nil else { return }
        client.add(breadcrumb, to: box)
    }

    /// Adds to the trail of what happened before.
    public static func addBreadcrumb(
        _ message: String, category: String? = nil, level: ReportLevel = .info, data: [String: ReportValue] = [:]
    ) {
        addBreadcrumb(Breadcrumb(message, category: category, level: level, data: data))
    }

    /// Sets a tag: something to search reports by. Nil removes it.
    public static func setTag(_ key: String, _ value: String?) { box.change { $0.tags[key] = value } }

    /// Sets who the request is for. Nil removes it.
    public static func setUser(_ user: ReportUser?) { box.change { $0.user = user } }

    /// Sets a named group of values. Nil removes it.
    public static func setContext(_ name: String, _ values: [String: ReportValue]?) {
        box.change { $0.contexts[name] = values }
    }

    /// Sets the level of what is reported from here on. Nil: each report's own.
    public static func setLevel(_ level: ReportLevel?) { box.change { $0.level = level } }

    /// Sets what decides which reports are one issue. Empty: the server's own rule.
    public static func setFingerprint(_ parts: [String]) { box.change { $0.fingerprint = parts } }

    /// Runs `body` in a copy of the scope: what is set in it ends with it. Breadcrumbs stay.
    public static func withScope<R>(_ body: () throws -> R) rethrows -> R {
        let fork = box.forked()
        if var scope = InvocationScope.current {
            scope.report = fork
            return try InvocationScope.$current.withValue(scope, operation: body)
        }
        return try $processBox.withValue(fork, operation: body)
    }

    /// Runs `body` in a copy of the scope: what is set in it ends with it. Breadcrumbs stay.
    nonisolated(nonsending) public static func withScope<R>(_ body: () async throws -> R) async rethrows -> R {
        let fork = box.forked()
        if var scope = InvocationScope.current {
            scope.report = fork
            return try await InvocationScope.$current.withValue(scope, operation: body)
        }
        return try await $processBox.withValue(fork, operation: body)
    }

    /// Delivers what was captured in this request, or outside of requests everything, and tells what became of it.
    ///
    /// `FlushReports` does this before each response ends; call it where nothing else does.
    @discardableResult
    public static func flush(within limit: Duration = .seconds(2)) async -> ReportLedger {
        let scope = InvocationScope.current
        let ledger = box.ledger
        await current?.delivery?.flush(scope == nil ? nil : ledger, drains: scope == nil, within: scope?.budget(limit) ?? limit)
        return ledger.now
    }

    /// The id of the last event of this request, as users may quote it.
    public static var lastEventID: String? { box.lastEventID }

    /// `sentry-trace` and `baggage` for a request that you send, so that the other side joins this trace. Empty without a DSN.
    public static var traceHeaders: [(name: String, value: String)] {
        guard let client = current, let dsn = client.settings.dsn else { return [] }
        let trace = client.trace(of: box)
        let members = trace.sampling(
            publicKey: dsn.publicKey, release: client.settings.release, environment: client.settings.environment,
            organization: client.settings.organizationID)
        var headers = [(name: "sentry-trace", value: trace.sentryTrace)]
        if let baggage = Baggage.header(existing: nil, adding: members) { headers.append(("baggage", baggage)) }
        return headers
    }
}
