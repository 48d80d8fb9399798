package import SluiceCore
internal import Synchronization

/// The scope of one invocation, of one `withScope`, or of the process.
///
/// Tags, user, contexts, level and fingerprint belong to the task that set them: a child task sees its request's, and what it
/// sets is its own. Breadcrumbs are one trail for the whole request. Nothing here is shared between two invocations.
package final class ReportingScope: ScopeFollower {
    private struct State {
        var own: ReportScope
        /// What tasks other than the owner have set, by their unique number.
        var children: [UInt64: ReportScope] = [:]
        var trail: Trail
        var trace: TraceContext?
        /// Whether somebody is our own span in it.
        var isSpanTaken = false
        var request: (@Sendable () -> RequestSummary)?
        var carrier: [String: String] = [:]
        var lastEventID: String?
        var captured: [Captured] = []
    }

    /// An error that was captured, and under which id.
    private struct Captured {
        /// Kept, so that no other error can have its address.
        let error: any Error
        let id: String
    }

    private let state: Mutex<State>
    /// The number of the task whose values are the scope's own; 0 where they are every task's.
    private let ownerID: Atomic<UInt64>
    /// Whether it is the scope of the process, or a copy of it, which has no end.
    private let isOfProcess: Bool
    /// Where breadcrumbs go: that of the request, also inside of `withScope`.
    private let parent: ReportingScope?
    /// The whole invocation's, where this is that of a part of it: request and trace are its.
    private let outer: ReportingScope?
    package let ledger: Ledger
    /// Who hears of what is captured here; nil: who hears of all that the process captures.
    package let reporters: Reporters?

    /// The scope of one invocation. It does not keep the invocation's state, which may keep it.
    ///
    /// - Parameter owner: The number of the task that owns the invocation.
    package convenience init(owner: UInt64 = CurrentTask.id, reporters: Reporters? = nil) {
        self.init(ReportScope(), owner: owner, isOfProcess: false, parent: nil, ledger: Ledger(), reporters)
    }

    private init(
        _ scope: ReportScope, owner: UInt64, isOfProcess: Bool, parent: ReportingScope?, ledger: Ledger,
        _ reporters: Reporters?,
        partOf outer: ReportingScope? = nil, _ trail: Trail = Trail()
    ) {
        state = Mutex(State(own: scope, trail: trail))
        self.outer = outer
        ownerID = Atomic(owner)
        self.isOfProcess = isOfProcess
        self.parent = parent
        self.ledger = ledger
        self.reporters = reporters
    }

    package static let process = ReportingScope(
        ReportScope(), owner: 0, isOfProcess: true, parent: nil, ledger: Ledger(), nil)

    /// A copy for the current task, breadcrumbs excepted: they stay one trail.
    func copy() -> ReportingScope {
        ReportingScope(
            scope, owner: CurrentTask.id, isOfProcess: isOfProcess, parent: root, ledger: ledger, reporters)
    }

    package func forked() -> any ScopeFollower { copy() }

    package func part() -> any ScopeFollower {
        ReportingScope(
            scope, owner: CurrentTask.id, isOfProcess: isOfProcess, parent: nil, ledger: ledger, reporters, partOf: whole,
            root.state.withLock(\.trail))
    }

    private var root: ReportingScope { parent ?? self }
    private var whole: ReportingScope { root.outer ?? root }
    /// Whether it is that scope, or one that was forked from it.
    func isPart(of other: ReportingScope) -> Bool { root === other }
    private var owner: UInt64 { ownerID.load(ordering: .relaxed) }

    package func claim() { ownerID.store(CurrentTask.id, ordering: .relaxed) }

    package var isForeign: Bool { owner != 0 && owner != CurrentTask.id }

    package var known: any Sendable { scope }

    package var scope: ReportScope {
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

    package func adopt(_ fork: any ScopeFollower) {
        guard let scope = (fork as? ReportingScope)?.scope else { return }
        state.withLock { $0.own = scope }
    }

    package func matched(_ route: String) { change { $0.transaction = route } }

    // MARK: One for the whole request

    func add(_ breadcrumb: Breadcrumb, limit: Int) { root.state.withLock { $0.trail.add(breadcrumb, limit: limit) } }

    var breadcrumbs: [Breadcrumb] { root.state.withLock { $0.trail.ordered } }

    package func began(_ request: @escaping @Sendable () -> RequestSummary) {
        whole.state.withLock { $0.request = request }
    }

    package var request: RequestSummary? { whole.state.withLock(\.request)?() }

    /// Trace headers that came beside the request, by their lower-case names; they win over the request's own.
    package var carrier: [String: String] {
        get { whole.state.withLock(\.carrier) }
        set { whole.state.withLock { $0.carrier = newValue } }
    }

    /// The trace, made at first use from the request's headers.
    package func trace(_ make: () -> TraceContext) -> TraceContext {
        if let trace = whole.state.withLock(\.trace) { return trace }
        let made = make()
        return whole.state.withLock { state in
            if let trace = state.trace { return trace }
            state.trace = made
            return made
        }
    }

    /// True for the first caller: it is the span that the trace names as our own.
    package func takeSpan() -> Bool {
        whole.state.withLock { state in
            defer { state.isSpanTaken = true }
            return !state.isSpanTaken
        }
    }

    package var lastEventID: String? {
        get { root.state.withLock(\.lastEventID) }
        set { root.state.withLock { $0.lastEventID = newValue } }
    }

    // MARK: Errors

    /// Whether this error, or one that it was caused by, was captured in this scope before, and under another id; notes it otherwise.
    func isNew(_ error: any Error, as id: String = RandomID.uuid()) -> Bool {
        // Outside of the lock: descriptions are the app's own code.
        let known = root.state.withLock(\.captured)
        let sites = isOfProcess ? [] : InvocationScope.current?.state.throwSites ?? []
        let chain = ErrorChain.of(error)
        func hasOwnSite(_ error: any Error) -> Bool {
            sites.contains { !$0.isTyped && ErrorIdentity.isSameBox($0.error, error) }
        }
        // The next of several reporters.
        if known.contains(where: { $0.id == id }) { return true }
        let isKnown = known.contains { known in
            chain.contains { one in
                if ErrorIdentity.isSameBox(one, known.error) { return true }
                // The process's scope has no end: an equal error, later, is another one.
                if isOfProcess { return false }
                // Equal, but thrown apart from each other: two errors.
                if hasOwnSite(one), hasOwnSite(known.error) { return false }
                return ErrorIdentity.same(one, known.error)
            }
        }
        guard !isKnown else { return false }
        note(error, as: id)
        return true
    }

    func note(_ error: any Error, as id: String = RandomID.uuid()) {
        // What goes is let go outside of the lock, here and below: its `deinit` is the app's own code.
        let old = root.state.withLock { state -> Captured? in
            // The latest few are enough.
            state.captured.append(Captured(error: error, id: id))
            return state.captured.count > 16 ? state.captured.removeFirst() : nil
        }
        withExtendedLifetime(old) {}
    }

    /// What `beforeSend` dropped may be captured again.
    func forget(_ error: any Error) {
        let old = root.state.withLock { state in
            let all = state.captured
            state.captured.removeAll { ErrorIdentity.isSameBox($0.error, error) }
            return all
        }
        withExtendedLifetime(old) {}
    }

    /// Where this error was thrown in this invocation; nil where nobody looked.
    func throwSite(of error: any Error) -> ThrowSite? {
        isOfProcess ? nil : InvocationScope.current?.state.throwSite(of: error)
    }
}
