import Testing

@testable import SluiceSessions

@Suite struct SessionValuesTests {
    @Test("texts and their keys come back, octet for octet")
    func roundTrip() throws {
        for _ in 0..<100 {
            var values = SessionValues()
            for _ in 0..<Int.random(in: 0...5) { values[randomText(upTo: 20)] = JSONFragment.quoted(randomText()) }
            let bytes = try values.encoded()
            let read = try #require(SessionValues(bytes), "\(String(decoding: bytes, as: UTF8.self))")
            #expect(read == values)
            #expect(try read.encoded() == bytes)
        }
    }

    @Test("they are one JSON object, its keys sorted by their octets")
    func form() throws {
        var values = SessionValues()
        #expect(try values.encoded() == Array("{}".utf8))
        values["b"] = try JSONFragment.encode(["x": 1.5])
        values["ä"] = try JSONFragment.encode(true)
        values["a"] = JSONFragment.quoted("1/2\"\u{1F}")
        #expect(try String(decoding: values.encoded(), as: UTF8.self) == #"{"a":"1/2\"\u001f","b":{"x":1.5},"ä":true}"#)
    }

    @Test(
        "what is no such object is none",
        arguments: [
            "", "{", "}", "[]", "null", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{,}"#, #"{a:1}"#, #"{"a" :1}"#, #"{ "a":1}"#,
            #"{"a":1}x"#, #"{"a":1"#, #"{"a":"1}"#, #"{"\x":1}"#,
        ])
    func malformed(_ text: String) {
        #expect(SessionValues(Array(text.utf8)) == nil)
    }

    @Test("separators in texts, and in what is nested, separate nothing")
    func separators() throws {
        let text = #"{"a":"b\",\"c:{","d,:\"":[{"e":[1,"]"]},2],"f":{}}"#
        let values = try #require(SessionValues(Array(text.utf8)))
        #expect(values["a"].flatMap(JSONFragment.text) == #"b","c:{"#)
        #expect(values["d,:\""] == Array(#"[{"e":[1,"]"]},2]"#.utf8))
        #expect(values["f"] == Array("{}".utf8))
        #expect(try values.encoded() == Array(text.utf8))
    }

    @Test("256 keys, 256 bytes of a key and 256 KiB are enough, in both directions")
    func limits() throws {
        var values = SessionValues()
        for number in 0..<256 { values["\(number)"] = [0x31] }
        #expect(SessionValues(try values.encoded()) == values)
        let most = try values.encoded()
        values["256"] = [0x31]
        #expect(throws: SessionError.self) { try values.encoded() }
        #expect(SessionValues(Array(most.dropLast()) + Array(#","256":1}"#.utf8)) == nil)

        var long = SessionValues()
        let key = String(repeating: "ä", count: 128)
        long[key] = [0x31]
        #expect(SessionValues(try long.encoded()) == long)
        #expect(SessionValues([0x7B] + JSONFragment.quoted(key + "x") + Array(":1}".utf8)) == nil)
        long[key + "x"] = [0x31]
        let error = #expect(throws: SessionError.self) { try long.encoded() }
        #expect(error?.description.contains("257") == true)

        var big = SessionValues()
        big["a"] = JSONFragment.quoted(String(repeating: "x", count: 262_144 - 8))
        let bytes = try big.encoded()
        #expect(bytes.count == 262_144)
        #expect(SessionValues(bytes) == big)
        big["a"] = JSONFragment.quoted(String(repeating: "x", count: 262_144 - 7))
        let tooLarge = #expect(throws: SessionError.self) { try big.encoded() }
        #expect(tooLarge?.code == .tooLarge)
        #expect(tooLarge?.description.contains("262145") == true)
        #expect(SessionValues(Array("{\"a\":\"".utf8) + Array(repeating: 0x78, count: 262_144 - 7) + Array("\"}".utf8)) == nil)
    }
}
