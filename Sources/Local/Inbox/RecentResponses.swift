/// When the last answers ended, by request id: a report may come after its invocation has gone.
struct RecentResponses {
    /// More than can be in flight at once.
    private static let limit = 256

    private var ends: [String: ContinuousClock.Instant] = [:]
    private var order: [String] = []

    mutating func add(_ id: String, endedAt end: ContinuousClock.Instant) {
        if ends.updateValue(end, forKey: id) == nil { order.append(id) }
        if order.count > Self.limit { ends[order.removeFirst()] = nil }
    }

    /// When this invocation's answer ended; nil for one that is unknown, forgotten or not at its end.
    subscript(id: String) -> ContinuousClock.Instant? { ends[id] }
}
