internal import SluiceReporting
internal import SluiceCore

/// When the deadline guard acts on an invocation. Decides; ``DeadlineGuard`` acts.
///
/// The margin is the smaller of 500 ms and 20 % of the time left at arrival. At its beginning the handler's task is
/// cancelled; a handler that heeds that has 40 % of it to respond, dressed by the app's middleware. Then the guard answers
/// in its place. With 20 % left, a stream that is stuck in the middle of a chunk is cut, so that its writer wakes up. With 10 % left,
/// a handler that still holds the worker ends the process.
struct GuardSchedule: Equatable, Sendable {
    enum Stage: Int, Comparable {
        case cancel, respond, cut, exit
        static func < (a: Stage, b: Stage) -> Bool { a.rawValue < b.rawValue }
    }

    let cancel: WallClock.Instant
    let respond: WallClock.Instant
    let cut: WallClock.Instant
    let exit: WallClock.Instant
    /// Reports of a handler that heeded its cancellation have left, or wait in the spool: a moment before ``respond``.
    let flushed: WallClock.Instant
    /// What the guard has to say of a process that it ends is said: a moment before the platform acts.
    let last: WallClock.Instant

    /// Nil when the deadline has passed already: the platform is about to act itself.
    init?(arrival: WallClock.Instant, deadline: WallClock.Instant) {
        let (left, overflow) = deadline.millisecondsSinceEpoch.subtractingReportingOverflow(arrival.millisecondsSinceEpoch)
        guard !overflow, left > 0 else { return nil }
        let margin = min(500, left / 5)
        func before(_ milliseconds: Int64) -> WallClock.Instant {
            WallClock.Instant(millisecondsSinceEpoch: deadline.millisecondsSinceEpoch - milliseconds)
        }
        cancel = before(margin)
        respond = before(margin * 6 / 10)
        cut = before(margin * 2 / 10)
        exit = before(margin / 10)
        flushed = before(margin * 7 / 10)
        last = before(margin / 20)
    }

    /// What is due and has not been done, the first of it.
    func due(at now: WallClock.Instant, after done: Stage?) -> Stage? {
        let stages: [(Stage, WallClock.Instant)] = [(.cancel, cancel), (.respond, respond), (.cut, cut), (.exit, exit)]
        return stages.first { stage, time in time <= now && (done.map { stage > $0 } ?? true) }?.0
    }

    /// When something is due next.
    func next(after done: Stage?) -> WallClock.Instant? {
        switch done {
        case nil: cancel
        case .cancel: respond
        case .respond: cut
        case .cut: exit
        case .exit: nil
        }
    }
}
