package import Logging
package import SluiceCore
internal import Synchronization

/// Says to the app's reporters what happened: errors, messages, and what was known at the time.
///
/// In a request these act on that request's scope, elsewhere on the process's. What a child task sets is its own; detached tasks
/// and callbacks of other libraries do not inherit a scope: read ``InvocationScope/current`` before you cross, and bind it with
/// `InvocationScope.$current.withValue` on the other side.
///
/// What handlers and middleware throw is captured without a call of yours. Where an app has no reporter all of this works and
/// sends nothing.
public enum Reports {
    /// The address of the hub, 0 for none. Hubs live as long as the process, so that nobody needs a lock to read this.
    private static let address = Atomic<UInt>(0)

    static var hub: ReportHub? { hub(at: address.load(ordering: .acquiring)) }

    private static func hub(at address: UInt) -> ReportHub? {
        UnsafeRawPointer(bitPattern: address).map { Unmanaged<ReportHub>.fromOpaque($0).takeUnretainedValue() }
    }

    /// What all reporters of the process share; nil while nothing is reported.
    package static var process: ReportingProcess? { hub?.process }

    /// A reporter of the process has made this: it is flushed with the others.
    package static func add(_ delivery: Delivery) { hub?.add(delivery) }

    /// From here on these reporters hear of what is captured; they read the environment when something is, or with ``begin()``.
    package static func start(_ reporters: Reporters, environment: Environment, logger: Logger) {
        let hub = ReportHub(reporters, ReportingProcess(environment: environment, logger: logger))
        replace(with: UInt(bitPattern: Unmanaged.passRetained(hub).toOpaque()))
    }

    /// Makes what the reporters need to deliver, and finds what an earlier process left behind.
    package static func begin() {
        hub?.begin()
    }

    /// Nobody hears of anything from here on.
    package static func stop() { replace(with: 0) }

    private static func replace(with new: UInt) { hub(at: address.exchange(new, ordering: .acquiringAndReleasing))?.end() }

    /// Whether anybody hears of anything: asked by whoever would do work for it.
    package static var isOn: Bool { hub?.reporters.all.isEmpty == false }

    /// Whether what one reporter leaves out nobody else has.
    static var isOnlyReporter: Bool { hub.map { $0.reporters.all.count < 2 } ?? true }

    // MARK: Scopes

    @TaskLocal static var processScope: ReportingScope?

    /// The scope that things are said of; nil in an invocation of which nobody has said or wants to hear anything.
    package static var currentScope: ReportingScope? {
        guard let scope = InvocationScope.current else { return processScope ?? .process }
        return Self.scope(following: scope)
    }

    /// The reporting's part of an invocation's scope; nil where nobody follows it.
    package static func scope(following scope: InvocationScope) -> ReportingScope? { scope.follower as? ReportingScope }

    /// The scope that things are said of, made where there is none yet.
    package static var scopeForChanges: ReportingScope {
        if let currentScope { return currentScope }
        let made = InvocationScope.current.map { scope in scope.state.follower { ReportingScope(owner: scope.state.ownerID) } }
        return made as? ReportingScope ?? .process
    }

    /// Follows an invocation from here on, for these reporters; nil: for those of the process.
    package static func follower(for reporters: Reporters? = nil) -> ReportingScope? {
        reporters != nil || isOn ? ReportingScope(reporters: reporters) : nil
    }

    // MARK: What happened

    /// Names, lower case, of headers by which a request may join a trace.
    package static var traceHeaderNames: Set<String> {
        Set((hub?.tracking.flatMap(\.traceHeaderNames) ?? []) + ["traceparent"])
    }

    /// Who hears of what is captured in a scope.
    private static func reporters(of scope: ReportingScope) -> Reporters? {
        guard let reporters = scope.reporters ?? hub?.reporters, !reporters.all.isEmpty else { return nil }
        return reporters
    }

    /// Reports an error that your code has handled. One that goes on to be thrown is reported once all the same.
    ///
    /// - Returns: The report's id; nil where this error has been captured already, or where the app has no reporter.
    @discardableResult
    public static func capture(_ error: any Error, level: ReportLevel = .error) -> String? {
        let scope = scopeForChanges
        guard let reporters = reporters(of: scope) else { return nil }
        let failure = Failure(.captured, String(describing: error), error: error, level: level.ofLog)
        guard scope.isNew(error, as: failure.id) else { return nil }
        scope.lastEventID = failure.id
        reporters.report(failure)
        return failure.id
    }

    /// Reports a message.
    ///
    /// - Returns: The report's id; nil where the app has no reporter.
    @discardableResult
    public static func capture(_ message: String, level: ReportLevel = .info) -> String? {
        let scope = scopeForChanges
        guard let reporters = reporters(of: scope) else { return nil }
        let failure = Failure(.captured, message, error: nil, level: level.ofLog)
        scope.lastEventID = failure.id
        reporters.report(failure)
        return failure.id
    }

    /// Adds to the trail of what happened before; the newest hundred are kept, or as many as a reporter's options say.
    public static func addBreadcrumb(_ breadcrumb: Breadcrumb) {
        // Nothing would ever be sent with it.
        guard let hub, isOn else { return }
        var breadcrumb = breadcrumb
        for reporter in hub.tracking {
            guard let changed = reporter.changed(breadcrumb) else { return }
            breadcrumb = changed
        }
        scopeForChanges.add(breadcrumb, limit: hub.breadcrumbLimit)
    }

    /// Adds to the trail of what happened before.
    public static func addBreadcrumb(
        _ message: String, category: String? = nil, level: ReportLevel = .info, data: [String: ReportValue] = [:]
    ) {
        addBreadcrumb(Breadcrumb(message, category: category, level: level, data: data))
    }

    // MARK: What is known

    /// Sets a tag: something to search reports by. Nil removes it.
    public static func setTag(_ key: String, _ value: String?) { scopeForChanges.change { $0.tags[key] = value } }

    /// Sets who the request is for. Nil removes it.
    public static func setUser(_ user: ReportUser?) { scopeForChanges.change { $0.user = user } }

    /// Sets a named group of values. Nil removes it.
    public static func setContext(_ name: String, _ values: [String: ReportValue]?) {
        scopeForChanges.change { $0.contexts[name] = values }
    }

    /// Sets the level of what is reported from here on. Nil: each report's own.
    public static func setLevel(_ level: ReportLevel?) { scopeForChanges.change { $0.level = level } }

    /// Sets what decides which reports are one issue. Empty: the server's own rule.
    public static func setFingerprint(_ parts: [String]) { scopeForChanges.change { $0.fingerprint = parts } }

    /// Runs `body` in a copy of the scope: what is set in it ends with it. Breadcrumbs stay.
    public static func withScope<R>(_ body: () throws -> R) rethrows -> R {
        let copy = scopeForChanges.copy()
        if var scope = InvocationScope.current {
            scope.ownFollower = copy
            return try InvocationScope.$current.withValue(scope, operation: body)
        }
        return try $processScope.withValue(copy, operation: body)
    }

    /// Runs `body` in a copy of the scope: what is set in it ends with it. Breadcrumbs stay.
    nonisolated(nonsending) public static func withScope<R>(_ body: () async throws -> R) async rethrows -> R {
        let copy = scopeForChanges.copy()
        if var scope = InvocationScope.current {
            scope.ownFollower = copy
            return try await InvocationScope.$current.withValue(scope, operation: body)
        }
        return try await $processScope.withValue(copy, operation: body)
    }

    // MARK: What became of it

    /// Delivers what was captured in this request, or outside of requests everything, and tells what became of it.
    ///
    /// `FlushReports` does this before each response ends; call it where nothing else does.
    @discardableResult
    public static func flush(within limit: Duration = .seconds(2)) async -> ReportLedger {
        let scope = InvocationScope.current
        let ledger = currentScope?.ledger
        let budget = max(scope?.budget(limit) ?? limit, .zero)
        if scope == nil || ledger != nil {
            await hub?.flush(scope == nil ? nil : ledger, drains: scope == nil, within: budget)
        }
        return ledger?.now ?? ReportLedger()
    }

    /// The id of the last report of this request, as users may quote it.
    public static var lastEventID: String? { currentScope?.lastEventID }

    /// Headers for a request that you send, so that the other side joins this trace: as the app's reporters know them, `traceparent` or
    /// a tracker's own. Empty where the app has no reporter.
    public static var traceHeaders: [(name: String, value: String)] {
        guard let hub, isOn else { return [] }
        let trace = hub.trace(of: scopeForChanges)
        let headers = hub.tracking.flatMap { $0.traceHeaders(of: trace) }
        // Who is not ours, and no tracker of ours, knows the W3C's.
        let needsOthers = hub.tracking.count < hub.reporters.all.count
        return headers + (needsOthers ? [(name: "traceparent", value: trace.traceparent)] : [])
    }
}
