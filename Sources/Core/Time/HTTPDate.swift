/// `Fri, 08 Mar 2019 11:17:09 GMT`: the dates of HTTP, to the second (RFC 9110, section 5.6.7).
package enum HTTPDate {
    private static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// The one form that is still sent. Moments before 1970 are its beginning, those after 9999 its end.
    package static func text(_ instant: WallClock.Instant) -> String {
        let seconds = min(max(instant.millisecondsSinceEpoch / 1000, 0), 253_402_300_799)
        let (year, month, date) = CivilDate.date(of: seconds / 86_400)
        let second = Int(seconds % 86_400)
        let pad = CivilDate.padded
        // 1970 began with a Thursday.
        return "\(weekdays[Int((seconds / 86_400 + 3) % 7)]), \(pad(date, 2)) \(months[month - 1]) \(pad(year, 4)) "
            + "\(pad(second / 3600, 2)):\(pad(second / 60 % 60, 2)):\(pad(second % 60, 2)) GMT"
    }

    /// Any of the three forms that a recipient must know: that of today, that of RFC 850, and asctime's.
    package static func parse(_ text: String) -> WallClock.Instant? {
        let parts = text.split(at: " ")
        switch parts.count {
        case 6 where parts[5] == "GMT":
            return instant(day: parts[1], month: parts[2], year: Int64(parts[3]), clock: parts[4])
        case 4 where parts[3] == "GMT":
            let date = parts[1].split(at: "-")
            guard date.count == 3, date[2].utf8.count == 2, let year = Int64(date[2]) else { return nil }
            // Two digits: what would be more than fifty years ahead is past.
            return instant(day: date[0], month: date[1], year: year + (year < 70 ? 2000 : 1900), clock: parts[2])
        case 5:
            return instant(day: parts[2], month: parts[1], year: Int64(parts[4]), clock: parts[3])
        default: return nil
        }
    }

    private static func instant(day: Substring, month: Substring, year: Int64?, clock: Substring) -> WallClock.Instant? {
        guard let day = Int64(day), let year, let month = months.firstIndex(of: String(month)), (1...31).contains(day),
            (1970...9999).contains(year)
        else { return nil }
        let clock = clock.split(at: ":").compactMap { Int64($0) }
        guard clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...60).contains(clock[2]) else {
            return nil
        }
        let seconds = CivilDate.days(year, Int64(month) + 1, day) * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
        return WallClock.Instant(millisecondsSinceEpoch: seconds * 1000)
    }
}
