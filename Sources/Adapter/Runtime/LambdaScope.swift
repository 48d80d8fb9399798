internal import SluiceCore
internal import SluiceReporting

/// What the adapter keeps in an invocation's scope: where the function is, and how long anything may take.
struct LambdaScope: ReportedPlatform {
    let functionARN: String
    let arrival: WallClock.Instant
    let isColdStart: Bool
    /// When the deadline guard acts; nil where the deadline has passed already.
    let schedule: GuardSchedule?

    /// The time until the guard acts; once it has, until whoever it cancelled must be done.
    func budget(_ limit: Duration, _ state: InvocationScope.State) -> Duration? {
        guard let schedule else { return nil }
        return min(limit, (state.isTimedOut ? schedule.flushed : schedule.cancel).remaining)
    }

    /// The time until the guard would end the process.
    func budgetAfterReply(_ limit: Duration) -> Duration? { schedule.map { min(limit, $0.exit.remaining) } }
}
