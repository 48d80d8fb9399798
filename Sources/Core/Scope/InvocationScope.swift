/// What code that runs under an invocation may ask for: the ids that logs and reports carry, and the deadline.
///
/// Bound in one place (the adapter) around everything that belongs to an invocation, the writing of the body included;
/// a copy in each task, never shared between invocations. Business code gets its dependencies as arguments.
public struct InvocationScope: Sendable {
    /// The invocation that the current task works for; nil outside of one. `Task {}` and child tasks inherit it; detached
    /// tasks and callbacks of other libraries do not: read it before you cross, and bind it with `withValue` on the other side.
    @TaskLocal public static var current: InvocationScope?

    /// The platform's id of the request; of our own making where there is no platform.
    public var requestID: String { facts.requestID }
    /// When the platform will stop the invocation; nil where nothing does.
    public var deadline: WallClock.Instant? { facts.deadline }
    /// The platform's trace, as `Root=1-…;Parent=…;Sampled=0`.
    public var traceID: String? { facts.traceID }
    /// Whom the invocation is for, where the platform keeps tenants apart.
    public var tenantID: String? { facts.tenantID }
    /// What the platform's adapter knows of the invocation; nil where there is no platform.
    package var platform: (any PlatformScope)? { facts.platform }

    /// What does not change: one reference, as whoever looks at the current scope gets a copy.
    private let facts: Facts

    private final class Facts: Sendable {
        let requestID: String
        let deadline: WallClock.Instant?
        let traceID: String?
        let tenantID: String?
        let platform: (any PlatformScope)?

        init(
            _ requestID: String, _ deadline: WallClock.Instant?, _ traceID: String?, _ tenantID: String?,
            _ platform: (any PlatformScope)?
        ) {
            (self.requestID, self.deadline, self.traceID, self.tenantID) = (requestID, deadline, traceID, tenantID)
            self.platform = platform
        }
    }

    /// What happened so far, shared by all tasks of the invocation.
    package let state: State
    /// Who follows this part of the invocation; nil: whoever follows the whole.
    package var ownFollower: (any ScopeFollower)?

    /// A scope of your own, for a test or a command: bind it with `InvocationScope.$current.withValue(scope) { … }`.
    public init(
        requestID: String, deadline: WallClock.Instant? = nil, traceID: String? = nil, tenantID: String? = nil
    ) {
        self.init(requestID: requestID, deadline: deadline, traceID: traceID, tenantID: tenantID, follower: nil)
    }

    package init(
        requestID: String, deadline: WallClock.Instant? = nil, traceID: String? = nil, tenantID: String? = nil,
        state: State = State(), follower: (any ScopeFollower)?, platform: (any PlatformScope)? = nil
    ) {
        facts = Facts(requestID, deadline, traceID, tenantID, platform)
        self.state = state
        ownFollower = follower
    }

    /// The same without its platform, which then limits no time.
    package var withoutPlatform: InvocationScope {
        InvocationScope(
            requestID: requestID, deadline: deadline, traceID: traceID, tenantID: tenantID, state: state, follower: ownFollower)
    }

    /// Who follows what happens here; nil where nobody does.
    package var follower: (any ScopeFollower)? { ownFollower ?? state.follower }

    /// The scope of one part of the invocation, for the current task: it knows what is known so far, and what is set in it, breadcrumbs
    /// included, is its own. Nothing of that reaches the invocation or another part.
    package func part() -> InvocationScope {
        InvocationScope(
            requestID: requestID, deadline: deadline, traceID: traceID, tenantID: tenantID, state: State(partOf: state),
            follower: follower?.part(), platform: platform)
    }

    /// The current task owns the invocation from here on: what it says of it is said of the whole.
    package func claim() {
        state.claim()
        follower?.claim()
    }

    /// Where an error was thrown, innermost first, twenty frames at most: names where they are at hand, else image and offset. Empty
    /// where nobody looked: throws are remembered while `LambdaApp.run()` does.
    public func stack(of error: any Error) -> [String] {
        Array((state.throwSite(of: error)?.addresses ?? []).lazy.compactMap(Symbols.place).prefix(20))
    }

    /// How long something may take at most when it may take `limit`: the platform's time may be over first.
    package func budget(_ limit: Duration) -> Duration {
        platform?.budget(limit, state) ?? min(limit, deadline?.remaining ?? limit)
    }

    /// The same as ``budget(_:)``, when the response has left.
    package func budgetAfterReply(_ limit: Duration) -> Duration {
        platform?.budgetAfterReply(limit) ?? min(limit, deadline?.remaining ?? limit)
    }
}

/// What a platform's adapter keeps in a scope of its own making.
package protocol PlatformScope: Sendable {
    /// See ``InvocationScope/budget(_:)``; nil where nothing guards the time.
    func budget(_ limit: Duration, _ state: InvocationScope.State) -> Duration?
    /// See ``InvocationScope/budgetAfterReply(_:)``; nil where nothing guards the time.
    func budgetAfterReply(_ limit: Duration) -> Duration?
}

/// What Core and the chain see of whoever follows a scope, to tell of it when something fails: the reporting, which they may not import.
package protocol ScopeFollower: AnyObject, Sendable {
    /// The request is known; `request` describes it when somebody wants that.
    func began(_ request: @escaping @Sendable () -> RequestSummary)
    /// The request matched a route, as `GET /orders/{id}`.
    func matched(_ route: String)
    /// The current task owns this from here on: what it says is said of the whole invocation.
    func claim()
    /// Whether another task than the current one owns this.
    var isForeign: Bool { get }
    /// A copy for the current task.
    func forked() -> any ScopeFollower
    /// A copy for a part of the invocation, which is the current task's: what it becomes stays apart, the trail of what happened included.
    func part() -> any ScopeFollower
    /// A copy's work is done: what it has become is this one's from here on.
    func adopt(_ fork: any ScopeFollower)
    /// What is known now; kept with an error that is thrown here.
    var known: any Sendable { get }
}
