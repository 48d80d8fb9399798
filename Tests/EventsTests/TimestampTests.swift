import Foundation
import SluiceCore
import Testing

@Suite struct TimestampTests {
    @Test(
        "a moment of RFC 3339 is read to the millisecond",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.000Z", 0), ("1969-12-31T23:59:59.999Z", -1),
            ("2024-02-29T12:00:00Z", 1_709_208_000_000), ("2024-02-29t12:00:00z", 1_709_208_000_000),
            ("2024-02-29 12:00:00Z", 1_709_208_000_000), ("2024-02-29T13:30:00+01:30", 1_709_208_000_000),
            ("2024-02-29T10:30:00-0130", 1_709_208_000_000), ("2012-04-25T21:49:25.719Z", 1_335_390_565_719),
            ("2012-04-25T21:49:25.7Z", 1_335_390_565_700), ("2012-04-25T21:49:25.7194999Z", 1_335_390_565_719),
            ("2012-04-25T21:49:25.7195Z", 1_335_390_565_720), ("2012-04-25T21:49:25.9996Z", 1_335_390_566_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000), ("0001-01-01T00:00:00Z", -62_135_596_800_000),
        ] as [(String, Int64)])
    func reads(_ text: String, _ milliseconds: Int64) {
        #expect(Timestamp.parse(text)?.millisecondsSinceEpoch == milliseconds)
    }

    @Test(
        "what is no moment is none",
        arguments: [
            "", "2024", "2024-02-29", "2024-02-29T12:00:00", "2024-02-29T12:00Z", "2024-02-29T12:00:00.Z",
            "2023-02-29T12:00:00Z",
            "2024-02-30T12:00:00Z", "2024-13-01T12:00:00Z", "2024-00-01T12:00:00Z", "2024-01-00T12:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T12:60:00Z", "2024-01-01T12:00:61Z", "2024-01-01T12:00:00Z ", " 2024-01-01T12:00:00Z",
            "2024-1-01T12:00:00Z",
            "+024-01-01T12:00:00Z", "2024-01-01T12:00:00+24:00", "2024-01-01T12:00:00+01:60", "2024-01-01T12:00:00+1",
            "2024-01-01T12:00:00,5Z", "２024-01-01T12:00:00Z", "1709208000",
        ])
    func refuses(_ text: String) {
        #expect(Timestamp.parse(text) == nil)
    }

    @Test("it reads what Foundation writes, over the calendar's turns")
    func agreesWithFoundation() {
        let format = ISO8601DateFormatter()
        format.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        for zone in [0, 5 * 3600 + 1800, -11 * 3600] {
            format.timeZone = TimeZone(secondsFromGMT: zone)
            for index in 0..<2000 {
                // Some nineteen days and a half at a time, from 1970 to 2075.
                let milliseconds = Int64(index) * 1_680_123_457
                let text = format.string(from: Date(timeIntervalSince1970: Double(milliseconds) / 1000))
                let read = Timestamp.parse(text)?.millisecondsSinceEpoch
                #expect(read == milliseconds, "\(text)")
            }
        }
    }
}
