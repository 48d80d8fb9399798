package import SluiceCore

/// How the reports of one kind of server look, and what its responses mean. For ``ReportDelivery``; called at the same time on the
/// thread that captures and on the one that delivers.
public protocol ReportFormat: Sendable {
    /// The media type of the bodies, as `application/json`.
    var contentType: String { get }

    /// The body of the request that carries one report. Called twice: first with bare addresses, for the copy on disk, then
    /// with the names of the calls. What an earlier process left behind is sent as it was written.
    func body(of event: ReportEvent) -> [UInt8]

    /// What becomes of a report that the server has answered with this status.
    ///
    /// - Parameter body: The response's first 4096 bytes.
    func verdict(on status: Int, body: [UInt8]) -> ReportVerdict
}

extension ReportFormat {
    /// 2xx is delivered, everything else is refused for good, 429 and 503 too: say ``ReportVerdict/later`` where the server means that.
    public func verdict(on status: Int, body: [UInt8]) -> ReportVerdict { (200...299).contains(status) ? .delivered : .refused }
}

/// What becomes of a report that a server has answered. More may come.
public struct ReportVerdict: Sendable, Hashable {
    private enum Kind { case delivered, refused, later }
    private let kind: Kind

    /// The server has it.
    public static let delivered = Self(kind: .delivered)
    /// The server does not want it, now or ever.
    public static let refused = Self(kind: .refused)
    /// The server wants it, later: it waits in the spool, at least as long as `Retry-After` says; without that header, until it
    /// is tried again.
    public static let later = Self(kind: .later)
}

/// A format whose server takes more than single reports: log entries, counts of losses, and tells what it wants no more of.
package protocol ExtendedReportFormat: ReportFormat {
    /// Whether the server wants to be told of losses.
    var tellsLosses: Bool { get }
    /// The body of the request that carries log entries, each as it was submitted.
    func body(ofLogs entries: [[UInt8]]) -> [UInt8]
    /// A body with the losses told in it; nil for a body of their own.
    func body(_ body: [UInt8]?, telling losses: Losses, at now: WallClock.Instant) -> [UInt8]
    /// A body as it leaves at this moment.
    func stamped(_ body: [UInt8], at now: WallClock.Instant) -> [UInt8]
    /// A response's status and headers: what the server asks for is heeded from here on.
    func heed(_ response: TransportResponse, status: Int, at now: WallClock.Instant)
    /// Whether the server has asked not to send this for now: it is dropped.
    func isLimited(_ kind: QueuedRequest.Kind, at now: WallClock.Instant) -> Bool
    /// What a refusal means, in words that follow the status; empty where there is nothing to say.
    func hint(on status: Int) -> String
}
