import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceMiddleware

/// RFC 9110, section 14. The ids are those of the peers' tests.
@Suite(.timeLimit(.minutes(1))) struct ByteRangeTests {
    /// `first-last`, `whole` or `none`.
    private static func text(_ range: ByteRange) -> String {
        switch range {
        case .whole: "whole"
        case .part(let part): "\(part.lowerBound)-\(part.upperBound - 1)"
        case .unsatisfiable: "none"
        }
    }

    static let thirtyDigits = "123456789012345678901234567890"

    struct Case: Sendable, CustomTestStringConvertible {
        let range: String?
        var size = 526
        let expected: String
        var testDescription: String { "\(range ?? "none") of \(size)" }
    }

    @Test(
        "which part a Range header asks for",
        arguments: [
            // First and last.
            Case(range: "bytes=0-0", expected: "0-0"), Case(range: "bytes=0-525", expected: "0-525"),
            Case(range: "bytes=525-525", expected: "525-525"), Case(range: "bytes=100-200", expected: "100-200"),
            Case(range: "bytes=007-0010", expected: "7-10"), Case(range: "bytes=0-0", size: 1, expected: "0-0"),
            // The last position may lie beyond the end (section 14.1.2).
            Case(range: "bytes=0-527", expected: "0-525"), Case(range: "bytes=525-526", expected: "525-525"),
            Case(range: "bytes=0-\(thirtyDigits)", expected: "0-525"),
            Case(range: "bytes=0-9223372036854775807", expected: "0-525"),
            Case(range: "bytes=0-9223372036854775808", expected: "0-525"),
            // Open, and the last so many.
            Case(range: "bytes=0-", expected: "0-525"), Case(range: "bytes=525-", expected: "525-525"),
            Case(range: "bytes=-1", expected: "525-525"), Case(range: "bytes=-100", expected: "426-525"),
            Case(range: "bytes=-526", expected: "0-525"), Case(range: "bytes=-527", expected: "0-525"),
            Case(range: "bytes=-\(thirtyDigits)", expected: "0-525"),
            // Nothing of it is there.
            Case(range: "bytes=526-", expected: "none"), Case(range: "bytes=526-526", expected: "none"),
            Case(range: "bytes=\(thirtyDigits)-", expected: "none"), Case(range: "bytes=-0", expected: "none"),
            Case(range: "bytes=\(thirtyDigits)-\(thirtyDigits)", expected: "none"), Case(range: "bytes=-000", expected: "none"),
            // Of an empty content; all of its last bytes are none, which a 206 cannot say.
            Case(range: "bytes=0-", size: 0, expected: "none"), Case(range: "bytes=0-0", size: 0, expected: "none"),
            Case(range: "bytes=-0", size: 0, expected: "none"), Case(range: nil, size: 0, expected: "whole"),
            // What is no range is not heeded (section 14.2).
            Case(range: nil, expected: "whole"), Case(range: "", expected: "whole"), Case(range: "bytes", expected: "whole"),
            Case(range: "bytes=", expected: "whole"), Case(range: "bytes=-", expected: "whole"),
            Case(range: "bytes=500-100", expected: "whole"), Case(range: "bytes=abc-def", expected: "whole"),
            Case(range: "bytes=100", expected: "whole"), Case(range: "bytes: 0-100", expected: "whole"),
            Case(range: "0-100", expected: "whole"), Case(range: "=0-100", expected: "whole"),
            Case(range: "bytes=0-1-2", expected: "whole"), Case(range: "bytes=--1", expected: "whole"),
            Case(range: "bytes=+1-2", expected: "whole"), Case(range: "bytes=0x0-1", expected: "whole"),
            Case(range: "bytes=1.0-2", expected: "whole"), Case(range: "bytes=\u{661}-\u{662}", expected: "whole"),
            Case(range: "bytes=0-4;q=1", expected: "whole"), Case(range: "bytes=0-4\u{301}", expected: "whole"),
            // Other units.
            Case(range: "items=0-100", expected: "whole"), Case(range: "seconds=1-2", expected: "whole"),
            Case(range: "bytes2=0-1", expected: "whole"), Case(range: "BYTES=0-1", expected: "0-1"),
            Case(range: "b\u{FF59}tes=0-1", expected: "whole"),
            // Spaces around are forgiven, between they are not.
            Case(range: " bytes = 0-4 ", expected: "0-4"), Case(range: "bytes=\t0-4\t", expected: "0-4"),
            Case(range: "bytes=0 -4", expected: "whole"), Case(range: "bytes=0- 4", expected: "whole"),
            Case(range: "bytes= - ", expected: "whole"),
            // Several.
            Case(range: "bytes=0-0,-1", expected: "whole"), Case(range: "bytes=0-4,", expected: "whole"),
            Case(range: "bytes=0-100, 50-200", expected: "whole"), Case(range: "bytes=527-528,0-1", expected: "whole"),
        ] as [Case])
    func parsed(_ one: Case) {
        #expect(Self.text(ByteRange(one.range, of: one.size)) == one.expected)
    }

    @Test("the last bytes of nothing are nothing: a suffix that is not zero can be satisfied (section 14.1.2)")
    func suffixOfNothing() async throws {
        #expect(Self.text(ByteRange("bytes=-5", of: 0)) == "whole")
        let site = try Site(["empty.txt": ""])
        let response = await site.get("/empty.txt", [.range: "bytes=-5"])
        #expect(response.status == .ok && response.text == "" && response.headers[.contentRange] == nil)
    }

    // MARK: Arithmetic

    /// What the specification says of one range, position by position and with no arithmetic of ours.
    private static func expected(_ first: Int?, _ last: Int?, of bytes: [UInt8]) -> (
        status: Int, bytes: [UInt8], range: String?
    ) {
        let all = Array(bytes.enumerated())
        let part: [(offset: Int, element: UInt8)]
        switch (first, last) {
        case (let first?, let last?):
            if last < first { return (200, bytes, nil) }
            part = all.filter { $0.offset >= first && $0.offset <= last }
        case (let first?, nil): part = all.filter { $0.offset >= first }
        case (nil, let count?): part = Array(all.suffix(count))
        case (nil, nil): return (200, bytes, nil)
        }
        guard let start = part.first?.offset, let end = part.last?.offset else { return (416, [], "bytes */\(bytes.count)") }
        return (206, part.map(\.element), "bytes \(start)-\(end)/\(bytes.count)")
    }

    /// A range, which may lie beyond the end.
    private static func random(_ size: Int, _ dice: inout Dice) -> (first: Int?, last: Int?) {
        let (one, other) = (Int.random(in: 0...(size + 2), using: &dice), Int.random(in: 0...(size + 2), using: &dice))
        switch Int.random(in: 0..<5, using: &dice) {
        case 0: return (one, nil)
        case 1: return (nil, one)
        case 2: return (one, one)
        default: return (one, other)
        }
    }

    private static func digits(_ number: Int?) -> String { number.map { "\($0)" } ?? "" }

    @Test(
        "for random sizes and ranges the bytes are the slice, and Content-Range says which",
        arguments: [1, 2, 3, 4] as [UInt64])
    func property(_ seed: UInt64) async throws {
        var dice = Dice(seed)
        for _ in 0..<200 {
            let bytes = dice.bytes(Int.random(in: 1...40, using: &dice))
            let (first, last) = Self.random(bytes.count, &dice)
            let expected = Self.expected(first, last, of: bytes)
            var routes = Router()
            routes.get("/") { _ in Response(headers: [.acceptRanges: "bytes"], body: .bytes(bytes)) }
            let range = "bytes=\(Self.digits(first))-\(Self.digits(last))"
            let response = await respond(Request(.get, "/", headers: [.range: range])) {
                ConditionalRequests()
                routes
            }
            #expect(response.status.code == expected.status, "\(range) of \(bytes.count)")
            #expect(response.body.bytes == expected.bytes, "\(range) of \(bytes.count)")
            #expect(response.headers[.contentRange] == expected.range, "\(range) of \(bytes.count)")
        }
    }

    @Test("so it is with a file that is longer than what is read at once")
    func longFile() async throws {
        let size = 2 * FileContent.piece + 1000
        var dice = Dice(14)
        let bytes = dice.bytes(size)
        let site = try Site()
        try site.write("a.bin", bytes)
        // Around the borders of what is read at once, and anywhere.
        let piece = FileContent.piece
        var ranges: [(Int, Int)] = [
            (0, piece - 1), (0, piece), (piece - 1, piece), (1, 2 * piece), (0, size - 1), (size - 1, size - 1),
        ]
        for _ in 0..<20 {
            let first = Int.random(in: 0..<size, using: &dice)
            ranges.append((first, Int.random(in: first..<size, using: &dice)))
        }
        for (first, last) in ranges {
            let response = await site.get("/a.bin", [.range: "bytes=\(first)-\(last)"])
            #expect(response.status == .partialContent)
            #expect(response.headers[.contentRange] == "bytes \(first)-\(last)/\(size)")
            #expect(response.body.bytes == Array(bytes[first...last]), "\(first)-\(last)")
        }
        let request = Request(.get, "/", headers: [.range: "bytes=1-\(piece)"])
        #expect(try site.file("a.bin", for: request).body.isStream == false)
        let longer = Request(.get, "/", headers: [.range: "bytes=0-\(piece)"])
        #expect(try site.file("a.bin", for: longer).body.isStream)
    }

    // MARK: Of a file

    struct Ask: Sendable, CustomTestStringConvertible {
        let id: String
        var method = "GET"
        let range: String
        let status: Int
        var content: String?
        var testDescription: String { "\(id): \(method) \(range)" }
    }

    @Test(
        "ranges of a file of 526 bytes",
        arguments: [
            Ask(id: "H-STATIC-4, 5, S-STATIC-58", range: "bytes=0-100", status: 206, content: "bytes 0-100/526"),
            Ask(id: "H-STATIC-5", range: "bytes=0-0", status: 206, content: "bytes 0-0/526"),
            Ask(id: "H-STATIC-6, 9", range: "bytes=-399", status: 206, content: "bytes 127-525/526"),
            Ask(id: "H-STATIC-7", range: "bytes=60-", status: 206, content: "bytes 60-525/526"),
            Ask(id: "H-STATIC-8, S-STATIC-69", range: "bytes=500-100", status: 200),
            Ask(id: "S-STATIC-59", method: "HEAD", range: "bytes=0-100", status: 200),
            Ask(id: "S-STATIC-60", range: "bytes=0-100, 200-300", status: 200),
            Ask(id: "S-STATIC-61", method: "HEAD", range: "bytes=0-100, 200-300", status: 200),
            Ask(id: "S-STATIC-64", range: "bytes: 0-1000", status: 200),
            Ask(id: "S-STATIC-65", range: "bytes=0-527", status: 206, content: "bytes 0-525/526"),
            Ask(id: "S-STATIC-66", range: "bytes=527-", status: 416, content: "bytes */526"),
            Ask(id: "S-STATIC-66", method: "HEAD", range: "bytes=527-", status: 200),
            Ask(id: "S-STATIC-67", range: "items=0-100", status: 200), Ask(id: "S-STATIC-68", range: "bytes=", status: 200),
            Ask(id: "S-STATIC-70", range: "bytes=0-100, 50-200", status: 200),
            Ask(id: "S-STATIC-71", range: "bytes=100-200, 0-50", status: 200),
            Ask(id: "S-STATIC-72", range: "bytes=100, 0-50", status: 200),
            Ask(id: "S-STATIC-73", range: "bytes= - , 0-50", status: 200),
            Ask(id: "S-STATIC-74", range: "bytes=abc-def, 0-50", status: 200),
            Ask(id: "S-STATIC-75", range: "bytes=-100", status: 206, content: "bytes 426-525/526"),
            Ask(id: "S-STATIC-76", range: "bytes=-1000", status: 206, content: "bytes 0-525/526"),
            Ask(id: "S-STATIC-78", range: "bytes=0-15,20-35,35-50", status: 200),
            Ask(id: "POST", method: "POST", range: "bytes=0-100", status: 404),
        ] as [Ask])
    func ofFile(_ one: Ask) async throws {
        let bytes = (0..<526).map { UInt8($0 % 251) }
        let site = try Site()
        try site.write("a.txt", bytes)
        let method = try #require(HTTPRequest.Method(one.method))
        let response = await site.serve(Request(method, "/a.txt", headers: [.range: one.range]))
        #expect(response.status.code == one.status)
        #expect(response.headers[.contentRange] == one.content)
        guard one.status != 404 else { return }
        #expect(response.headers[.acceptRanges] == "bytes" && response.headers[.contentLength] == nil)
        #expect(response.headers[.eTag] == "\"\(ContentHash.text(bytes))\"")
        #expect(response.headers[.lastModified] == Site.lastModified)
        #expect(response.headers[.contentType] == (one.status == 416 ? nil : "text/plain; charset=utf-8"))
        if one.status == 206, let content = one.content {
            let ends = content.split { !$0.isNumber }.compactMap { Int($0) }
            #expect(response.body.bytes == Array(bytes[ends[0]...ends[1]]))
        }
        if one.status == 416 || one.method == "HEAD" { #expect(response.text == "") }
        if one.status == 200, one.method == "GET" { #expect(response.body.bytes == bytes) }
        // S-STATIC-77: one answer leaves nothing for the next.
        let whole = await site.get("/a.txt")
        #expect(whole.status == .ok && whole.headers[.contentRange] == nil && whole.body.bytes == bytes)
    }

    struct Condition: Sendable, CustomTestStringConvertible {
        let id: String
        let ifRange: String
        var method = "GET"
        var isHeeded = false
        var testDescription: String { "\(id): \(method) \(ifRange)" }
    }

    @Test(
        "section 13.1.5: a range is heeded where the client has the very content that it is of; TAG stands for the tag",
        arguments: [
            Condition(id: "H-STATIC-10, S-STATIC-53", ifRange: "TAG", isHeeded: true),
            Condition(id: "H-STATIC-11", ifRange: Site.lastModified, isHeeded: true),
            Condition(id: "RFC 850", ifRange: "Sunday, 09-Sep-01 01:46:40 GMT", isHeeded: true),
            Condition(id: "asctime", ifRange: "Sun Sep  9 01:46:40 2001", isHeeded: true),
            Condition(id: "another tag", ifRange: "\"x\""), Condition(id: "a weak tag", ifRange: "W/TAG"),
            Condition(id: "a later date", ifRange: "Sun, 09 Sep 2001 01:46:41 GMT"),
            Condition(id: "an earlier date", ifRange: "Sun, 09 Sep 2001 01:46:39 GMT"),
            Condition(id: "H-STATIC-12", ifRange: "some words"), Condition(id: "nothing", ifRange: ""),
            Condition(id: "no list", ifRange: "TAG, \"x\""), Condition(id: "no wildcard", ifRange: "*"),
            Condition(id: "S-STATIC-62", ifRange: "CUT"), Condition(id: "S-STATIC-62", ifRange: "CUT", method: "HEAD"),
            Condition(id: "S-STATIC-63: HEAD has no ranges", ifRange: "TAG", method: "HEAD"),
        ] as [Condition])
    func ifRange(_ one: Condition) async throws {
        let site = try Site(["a.txt": "hello"])
        let tag = try #require(await site.get("/a.txt").headers[.eTag])
        let cut = String(tag.dropLast())
        let value = one.ifRange.replacingOccurrences(of: "TAG", with: tag).replacingOccurrences(of: "CUT", with: cut)
        let method = try #require(HTTPRequest.Method(one.method))
        let response = await site.serve(Request(method, "/a.txt", headers: [.range: "bytes=1-2", .ifRange: value]))
        #expect(response.status == (one.isHeeded ? .partialContent : .ok))
        #expect(response.headers[.contentRange] == (one.isHeeded ? "bytes 1-2/5" : nil))
        #expect(response.text == (one.method == "HEAD" ? "" : one.isHeeded ? "el" : "hello"))
        // Without the range there is nothing to heed.
        #expect(await site.get("/a.txt", [.ifRange: value]).text == "hello")
    }

    // MARK: Of a handler's bytes

    @Test("S-STATIC-53: a handler that says so has its bytes sent in part, under its own tag; others have not")
    func handlers() async {
        var routes = Router()
        routes.get("/own") { _ in
            Response(headers: [.acceptRanges: "bytes", .eTag: "\"own\"", .contentDigest: "sha-256=:x:"], body: "hello world!")
        }
        routes.get("/made") { _ in Response(headers: [.acceptRanges: "bytes"], body: "hello world!") }
        routes.get("/not") { _ in "hello world!" }
        let pipeline = routes
        func ask(_ target: String, _ headers: HTTPFields) async -> Response {
            await respond(Request(.get, target, headers: headers)) {
                ConditionalRequests()
                pipeline
            }
        }
        let part = await ask("/own", [.range: "bytes=0-4", .ifRange: "\"own\""])
        #expect(part.status == .partialContent && part.text == "hello")
        #expect(part.headers[.contentRange] == "bytes 0-4/12" && part.headers[.eTag] == "\"own\"")
        // That was the whole's (RFC 9530, section 2).
        #expect(part.headers[.contentDigest] == nil)
        #expect(await ask("/own", [:]).headers[.contentDigest] != nil)
        #expect(await ask("/own", [.range: "bytes=0-4", .ifRange: "\"x\""]).text == "hello world!")
        #expect(await ask("/not", [.range: "bytes=0-4"]).text == "hello world!")
        // A tag that is made is weak: whoever holds a part cannot know that it is of the same bytes.
        let made = await ask("/made", [.range: "bytes=0-4"])
        #expect(made.text == "hello" && made.headers[.eTag]?.hasPrefix("W/") == true)
        #expect(await ask("/made", [.range: "bytes=0-4", .ifRange: made.headers[.eTag] ?? ""]).text == "hello world!")
    }

    @Test("a range that cannot be satisfied is not for caches to keep, whatever the handler says of its content")
    func unsatisfiable() async {
        var routes = Router()
        routes.get("/") { _ in
            Response(
                headers: [.acceptRanges: "bytes", .cacheControl: "max-age=60", .expires: "Fri, 31 Dec 2100 00:00:00 GMT"],
                body: "x")
        }
        let response = await respond(Request(.get, "/", headers: [.range: "bytes=5-"])) {
            ConditionalRequests()
            routes
        }
        #expect(response.status == .rangeNotSatisfiable && response.headers[.contentRange] == "bytes */1")
        #expect(response.text == "" && response.headers[.contentType] == nil)
        #expect(response.headers[.cacheControl] == nil && response.headers[.expires] == nil)
    }
}
