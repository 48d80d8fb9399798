/// What was thrown away, counted, for the servers that want to be told.
package struct Losses: Sendable {
    /// One reason, and what kind of thing.
    package struct Key: Hashable, Sendable {
        package let reason: DropReason
        package let kind: QueuedRequest.Kind
    }

    /// How many things, and of how many bytes together.
    package struct Count: Sendable, Equatable {
        package var things = 0
        package var bytes = 0
    }

    package private(set) var counts: [Key: Count] = [:]

    package init() {}

    package var isEmpty: Bool { counts.isEmpty }

    package mutating func add(_ reason: DropReason, _ kind: QueuedRequest.Kind, _ things: Int = 1, bytes: Int = 0) {
        // Losses of these counts themselves are not counted.
        guard kind != .losses, things > 0 else { return }
        let key = Key(reason: reason, kind: kind)
        counts[key, default: Count()].things += things
        counts[key, default: Count()].bytes += bytes
    }

    /// The counts, which begin anew.
    mutating func take() -> Losses {
        defer { self = Losses() }
        return self
    }
}
