/// What was thrown away, counted, for the servers that want to be told.
package struct Losses: Sendable {
    /// One reason, and what kind of thing.
    package struct Key: Hashable, Sendable {
        package let reason: DropReason
        package let kind: QueuedRequest.Kind
    }

    /// How many things, and how large they were together: bytes of logs, spans of what has spans.
    package struct Count: Sendable, Equatable {
        package var things = 0
        package var size = 0
    }

    package private(set) var counts: [Key: Count] = [:]

    package init() {}

    package var isEmpty: Bool { counts.isEmpty }

    package mutating func add(_ reason: DropReason, _ kind: QueuedRequest.Kind, _ things: Int = 1, size: Int = 0) {
        // Losses of these counts themselves are not counted.
        guard kind != .losses, things > 0 else { return }
        let key = Key(reason: reason, kind: kind)
        counts[key, default: Count()].things += things
        counts[key, default: Count()].size += size
    }

    /// The counts, which begin anew.
    mutating func take() -> Losses {
        defer { self = Losses() }
        return self
    }
}
