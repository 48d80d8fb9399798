public import SluiceCore

/// A reporter whose reports a ``ReportDelivery`` delivers: of an ``ErrorReporter``'s methods only `capture(_:)` is left to write.
///
/// Its flushes are made together with those of all others, under one limit: `begin()` and `flush(within:)` are written for it, and a
/// `flush(within:)` of its own is not called. A reporter that has more to flush is an ``ErrorReporter``.
public protocol DeliveredReporter: ErrorReporter {
    /// Delivers its reports. One for each reporter, kept.
    var delivery: ReportDelivery { get }
}

extension DeliveredReporter {
    /// Starts the delivery: what an earlier process left behind leaves after the first reply.
    public func begin() { delivery.begin() }

    /// Waits until the server has all that the current invocation captured, and no longer than `limit` or the time until the
    /// deadline guard acts.
    public func flush(within limit: Duration) async { await delivery.flush(within: limit) }
}
