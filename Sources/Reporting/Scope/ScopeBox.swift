internal import CSluiceRuntime
internal import Synchronization

/// The scope of one invocation, of one `withScope`, or of the process.
///
/// Tags, user, contexts, level and fingerprint belong to the task that set them: a child task sees its request's, and what it
/// sets is its own. Breadcrumbs are one trail for the whole request. Nothing here is shared between two invocations.
package final class ScopeBox: Sendable {
    private struct State {
        var own: ReportScope
        /// Of tasks other than the owner, by their unique number.
        var children: [UInt64: ReportScope] = [:]
        var trail: Trail
        var trace: TraceContext?
        var request: (@Sendable () -> RawRequest)?
        var carrier: [String: String] = [:]
        var lastEventID: String?
        var captured: [any Error] = []
        var throwSites: [ThrowSite] = []
    }

    private let state: Mutex<State>
    /// 0 for the scope of the process, which every task writes.
    private let ownerID: Atomic<UInt64>
    /// Where breadcrumbs go: that of the request, also inside of `withScope`.
    private let parent: ScopeBox?
    package let ledger: Ledger

    /// A new request's scope, owned by the current task.
    package convenience init() { self.init(ReportScope(), owner: CurrentTask.id, parent: nil, ledger: Ledger()) }

    private init(_ scope: ReportScope, owner: UInt64, parent: ScopeBox?, ledger: Ledger) {
        state = Mutex(State(own: scope, trail: Trail()))
        ownerID = Atomic(owner)
        self.parent = parent
        self.ledger = ledger
    }

    static let process = ScopeBox(ReportScope(), owner: 0, parent: nil, ledger: Ledger())

    /// A copy for the current task, breadcrumbs excepted: they stay one trail.
    package func forked() -> ScopeBox {
        ScopeBox(scope, owner: CurrentTask.id, parent: root, ledger: ledger)
    }

    private var root: ScopeBox { parent ?? self }
    /// Whether it is that scope, or one that was forked from it.
    func isPart(of other: ScopeBox) -> Bool { root === other }
    private var owner: UInt64 { ownerID.load(ordering: .relaxed) }

    /// The current task owns it from here on: what it sets is the request's.
    package func claim() { ownerID.store(CurrentTask.id, ordering: .relaxed) }

    /// Whether another task than the current one owns this.
    package var isForeign: Bool { owner != 0 && owner != CurrentTask.id }

    var scope: ReportScope {
        let task = CurrentTask.id
        return state.withLock { state in
            owner == 0 || task == owner ? state.own : state.children[task] ?? state.own
        }
    }

    func change(_ change: (inout ReportScope) -> Void) {
        let task = CurrentTask.id
        state.withLock { state in
            if owner == 0 || task == owner {
                change(&state.own)
            } else {
                change(&state.children[task, default: state.own])
            }
        }
    }

    /// What a fork that is done has become, taken over.
    package func adopt(_ fork: ScopeBox) {
        let scope = fork.scope
        state.withLock { $0.own = scope }
    }

    /// The matched route's name, as `GET /orders/{id}`.
    package func setTransaction(_ name: String) { change { $0.transaction = name } }

    // MARK: One for the whole request

    func add(_ breadcrumb: Breadcrumb, limit: Int) -> Bool {
        root.state.withLock { $0.trail.add(breadcrumb, limit: limit) }
    }

    var breadcrumbs: [Breadcrumb] { root.state.withLock { $0.trail.ordered } }

    /// The request, made when something is to be reported and not before.
    package func setRequest(_ make: @escaping @Sendable () -> RawRequest) { root.state.withLock { $0.request = make } }

    var request: RawRequest? { root.state.withLock(\.request)?() }

    /// Trace headers that came beside the request, by their lower-case names; they win over the request's own.
    package var carrier: [String: String] {
        get { root.state.withLock(\.carrier) }
        set { root.state.withLock { $0.carrier = newValue } }
    }

    /// The trace, made at first use from the request's headers.
    func trace(_ make: () -> TraceContext) -> TraceContext {
        if let trace = root.state.withLock(\.trace) { return trace }
        let made = make()
        return root.state.withLock { state in
            if let trace = state.trace { return trace }
            state.trace = made
            return made
        }
    }

    var lastEventID: String? {
        get { root.state.withLock(\.lastEventID) }
        set { root.state.withLock { $0.lastEventID = newValue } }
    }

    // MARK: Errors

    /// Whether this error, or one that it was caused by, was captured before in this scope; notes it otherwise.
    func isNew(_ error: any Error) -> Bool {
        // Outside of the lock: descriptions are the app's own code.
        let (known, sites) = root.state.withLock { ($0.captured, $0.throwSites) }
        let chain = ErrorChain.of(error)
        func hasOwnSite(_ error: any Error) -> Bool {
            sites.contains { !$0.isTyped && ErrorIdentity.isSameBox($0.error, error) }
        }
        let isKnown = known.contains { known in
            chain.contains { one in
                if ErrorIdentity.isSameBox(one, known) { return true }
                // The process's scope has no end: an equal error, later, is another one.
                if root.owner == 0 { return false }
                // Equal, but thrown apart from each other: two errors.
                if hasOwnSite(one), hasOwnSite(known) { return false }
                return ErrorIdentity.same(one, known)
            }
        }
        guard !isKnown else { return false }
        note(error)
        return true
    }

    func note(_ error: any Error) {
        // What goes is let go outside of the lock, here and below: its `deinit` is the app's own code.
        let old = root.state.withLock { state -> (any Error)? in
            // Kept, so that no other error can have its address; the latest few are enough.
            state.captured.append(error)
            return state.captured.count > 16 ? state.captured.removeFirst() : nil
        }
        withExtendedLifetime(old) {}
    }

    /// What `beforeSend` dropped may be captured again.
    func forget(_ error: any Error) {
        let old = root.state.withLock { state in
            let all = state.captured
            state.captured.removeAll { ErrorIdentity.isSameBox($0, error) }
            return all
        }
        withExtendedLifetime(old) {}
    }

    func noteThrow(_ error: any Error, isTyped: Bool, _ addresses: () -> [UInt]) {
        let isKnown = !isTyped && root.state.withLock { $0.throwSites.contains { ErrorIdentity.isSameBox($0.error, error) } }
        // A rethrow: the first throw is the one that tells.
        guard !isKnown else { return }
        let site = ThrowSite(error: error, isTyped: isTyped, addresses: addresses(), scope: scope)
        let old = root.state.withLock { state -> ThrowSite? in
            state.throwSites.append(site)
            return state.throwSites.count > 8 ? state.throwSites.removeFirst() : nil
        }
        withExtendedLifetime(old) {}
    }

    /// Where this error was first thrown; of a typed throw, the first of an equal error.
    func throwSite(of error: any Error) -> ThrowSite? {
        let sites = root.state.withLock(\.throwSites)
        return sites.first { ErrorIdentity.isSameBox($0.error, error) }
            ?? sites.first { $0.isTyped && ErrorIdentity.same($0.error, error) }
    }
}

/// The breadcrumbs of a request: a ring, so that a chatty request costs no more than a quiet one.
struct Trail: Sendable {
    private var ring: [Breadcrumb] = []
    private var next = 0

    /// False when the oldest one had to go.
    mutating func add(_ breadcrumb: Breadcrumb, limit: Int) -> Bool {
        guard limit > 0 else { return true }
        guard ring.count >= limit else {
            ring.append(breadcrumb)
            return true
        }
        ring[next] = breadcrumb
        next = (next + 1) % ring.count
        return false
    }

    var ordered: [Breadcrumb] { Array(ring[next...] + ring[..<next]) }
}

enum CurrentTask {
    /// Never the same for two tasks of a process; 0 outside of tasks.
    static var id: UInt64 { sluice_current_task_id() }
}
