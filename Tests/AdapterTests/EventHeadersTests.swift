import SluiceTestSupport
import Testing

@testable import Sluice
@testable import SluiceCore

/// A header that is looked up where it stands in the event is the one among all that were made.
@Suite struct EventHeadersTests {
    private static let names = [
        "a", "b", "ab", "ba", "aa", "aba", "abba", "x-tenant", "x-tenand", "y-tenant", "cookie", "content-length", "host",
        "origin",
        "accept", "if-match", "x-forwarded-proto",
    ]

    /// An event whose headers are this JSON text, and a body of five bytes.
    private func request(_ headers: String, cookies: String = "null") throws -> Request {
        let json = """
            {"version":"2.0","rawPath":"/","headers":\(headers),"cookies":\(cookies),"body":"12345",\
            "requestContext":{"http":{"method":"POST"}}}
            """
        return try HTTPEvent(Array(json.utf8)).request(of: Array(json.utf8), id: "1", deadline: nil)
    }

    /// Of two requests, as the one that has made its headers looks among these.
    private func expectSame(_ headers: String, cookies: String = "null") throws {
        let (first, second) = (try request(headers, cookies: cookies), try request(headers, cookies: cookies))
        let all = second.headers
        for text in Self.names {
            let name = try #require(HTTPField.Name(text))
            #expect(first.header(name) == all[name], "\(text) of \(headers)")
            #expect(second.header(name) == all[name], "\(text) of \(headers), made")
        }
    }

    @Test(
        "names in any case, repeated ones, escapes, nulls, and what looks alike",
        arguments: [
            "{}", "null", #"{"X-TENANT":"one"}"#, #"{"x-Tenant":"one","X-tenanT":"two","x-tenant":""}"#,
            #"{"x-tenand":"d","y-tenant":"y"}"#, #"{ "a" : "1" , "b" : null , "ab":"3" }"#, #"{"a":"\u0041\n\"\\ ","b":"\\"}"#,
            #"{"\u0061":"escaped","b":"plain"}"#, #"{"b":"plain","\u0061":"escaped","a":"too"}"#, #"{"a":"é炎","b":"a\u0301"}"#,
            #"{"a":"\ud800","b":"x\u0000y\r\nz"}"#, #"{"cookie":"a=1; b=2","Cookie":"c=3"}"#,
            #"{"Content-Length":"999","host":"h"}"#,
            #"{"a":"null","null":"a","aa":"n","b":"}{\":,"}"#, #"{"a":"1","A":null,"a":"2"}"#,
        ])
    func same(_ headers: String) throws {
        try expectSame(headers)
        try expectSame(headers, cookies: #"["d=4","e=5"]"#)
    }

    @Test("a later object of the same name counts, as it does for the headers that are made")
    func twice() throws {
        try expectSame(#"{"a":"1","b":"2"},"headers":{"b":"3"}"#)
        let request = try request(#"{"a":"1","b":"2"},"headers":{"b":"3"}"#)
        #expect(request.header(try #require(HTTPField.Name("a"))) == nil)
        #expect(request.header(try #require(HTTPField.Name("b"))) == "3")
    }

    @Test("ten thousand objects of random names and values")
    func random() throws {
        var generator = Dice(seed: 7)
        let values = ["", "v", "\\u00e9", "\\\\", "\\\"", "é", "a b", "\\n", "0123456789abcdef", "\\ud83d\\ude00", "=,;"]
        for _ in 0..<10_000 {
            var pairs: [String] = []
            for _ in 0..<Int.random(in: 0...6, using: &generator) {
                var name = Self.names.randomElement(using: &generator) ?? "a"
                if Bool.random(using: &generator) { name = name.uppercased() }
                if Int.random(in: 0..<20, using: &generator) == 0 {
                    name = "\\u00" + String(name.utf8.first ?? 97, radix: 16) + name.dropFirst()
                }
                let value = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                    values.randomElement(using: &generator) ?? ""
                }
                pairs.append(
                    "\"\(name)\":" + (Int.random(in: 0..<10, using: &generator) == 0 ? "null" : "\"\(value.joined())\""))
            }
            try expectSame("{" + pairs.joined(separator: ",") + "}")
        }
    }

    /// The same numbers in each run (SplitMix64).
    private struct Dice: RandomNumberGenerator {
        var seed: UInt64
        mutating func next() -> UInt64 {
            seed &+= 0x9E37_79B9_7F4A_7C15
            var z = seed
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
