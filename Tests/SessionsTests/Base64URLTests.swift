import Testing

@testable import SluiceSessions

/// RFC 4648, sections 5 and 10.
@Suite struct Base64URLTests {
    @Test(
        "the RFC's examples, and the two characters that differ",
        arguments: [
            ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"), ("a~~b??", "YX5-Yj8_"),
        ])
    func examples(_ plain: String, text: String) {
        #expect(Base64URL.encode(plain.utf8) == text)
        #expect(Base64URL.decode(text.utf8) == Array(plain.utf8))
    }

    @Test("bytes of every length come back")
    func roundTrip() {
        for count in 0..<100 {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max) }
            #expect(Base64URL.decode(Base64URL.encode(bytes).utf8) == bytes)
        }
    }

    @Test(
        "what nobody writes is not read: another text for the same bytes, padding, foreign characters, a character that says nothing",
        arguments: ["Zh", "Zm9", "A", "Zm9vY", "Zg==", "Zg=", "Z g", "Zg\n", "+_8A", "-/8A", "Zgä", "Zg."])
    func refused(_ text: String) {
        #expect(Base64URL.decode(text.utf8) == nil)
    }
}
