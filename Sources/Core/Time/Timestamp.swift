/// RFC 3339 in UTC with milliseconds, as `2026-11-21T08:15:30.123Z`.
package enum Timestamp {
    package static func text(_ instant: WallClock.Instant) -> String {
        let total = instant.millisecondsSinceEpoch
        // Rounded down, before 1970 too.
        let seconds = floor(total, by: 1000)
        let milliseconds = Int(total - seconds * 1000)
        let (year, month, day) = CivilDate.date(of: floor(seconds, by: 86_400))
        let second = Int(seconds - floor(seconds, by: 86_400) * 86_400)
        let pad = CivilDate.padded
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(second / 3600, 2)):\(pad(second / 60 % 60, 2)):"
            + "\(pad(second % 60, 2)).\(pad(milliseconds, 3))Z"
    }

    private static func floor(_ number: Int64, by divisor: Int64) -> Int64 {
        let quotient = number / divisor
        return number % divisor < 0 ? quotient - 1 : quotient
    }
}
