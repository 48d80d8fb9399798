/// The breadcrumbs of a request: a ring, so that a chatty request costs no more than a quiet one.
struct Trail: Sendable {
    private var ring: [Breadcrumb] = []
    private var next = 0

    /// Where there is no room, the oldest one goes.
    mutating func add(_ breadcrumb: Breadcrumb, limit: Int) {
        guard limit > 0 else { return }
        guard ring.count >= limit else { return ring.append(breadcrumb) }
        ring[next] = breadcrumb
        next = (next + 1) % ring.count
    }

    var ordered: [Breadcrumb] { Array(ring[next...] + ring[..<next]) }
}
