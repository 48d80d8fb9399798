internal import Synchronization

/// Brings together what the platform says of invocations and what this process did with them: the last 256 of them.
final class PlatformPairing: Sendable {
    /// An error that the platform counted, of an invocation in which nothing failed here.
    struct Miscount: Sendable, Equatable {
        let requestID: String
        let platform: PlatformRecord
        let ours: ReplyEnd
    }

    static let limit = 256
    /// Records that came before their invocation was over.
    static let earlyLimit = 16

    private struct Served {
        let id: String
        let end: ReplyEnd
        /// What was said of it so far.
        var heard: PlatformRecord?
        var isTold = false
    }

    private struct State {
        var served: [Served] = []
        /// Where the next one is put, once all places are taken.
        var next = 0
        var early: [PlatformRecord] = []
    }

    private let state = Mutex(State())

    /// An invocation is over, as far as this process is concerned.
    ///
    /// - Returns: What the platform has said before, if that is news.
    func note(_ id: String, _ end: ReplyEnd) -> Miscount? {
        state.withLock { state in
            var served = Served(id: id, end: end)
            var miscount: Miscount?
            if !state.early.isEmpty {
                for record in state.early where record.requestID == id { miscount = Self.compare(&served, record) ?? miscount }
                state.early.removeAll { $0.requestID == id }
            }
            if state.served.count < Self.limit {
                state.served.append(served)
            } else {
                state.served[state.next] = served
                state.next = (state.next + 1) % Self.limit
            }
            return miscount
        }
    }

    /// The platform has spoken.
    ///
    /// - Returns: The miscount, once for each invocation.
    func hear(_ record: PlatformRecord) -> Miscount? {
        state.withLock { state in
            if let place = state.served.lastIndex(where: { $0.id == record.requestID }) {
                return Self.compare(&state.served[place], record)
            }
            // Somebody else's, or still in hand here.
            state.early.append(record)
            if state.early.count > Self.earlyLimit { state.early.removeFirst() }
            return nil
        }
    }

    private static func compare(_ served: inout Served, _ record: PlatformRecord) -> Miscount? {
        let known = served.heard.map { record.adding($0) } ?? record
        served.heard = known
        guard record.isTrouble, served.end.isFine, !served.isTold else { return nil }
        served.isTold = true
        return Miscount(requestID: served.id, platform: known, ours: served.end)
    }
}
