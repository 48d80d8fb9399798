/// RFC 3339 in UTC with milliseconds, as `2026-11-21T08:15:30.123Z`.
package enum Timestamp {
    package static func text(_ instant: WallClock.Instant) -> String {
        let total = instant.millisecondsSinceEpoch
        let milliseconds = Int(total - (total / 1000) * 1000)
        let seconds = total / 1000
        let (year, month, day) = CivilDate.date(of: seconds / 86_400)
        let second = Int(seconds % 86_400)
        let pad = CivilDate.padded
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(second / 3600, 2)):\(pad(second / 60 % 60, 2)):"
            + "\(pad(second % 60, 2)).\(pad(milliseconds, 3))Z"
    }
}
