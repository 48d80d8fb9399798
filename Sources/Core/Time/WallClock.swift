#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

internal import Synchronization

/// The clock on the wall: a monotonic one is not comparable across a freeze of the sandbox.
public enum WallClock {
    /// A moment of it, in Unix epoch milliseconds.
    public struct Instant: InstantProtocol, Encodable {
        /// Milliseconds since 1970-01-01T00:00:00Z.
        public let millisecondsSinceEpoch: Int64

        /// - Parameter millisecondsSinceEpoch: Any number; before 1970 it is negative.
        public init(millisecondsSinceEpoch: Int64) { self.millisecondsSinceEpoch = millisecondsSinceEpoch }

        /// The moment this is called.
        public static var now: Instant {
            if ManualTime.isUsed.load(ordering: .relaxed), let now = ManualTime.now { return now() }
            return actual
        }

        /// The moment this is called, whatever clock a test moves: for what a thread keeps the time of.
        package static var actual: Instant {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Instant(millisecondsSinceEpoch: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
        }

        /// The time from now until this moment; negative once it has passed.
        public var remaining: Duration { Instant.now.duration(to: self) }

        /// Seconds since 1970, with their fraction: the form of the report protocol.
        package var secondsSinceEpoch: Double { Double(millisecondsSinceEpoch) / 1000 }

        /// This moment and a time later, or earlier; the first or the last one there is, where it would lie beyond that.
        public func advanced(by duration: Duration) -> Instant {
            let (seconds, attoseconds) = duration.components
            let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
            guard !overflow else { return Instant(millisecondsSinceEpoch: seconds < 0 ? .min : .max) }
            let (sum, tooFar) = millisecondsSinceEpoch.addingReportingOverflow(whole &+ attoseconds / 1_000_000_000_000_000)
            return Instant(millisecondsSinceEpoch: tooFar ? (whole < 0 ? .min : .max) : sum)
        }

        /// The time from this moment to another.
        public func duration(to other: Instant) -> Duration {
            .milliseconds(other.millisecondsSinceEpoch.subtractingReportingOverflow(millisecondsSinceEpoch).partialValue)
        }

        /// RFC 3339 in UTC with milliseconds, as `2026-11-21T08:15:30.123Z`.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(Timestamp.text(self))
        }

        /// Earlier is less.
        public static func < (a: Instant, b: Instant) -> Bool { a.millisecondsSinceEpoch < b.millisecondsSinceEpoch }
    }
}

/// A clock that a test moves by hand. The flag keeps everybody else from looking for one.
package enum ManualTime {
    fileprivate static let isUsed = Atomic(false)
    @TaskLocal package static var now: (@Sendable () -> WallClock.Instant)?

    /// From here on, what runs with ``now`` bound reads it.
    package static func use() { isUsed.store(true, ordering: .relaxed) }
}
