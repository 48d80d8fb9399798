/// What is known about the work in hand, put on every report that is made meanwhile. A value: a copy is a copy.
package struct ReportScope: Sendable {
    var tags: [String: String] = [:]
    var user: ReportUser?
    var contexts: [String: [String: ReportValue]] = [:]
    var level: ReportLevel?
    var fingerprint: [String] = []
    var transaction: String?

    /// Puts this scope's values on an event; what the event has itself wins.
    func apply(to event: inout ReportEvent) {
        event.tags.merge(tags) { own, _ in own }
        // A whole context is replaced, not merged inside.
        event.contexts.merge(contexts) { own, _ in own }
        if event.user == nil { event.user = user }
        if let level { event.level = level }
        if event.transaction == nil { event.transaction = transaction }
        event.fingerprint = fingerprint.isEmpty ? event.fingerprint : fingerprint + event.fingerprint
    }

    /// Takes over what another scope has; where both have something, the other's counts.
    mutating func take(_ other: ReportScope) {
        tags.merge(other.tags) { _, new in new }
        contexts.merge(other.contexts) { _, new in new }
        user = other.user ?? user
        level = other.level ?? level
        transaction = other.transaction ?? transaction
        if !other.fingerprint.isEmpty { fingerprint = other.fingerprint }
    }
}
