import Testing

@testable import SluiceSessions

@Suite struct SigningKeysTests {
    @Test("a secret of 31 bytes is refused by its number and its size, and not shown; one of 32 is none too short")
    func size() throws {
        let short = String(secret.dropLast())
        let error = #expect(throws: SigningKeysError.self) { try SigningKeys(secret, short) }
        #expect(error?.description.contains("secret 2 has 31 bytes and needs 32") == true)
        #expect(error?.description.contains(short.prefix(8)) == false)
        #expect(throws: SigningKeysError.self) { try SigningKeys("") }
        #expect(throws: SigningKeysError.self) { try SigningKeys(bytes: [Array(repeating: 7, count: 31)]) }
        _ = try SigningKeys(secret)
        _ = try SigningKeys(bytes: [Array(repeating: 7, count: 32)])
    }

    @Test("bytes count, and not characters")
    func octets() throws {
        _ = try SigningKeys(String(repeating: "ä", count: 16))
        #expect(throws: SigningKeysError.self) { try SigningKeys(String(repeating: "e", count: 31)) }
    }

    @Test("no secret at all is an error that says so")
    func none() {
        let makers: [() throws -> SigningKeys] = [
            { try SigningKeys() }, { try SigningKeys([]) }, { try SigningKeys(bytes: []) },
        ]
        for make in makers {
            let error = #expect(throws: SigningKeysError.self) { try make() }
            #expect(error?.description.contains("at least one secret") == true)
        }
    }

    @Test("text and its bytes are one secret, alone or in a list")
    func forms() throws {
        let message = Array("message".utf8)
        let signature = try SigningKeys(secret).signature(of: message)
        #expect(try SigningKeys([secret]).signature(of: message) == signature)
        #expect(try SigningKeys(bytes: [Array(secret.utf8)]).signature(of: message) == signature)
        #expect(try SigningKeys(formerSecret).signature(of: message) != signature)
    }

    @Test("neither a description nor a dump shows a secret, or what holds it")
    func hidden() throws {
        let keys = try SigningKeys(secret, formerSecret)
        #expect("\(keys)" == "SigningKeys(secrets: 2)")
        #expect(String(reflecting: [keys]).contains("SigningKeys(secrets: 2)"))
        var text = ""
        dump(keys, to: &text)
        #expect(!text.contains("SymmetricKey"))
        #expect(!text.contains(secret))
    }

    @Test("the first secret signs, all of them verify")
    func rotation() throws {
        let message = Array("message".utf8)
        let (old, new) = (try SigningKeys(formerSecret), try SigningKeys(secret, formerSecret))
        #expect(new.isValid(old.signature(of: message), of: message))
        #expect(!old.isValid(new.signature(of: message), of: message))
        #expect(!new.isValid(try SigningKeys(foreignSecret).signature(of: message), of: message))
        #expect(!new.isValid([], of: message))
    }
}
