public import SluiceCore

/// A schedule is due: a rule of EventBridge, or a schedule of EventBridge Scheduler that names no payload of its own.
public struct ScheduledEvent: Sendable {
    private let envelope: BusEnvelope

    init(_ envelope: BusEnvelope) { self.envelope = envelope }

    /// Its `detail` as JSON text: `{}`, as a rule.
    public var body: String { envelope.detailText }
    /// Its id.
    public var id: String { envelope.id }
    /// What else EventBridge says of it, by its names.
    public var attributes: [String: String] { envelope.attributes }
    /// The event's own JSON.
    public var raw: LambdaEvent { envelope.raw }

    /// `aws.events` of a rule, `aws.scheduler` of EventBridge Scheduler.
    public var source: String { envelope.sender ?? "" }
    /// `Scheduled Event`.
    public var detailType: String { envelope.detailType ?? "" }
    /// The rule's account, twelve digits.
    public var account: String? { envelope.account }
    /// The rule's region.
    public var region: String? { envelope.region }
    /// When it was due.
    public var time: WallClock.Instant? { envelope.time }
    /// The ARN of the rule, or of the schedule.
    public var resources: [String] { envelope.resources }
}
