package import SluiceCore

/// Delivers what was captured before the response may end: the last step of every app.
///
/// Nothing stands after it, and the compiler sees to that: what is captured after the flush stays behind when the sandbox
/// freezes.
public struct FlushReports: Sendable {
    /// When reports leave.
    public struct Moment: Sendable, Hashable {
        private enum Kind { case beforeReply, afterReply }
        private let kind: Kind

        /// Before the last byte of the response: when the client has it whole, its errors are accounted for.
        public static let beforeReply = Self(kind: .beforeReply)
        /// After the response, before the next invocation is asked for: still before the freeze, at no cost to the client.
        public static let afterReply = Self(kind: .afterReply)
    }

    let moment: Moment
    package let limit: Duration

    /// - Parameters:
    ///   - moment: When reports leave.
    ///   - limit: How long a flush may take at most; the time left to the deadline may make it shorter.
    public init(when moment: Moment = .beforeReply, within limit: Duration = .seconds(2)) {
        self.moment = moment
        self.limit = limit
    }

    /// Delivers what is pending; with `afterReply` that is the worker's to do, later.
    package func flush(_ reporter: any SettlingReporter) async {
        if moment == .beforeReply, reporter.mustFlush { await reporter.flush(within: limit) }
    }
}
