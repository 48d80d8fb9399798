internal import SluiceCore
internal import SluiceMiddleware
internal import Synchronization

/// What an app does around its invocations: after a thaw, and at the end.
final class Life: Sendable {
    /// Work after a thaw, and from which gap on.
    private struct ThawHook {
        let limit: Duration
        let handle: @Sendable (Duration) async throws -> Void
    }

    private struct State {
        var thawHooks: [ThawHook] = []
        var services: (any AppServices)?
        var clocks = Clocks()
    }

    /// The clocks that a gap is measured with.
    struct Clocks: Sendable {
        /// Goes on through everything, and may be set.
        var wall: @Sendable () -> WallClock.Instant = { .now }
        /// Is never set; it stands still where the machine is put aside.
        var monotonic: @Sendable () -> ContinuousClock.Instant = { .now }

        func look() -> Look { Look(wall: wall(), monotonic: monotonic()) }
    }

    /// A moment, by both clocks.
    struct Look: Sendable {
        let wall: WallClock.Instant
        let monotonic: ContinuousClock.Instant

        /// By whichever shows more: each of them misses some freezes.
        func gap(until later: Look) -> Duration {
            max(wall.duration(to: later.wall), monotonic.duration(to: later.monotonic), .zero)
        }
    }

    private let state = Mutex(State())

    var services: (any AppServices)? {
        get { state.withLock(\.services) }
        set { state.withLock { $0.services = newValue } }
    }

    /// Those of a test.
    var clocks: Clocks {
        get { state.withLock(\.clocks) }
        set { state.withLock { $0.clocks = newValue } }
    }

    /// Whether anybody wants to hear of a thaw: else nobody reads a clock.
    var wantsThaws: Bool { state.withLock { !$0.thawHooks.isEmpty } }

    func onThaw(after limit: Duration, _ handle: @escaping @Sendable (Duration) async throws -> Void) {
        state.withLock { $0.thawHooks.append(ThawHook(limit: limit, handle: handle)) }
    }

    /// Tells of a thaw, in the order of registration; what a hook throws is recorded, and the invocation goes on.
    func thaw(after gap: Duration, _ reporter: any SettlingReporter) async {
        for hook in state.withLock(\.thawHooks) where gap >= hook.limit {
            do {
                try await hook.handle(gap)
            } catch {
                reporter.record(Failure(.thaw, "what the app does after a thaw failed", error: error))
            }
        }
    }
}

/// What runs beside an app, and ends after it.
protocol AppServices: Sendable {
    /// Starts them in order, and returns.
    ///
    /// - Parameter ended: Called when they have ended without having been asked to, with why.
    func start(_ ended: @escaping @Sendable (any Error) -> Void)

    /// Stops them in reverse order, and returns when all have ended.
    func stop() async
}

extension LambdaApp {
    /// Does something when the sandbox was frozen for a while, before the next invocation is handled: pools drop their connections, which
    /// the other side has closed meanwhile.
    ///
    /// ```swift
    /// app.onThaw { gap in await pool.dropIdleConnections() }
    /// ```
    /// It runs in the scope of the invocation that ended the freeze, whose handler waits for it, and whose deadline it has. What it throws
    /// is recorded and reported; the invocation goes on. Hooks run in the order in which they were added, and are those of all copies of
    /// this app. Add them before ``run(bootstrapsLogging:)``. On managed instances there are no freezes, and it is not called.
    ///
    /// - Parameters:
    ///   - limit: From which gap on. Servers close idle connections after five seconds and more, as a rule.
    ///   - handle: Gets the gap: the time from the last invocation's end until this one came, by the wall clock or by one that is never set,
    ///     whichever shows more. Before the first invocation it is the time since start-up.
    @discardableResult
    public func onThaw(
        after limit: Duration = .seconds(5), _ handle: @escaping @Sendable (_ gap: Duration) async throws -> Void
    ) -> LambdaApp {
        life.onThaw(after: limit, handle)
        return self
    }
}
