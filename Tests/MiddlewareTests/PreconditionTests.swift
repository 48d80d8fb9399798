import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceMiddleware

/// RFC 9110, sections 8.8.3 and 13: what conditions come to. The ids are those of the peers' tests.
@Suite struct PreconditionTests {
    /// What is there: `"now"`, changed at the moment that RFC 9110 has in its examples.
    static let tag = "\"now\""
    static let moment = "Sun, 06 Nov 1994 08:49:37 GMT"
    static let earlier = "Sun, 06 Nov 1994 08:49:36 GMT"
    static let later = "Sun, 06 Nov 1994 08:49:38 GMT"
    static let modified = WallClock.Instant(millisecondsSinceEpoch: 784_111_777_000)

    /// 200, 304 or 412.
    private static func code(_ outcome: Precondition) -> Int {
        switch outcome {
        case .holds: 200
        case .notModified: 304
        case .failed: 412
        }
    }

    // MARK: Section 13.2.2

    struct Condition: Sendable {
        let value: String?
        /// Whether it holds; of one that is not there nobody asks.
        var holds = true
    }

    static let ifMatch: [Condition] = [
        Condition(value: nil), Condition(value: "\"now\""), Condition(value: "*"), Condition(value: "\"old\", \"now\""),
        Condition(value: "\"old\"", holds: false), Condition(value: "W/\"now\"", holds: false),
    ]
    static let ifUnmodifiedSince: [Condition] = [
        Condition(value: nil), Condition(value: moment), Condition(value: later), Condition(value: earlier, holds: false),
        Condition(value: "yesterday"),
    ]
    static let ifNoneMatch: [Condition] = [
        Condition(value: nil), Condition(value: "\"old\""), Condition(value: "\"now\"", holds: false),
        Condition(value: "*", holds: false), Condition(value: "W/\"now\"", holds: false),
        Condition(value: "\"old\", W/\"now\"", holds: false),
    ]
    static let ifModifiedSince: [Condition] = [
        Condition(value: nil), Condition(value: earlier), Condition(value: moment, holds: false),
        Condition(value: later, holds: false), Condition(value: "yesterday"),
    ]

    @Test("section 13.2.2: every combination of the four, in its order", arguments: ["GET", "HEAD", "PUT", "DELETE"])
    func precedence(_ name: String) throws {
        let method = try #require(HTTPRequest.Method(name))
        let isRead = name == "GET" || name == "HEAD"
        for (match, unmodified) in Self.ifMatch.flatMap({ one in Self.ifUnmodifiedSince.map { (one, $0) } }) {
            for (none, modified) in Self.ifNoneMatch.flatMap({ one in Self.ifModifiedSince.map { (one, $0) } }) {
                var headers: HTTPFields = [:]
                headers[.ifMatch] = match.value
                headers[.ifUnmodifiedSince] = unmodified.value
                headers[.ifNoneMatch] = none.value
                headers[.ifModifiedSince] = modified.value
                let first = match.value == nil ? unmodified.holds : match.holds
                let second = none.value == nil ? !isRead || modified.holds : none.holds
                let expected = !first ? 412 : second ? 200 : isRead ? 304 : 412
                let outcome = Precondition.evaluate(
                    Request(method, "/", headers: headers), tag: EntityTag(Self.tag), modified: Self.modified)
                #expect(Self.code(outcome) == expected, "\(headers)")
            }
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let id: String
        var method = "GET"
        var headers: HTTPFields = [:]
        var tag: String? = "\"now\""
        var isDated = true
        var exists = true
        let status: Int
        var testDescription: String { "\(id): \(method) \(headers.map { "\($0.name): \($0.value)" })" }
    }

    @Test(
        "section 13.1: what there is not, what is weak, and what cannot be read",
        arguments: [
            Case(id: "13.1.1: nothing is there", method: "PUT", headers: [.ifMatch: "*"], tag: nil, exists: false, status: 412),
            Case(id: "13.1.1: nothing is there", method: "PUT", headers: [.ifMatch: tag], tag: nil, exists: false, status: 412),
            Case(id: "13.1.1: it has no tag", method: "PUT", headers: [.ifMatch: tag], tag: nil, status: 412),
            Case(id: "13.1.1: it has no tag", method: "PUT", headers: [.ifMatch: "*"], tag: nil, status: 200),
            Case(id: "13.1.1: weak", method: "PUT", headers: [.ifMatch: "W/\"now\""], tag: "W/\"now\"", status: 412),
            Case(id: "13.1.1: weak", method: "PUT", headers: [.ifMatch: tag], tag: "W/\"now\"", status: 412),
            Case(id: "13.1.2: create", method: "PUT", headers: [.ifNoneMatch: "*"], tag: nil, exists: false, status: 200),
            Case(id: "13.1.2: create", method: "PUT", headers: [.ifNoneMatch: "*"], tag: nil, status: 412),
            Case(id: "13.1.2: it has no tag", headers: [.ifNoneMatch: tag], tag: nil, status: 200),
            Case(id: "13.1.2: it has no tag", headers: [.ifNoneMatch: tag, .ifModifiedSince: later], tag: nil, status: 200),
            Case(id: "13.1.2: weak", headers: [.ifNoneMatch: tag], tag: "W/\"now\"", status: 304),
            Case(id: "13.1.3: no date", headers: [.ifModifiedSince: later], isDated: false, status: 200),
            Case(id: "13.1.3: H-ETAG-13", method: "POST", headers: [.ifModifiedSince: later], status: 200),
            Case(id: "13.1.3: two dates", headers: [.ifModifiedSince: "\(later), \(later)"], status: 200),
            Case(id: "13.1.3: RFC 850", headers: [.ifModifiedSince: "Sunday, 06-Nov-94 08:49:37 GMT"], status: 304),
            Case(id: "13.1.3: RFC 850", headers: [.ifModifiedSince: "Sunday, 06-Nov-94 08:49:36 GMT"], status: 200),
            Case(id: "13.1.3: asctime", headers: [.ifModifiedSince: "Sun Nov  6 08:49:37 1994"], status: 304),
            Case(id: "13.1.3: asctime", headers: [.ifModifiedSince: "Sun Nov  6 08:49:36 1994"], status: 200),
            Case(id: "13.1.4: no date", method: "PUT", headers: [.ifUnmodifiedSince: earlier], isDated: false, status: 200),
            Case(
                id: "13.1.4: RFC 850", method: "PUT", headers: [.ifUnmodifiedSince: "Sunday, 06-Nov-94 08:49:36 GMT"],
                status: 412),
            Case(id: "13.1.4: asctime", method: "PUT", headers: [.ifUnmodifiedSince: "Sun Nov  6 08:49:36 1994"], status: 412),
            Case(id: "13.1.4: two dates", method: "PUT", headers: [.ifUnmodifiedSince: "\(earlier), \(earlier)"], status: 200),
            Case(id: "S-STATIC-16: another weekday", headers: [.ifModifiedSince: "Fri, 06 Nov 1994 08:49:37 GMT"], status: 304),
            Case(id: "H-ETAG-16", headers: [.ifModifiedSince: "Sun, 06 Nov 1994 08:49:38 UTC"], status: 200),
            Case(id: "H-ETAG-16", headers: [.ifModifiedSince: "Sun, 06 Nov 1994 08:49:38 +0000"], status: 200),
            Case(id: "H-ETAG-17", headers: [.ifModifiedSince: "Sun, 6 Nov 1994 08:49:38 GMT"], status: 304),
            Case(id: "H-ETAG-17", headers: [.ifModifiedSince: "06 Nov 1994 08:49:38 GMT"], status: 200),
        ] as [Case])
    func single(_ one: Case) throws {
        let request = Request(try #require(HTTPRequest.Method(one.method)), "/", headers: one.headers)
        let outcome = Precondition.evaluate(
            request, tag: one.tag.flatMap { EntityTag($0) }, modified: one.isDated ? Self.modified : nil, exists: one.exists)
        #expect(Self.code(outcome) == one.status)
    }

    @Test(
        "a condition on a tag that cannot be read does not hold, and still silences the one on a date",
        arguments: [
            Case(id: "13.1.1", method: "PUT", headers: [.ifMatch: "now"], status: 412),
            Case(id: "13.1.1", method: "PUT", headers: [.ifMatch: ""], status: 412),
            Case(id: "13.1.1", method: "PUT", headers: [.ifMatch: "\"now\", *"], status: 412),
            Case(id: "13.1.4", method: "PUT", headers: [.ifMatch: "now", .ifUnmodifiedSince: later], status: 412),
            Case(id: "13.1.2, H-STATIC-17", headers: [.ifNoneMatch: "now"], status: 200),
            Case(id: "13.1.3", headers: [.ifNoneMatch: "now", .ifModifiedSince: later], status: 200),
            Case(id: "13.1.3", headers: [.ifNoneMatch: "", .ifModifiedSince: later], status: 200),
        ] as [Case])
    func unreadable(_ one: Case) throws { try single(one) }

    // MARK: Section 8.8.3

    @Test(
        "lists of entity tags",
        arguments: [
            ("\"a\"", ["a"]), ("\"a\",\"b\"", ["a", "b"]), ("\"a\" , W/\"b\"", ["a", "W/b"]), ("\"a\",\t\"b\"", ["a", "b"]),
            (",\"a\",,\"b\", ", ["a", "b"]), ("\"a,b\"", ["a,b"]), ("\"\"", [""]), ("W/\"\"", ["W/"]), (" * ", ["*"]),
            ("\"*\"", ["*"]), ("\"\u{E4}!\"", ["\u{E4}!"]), ("\"a\\\"", ["a\\"]), ("a", nil), ("\"a", nil), ("a\"", nil),
            ("w/\"a\"", nil), ("W/ \"a\"", nil), ("\"a b\"", nil), ("\"a\" \"b\"", nil), ("\"a\"b", nil), ("*, \"a\"", nil),
            ("\"a\", b", nil), ("", nil), (" , ", nil), ("\"a\u{7F}\"", nil), ("\"a\tb\"", nil), ("W/*", nil),
        ] as [(String, [String]?)])
    func lists(_ text: String, expected: [String]?) {
        var found: [String]?
        switch EntityTag.List(text) {
        case .any: found = ["*"]
        case .tags(let tags): found = tags.map { $0.isWeak ? "W/\($0.opaque)" : String($0.opaque) }
        case nil: found = nil
        }
        #expect(found == expected)
    }

    @Test(
        "section 8.8.3.2: comparison",
        arguments: [
            ("W/\"1\"", "W/\"1\"", false, true), ("W/\"1\"", "W/\"2\"", false, false), ("W/\"1\"", "\"1\"", false, true),
            ("\"1\"", "\"1\"", true, true), ("\"a\"", "\"A\"", false, false), ("\"\u{37E}\"", "\";\"", false, false),
        ] as [(String, String, Bool, Bool)])
    func comparison(_ one: String, other: String, strong: Bool, weak: Bool) throws {
        let first = try #require(EntityTag(one))
        let second = try #require(EntityTag(other))
        #expect(first.isStronglySame(as: second) == strong && second.isStronglySame(as: first) == strong)
        #expect(first.isWeaklySame(as: second) == weak && second.isWeaklySame(as: first) == weak)
    }

    @Test("H-ETAG-14, 15: dates of a thousand random moments are written as Foundation writes them, and read back")
    func dates() throws {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        var dice = Dice(13)
        for _ in 0..<1000 {
            let seconds = Int64.random(in: 0..<253_402_300_800, using: &dice)
            let instant = WallClock.Instant(millisecondsSinceEpoch: seconds * 1000)
            let text = HTTPDate.text(instant)
            #expect(text == formatter.string(from: Date(timeIntervalSince1970: TimeInterval(seconds))))
            #expect(HTTPDate.parse(text) == instant, "\(text)")
        }
    }

    @Test(
        "MurmurHash3, x64, 128 bits, as its author's program has it",
        arguments: [
            ("", "00000000000000000000000000000000"), ("hello", "cbd8a7b341bd9b025b1e906a48ae1d19"),
            ("12345678", "3b4a640638b1419c913b0e676bd42557"), ("123456789", "3c84645edb66cca499f8fac73a1ea105"),
            ("0123456789abcdef", "4be06d94cf4ad1a787c35b5c63a708da"), ("0123456789abcdef0", "eb24ae8785a5c07573fb68b3313128ca"),
            ("The quick brown fox jumps over the lazy dog", "e34bbc7bbc071b6c7a433ca9c49a9347"),
        ] as [(String, String)])
    func hash(_ text: String, expected: String) {
        #expect(ContentHash.text(Array(text.utf8)) == expected)
    }
}
