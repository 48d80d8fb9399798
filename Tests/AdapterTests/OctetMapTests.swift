import Testing

@testable import SluiceCore

@Suite("Values by their texts' octets")
struct OctetMapTests {
    @Test("as a dictionary of octets does, through ten thousand random changes")
    func likeADictionary() {
        var generator = SystemRandomNumberGenerator()
        var (map, dictionary) = (OctetMap(), [[UInt8]: Int]())
        for number in 0..<10_000 {
            let key = String(UInt64.random(in: 0..<4_000, using: &generator), radix: 36)
            if Bool.random(using: &generator) {
                map[key] = number
                dictionary[Array(key.utf8)] = number
            }
            #expect(map[key] == dictionary[Array(key.utf8)])
            #expect(map[key + "-"] == nil)
        }
        var seen: [[UInt8]: Int] = [:]
        map.forEach { seen[Array($0.utf8)] = $1 }
        #expect(seen == dictionary)
    }

    @Test("texts that Swift's == finds equal are two keys, and the empty text is one")
    func octets() {
        let map: OctetMap = ["caf\u{e9}": 1, "cafe\u{301}": 2, "": 3, "\u{212a}": 4, "K": 5]
        #expect([map["caf\u{e9}"], map["cafe\u{301}"], map[""], map["\u{212a}"], map["K"]] == [1, 2, 3, 4, 5])
        #expect(OctetMap()[""] == nil)
    }

    @Test("the last value of a key counts, in the place of the first")
    func order() {
        var map: OctetMap = ["b": 1, "a": 2]
        map["b"] = 3
        map["a"] = nil
        var pairs: [String] = []
        map.forEach { pairs.append("\($0)\($1)") }
        #expect(pairs == ["b3", "a2"])
    }

    @Test("the environment: the last value of a name counts, in the place of the first, and names are octets")
    func environment() {
        var environment = Environment(
            [("b", "1"), ("a", "2"), ("caf\u{e9}", "3"), ("b", "4"), ("", "")].map { (key: $0.0, value: $0.1) })
        environment["a"] = nil
        var pairs: [String] = []
        environment.forEach { pairs.append("\($0)=\($1)") }
        #expect(pairs == ["b=4", "a=2", "caf\u{e9}=3", "="])
        #expect(environment["b"] == "4")
        #expect(environment["cafe\u{301}"] == nil)
        #expect(Environment()["b"] == nil)
    }
}
