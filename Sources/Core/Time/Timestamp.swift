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

    /// Any moment of RFC 3339, to the nearest millisecond; an offset may be without its colon. Nil for everything else.
    package static func parse(_ text: String) -> WallClock.Instant? {
        var rest = Digits(octets: text.utf8[...])
        guard let year = rest.number(4), rest.take("-"), let month = rest.number(2), rest.take("-"), let day = rest.number(2),
            rest.take("T") || rest.take("t") || rest.take(" "),
            let hour = rest.number(2), rest.take(":"), let minute = rest.number(2), rest.take(":"), let second = rest.number(2),
            (1...12).contains(month), hour <= 23, minute <= 59, second <= 60
        else { return nil }
        let days = CivilDate.days(year, month, day)
        // The 30th of February is the 1st of March, then.
        guard CivilDate.date(of: days) == (Int(year), Int(month), Int(day)) else { return nil }
        guard let fraction = rest.milliseconds(), let offset = rest.offset(), rest.octets.isEmpty else { return nil }
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
        return WallClock.Instant(millisecondsSinceEpoch: seconds * 1000 + fraction)
    }

    /// What is left of a text.
    private struct Digits {
        var octets: Substring.UTF8View

        mutating func take(_ octet: Unicode.Scalar) -> Bool {
            guard octets.first == UInt8(ascii: octet) else { return false }
            octets.removeFirst()
            return true
        }

        mutating func digit() -> Int64? {
            guard let octet = octets.first, (0x30...0x39).contains(octet) else { return nil }
            octets.removeFirst()
            return Int64(octet) - 0x30
        }

        mutating func number(_ count: Int) -> Int64? {
            var number: Int64 = 0
            for _ in 0..<count {
                guard let digit = digit() else { return nil }
                number = number * 10 + digit
            }
            return number
        }

        /// The fraction of a second; 0 where there is none, nil where a point has no digit after it.
        mutating func milliseconds() -> Int64? {
            guard take(".") else { return 0 }
            guard var milliseconds = digit().map({ $0 * 100 }) else { return nil }
            milliseconds += (digit() ?? 0) * 10
            milliseconds += digit() ?? 0
            if let next = digit(), next >= 5 { milliseconds += 1 }
            while digit() != nil {}
            return milliseconds
        }

        /// Seconds east of Greenwich; nil where there is no offset.
        mutating func offset() -> Int64? {
            if take("Z") || take("z") { return 0 }
            let isEast = take("+")
            guard isEast || take("-"), let hours = number(2) else { return nil }
            _ = take(":")
            guard let minutes = number(2), hours <= 23, minutes <= 59 else { return nil }
            return (hours * 3600 + minutes * 60) * (isEast ? 1 : -1)
        }
    }
}
