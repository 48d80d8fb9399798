public import SluiceCore

/// Something that happened before the error, in the order it happened.
public struct Breadcrumb: Sendable, Hashable, Encodable {
    /// When; the moment it was made unless given.
    public var timestamp: WallClock.Instant
    /// The type in the words that trackers know: `default`, `debug`, `error`, `navigation`, `http`, `info`, `query`, `user`.
    public var type: String?
    /// Dotted, as `db.query`.
    public var category: String?
    /// What happened; cut at 2048 characters.
    public var message: String?
    /// How bad it was.
    public var level: ReportLevel
    /// What belongs to it; of the type `http` `url`, `method`, `status_code`, `reason`. Names that sound like secrets have
    /// their values filtered.
    public var data: [String: ReportValue]

    /// - Parameter message: What happened.
    public init(
        _ message: String? = nil, category: String? = nil, type: String? = nil, level: ReportLevel = .info,
        data: [String: ReportValue] = [:], timestamp: WallClock.Instant = .now
    ) {
        self.timestamp = timestamp
        self.type = type
        self.category = category
        self.message = message
        self.level = level
        self.data = data
    }
}
