internal import Sluice

/// What a session holds, and what has to be done to keep it. Decides; ``Sessions`` acts.
struct SessionState: Sendable {
    /// What the client has of a session.
    struct Kept: Sendable, Equatable {
        /// Under which name the store has it; nil where the cookie has all of it.
        let id: String?
        /// When it is over.
        let expires: WallClock.Instant
    }

    /// What has to be done.
    enum Settlement: Sendable, Equatable {
        case nothing
        /// The session goes, also from a store that has it under this id.
        case remove(id: String?)
        /// The values are kept, and under `obsolete` they are not any more.
        case save(SessionValues, as: Kept, obsolete: String?)
    }

    private enum Phase {
        /// The response's headers are still to come.
        case open
        /// The headers have left; the store can be told until the body has ended.
        case streaming
        case closed
    }

    private(set) var values: SessionValues
    /// Whether the client brought none.
    let isNew: Bool
    /// Whether anybody has looked, so that the response depends on it.
    var isRead = false
    private var kept: Kept?
    private var isChanged = false
    private var isRenewed = false
    private var phase = Phase.open
    private var isLost = false
    private var hasWarned = false

    /// - Parameter kept: What the client has of it; nil for a new one.
    init(_ values: SessionValues = SessionValues(), kept: Kept? = nil) {
        (self.values, self.kept, isNew) = (values, kept, kept == nil)
    }

    mutating func set(_ key: String, _ fragment: [UInt8]?) {
        guard values[key] != fragment else { return }
        values[key] = fragment
        change()
    }

    mutating func removeAll() {
        guard kept != nil || !values.isEmpty else { return }
        values = SessionValues()
        // What comes afterwards is another session.
        if phase == .open { isRenewed = true }
        change()
    }

    mutating func renew() {
        if phase == .open { isRenewed = true } else { isLost = true }
        change()
    }

    private mutating func change() {
        isChanged = true
        // Only a store that has it under a name which the client knows can take it now.
        if phase == .closed || (phase == .streaming && kept?.id == nil) { isLost = true }
    }

    /// Whether somebody has to be told that a change is lost: true once.
    mutating func takeWarning() -> Bool {
        guard isLost, !hasWarned else { return false }
        hasWarned = true
        return true
    }

    /// The response is there, and its headers can take a cookie.
    ///
    /// - Parameters:
    ///   - lifetime: How long the session is good for from now on.
    ///   - newID: Makes the name for a store; gives nil where the cookie has all of it.
    ///   - streams: Whether ``close()`` will be called at the end of the body.
    mutating func settle(
        at now: WallClock.Instant, lifetime: Duration, newID: () -> String?, streams: Bool
    ) -> Settlement {
        defer {
            (isChanged, isRenewed) = (false, false)
            phase = streams ? .streaming : .closed
        }
        guard !values.isEmpty else {
            guard isChanged, let kept else { return .nothing }
            self.kept = nil
            return .remove(id: kept.id)
        }
        // Where nobody has looked, the response may be for everybody: a page's script, say, that caches keep.
        let isDue = isRead && kept.map { now.duration(to: $0.expires) < lifetime / 2 } ?? false
        guard isChanged || isDue else { return .nothing }
        let former = kept?.id
        let next = Kept(id: isRenewed ? newID() : former ?? newID(), expires: now.advanced(by: lifetime))
        kept = next
        return .save(values, as: next, obsolete: former == next.id ? nil : former)
    }

    /// The body has ended. What has changed since the headers left is for the store alone: the cookie stays as it is.
    mutating func close() -> Settlement {
        defer {
            isChanged = false
            phase = .closed
        }
        guard isChanged, let kept, let id = kept.id else { return .nothing }
        return values.isEmpty ? .remove(id: id) : .save(values, as: kept, obsolete: nil)
    }
}
