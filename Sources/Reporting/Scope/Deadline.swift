#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A moment of the wall clock, in Unix epoch milliseconds, as `Lambda-Runtime-Deadline-Ms` gives it.
///
/// The wall clock, since a monotonic one is not comparable across a freeze of the sandbox.
public struct Deadline: Sendable, Hashable, Comparable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public let millisecondsSinceEpoch: Int64

    /// - Parameter millisecondsSinceEpoch: Any number; before 1970 it is negative.
    public init(millisecondsSinceEpoch: Int64) { self.millisecondsSinceEpoch = millisecondsSinceEpoch }

    /// The moment this is called.
    public static var now: Deadline {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Deadline(millisecondsSinceEpoch: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// The time left; negative once it has passed.
    public var remaining: Duration { Deadline.now.distance(to: self) }

    /// Seconds since 1970, with their fraction: the form of the report protocol.
    package var secondsSinceEpoch: Double { Double(millisecondsSinceEpoch) / 1000 }

    /// This moment and a time later, or earlier.
    package func advanced(by duration: Duration) -> Deadline {
        let (seconds, attoseconds) = duration.components
        // As late, or as early, as there is, where it is later or earlier than that.
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return Deadline(millisecondsSinceEpoch: seconds < 0 ? .min : .max) }
        let (sum, tooFar) = millisecondsSinceEpoch.addingReportingOverflow(whole &+ attoseconds / 1_000_000_000_000_000)
        return Deadline(millisecondsSinceEpoch: tooFar ? (whole < 0 ? .min : .max) : sum)
    }

    /// From this moment to another.
    public func distance(to other: Deadline) -> Duration {
        .milliseconds(other.millisecondsSinceEpoch.subtractingReportingOverflow(millisecondsSinceEpoch).partialValue)
    }

    /// Earlier is less.
    public static func < (a: Deadline, b: Deadline) -> Bool { a.millisecondsSinceEpoch < b.millisecondsSinceEpoch }
}
