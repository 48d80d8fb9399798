public import Sluice
internal import Synchronization

/// Keeps sessions in the memory of this process, for tests and for work on one's own machine.
///
/// On Lambda each sandbox has a memory of its own, and loses it: a client would be signed in on some requests and not on others.
public final class MemorySessionStore: SessionStore {
    private struct Entry {
        let values: [UInt8]
        let expires: WallClock.Instant
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let limit: Int
    private let now: @Sendable () -> WallClock.Instant

    /// - Parameter limit: How many sessions are kept; one more takes the place of that which would end first.
    public convenience init(limit: Int = 10_000) { self.init(limit: limit) { .now } }

    init(limit: Int = 10_000, now: @escaping @Sendable () -> WallClock.Instant) {
        (self.limit, self.now) = (max(1, limit), now)
    }

    /// What was saved last under an id; nil where there is nothing, or its time is over.
    public func load(_ id: String) async -> [UInt8]? {
        let moment = now()
        return entries.withLock { entries in
            guard let entry = entries[id], moment < entry.expires else { return nil }
            return entry.values
        }
    }

    /// Keeps values under an id.
    public func save(_ id: String, _ values: [UInt8], until expires: WallClock.Instant) async {
        entries.withLock { entries in
            let isFull = entries[id] == nil && entries.count >= limit
            if isFull, let first = entries.min(by: { $0.value.expires < $1.value.expires }) { entries[first.key] = nil }
            entries[id] = Entry(values: values, expires: expires)
        }
    }

    /// Forgets what is kept under an id.
    public func delete(_ id: String) async { entries.withLock { $0[id] = nil } }

    /// Under which ids something is kept, sorted.
    var ids: [String] { entries.withLock { $0.keys.sorted() } }
}
