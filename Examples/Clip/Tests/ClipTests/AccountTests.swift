import Sluice
import SluiceTesting
import Testing

@testable import Clip

@Suite struct AccountTests {
    @Test func `who signs in has a session, and the page greets them`() async throws {
        let clip = try await Fixture(signedInAs: nil)
        let response = try await clip.signIn("ada", "lovelace")
        #expect(response.status == .seeOther && response.headers[.location] == "/")
        let cookie = try #require(response.headers[.setCookie])
        for attribute in ["__Host-session=", "Secure", "HttpOnly", "SameSite=Lax"] { #expect(cookie.contains(attribute)) }
        #expect(try await clip.client.get("/").text.contains("<span>ada</span>"))
    }

    @Test(
        "a wrong name or password is one answer, without a session",
        arguments: [("ada", "babbage"), ("nobody", "lovelace"), ("grace", "lovelace")])
    func wrong(_ name: String, _ password: String) async throws {
        let clip = try await Fixture(signedInAs: nil)
        let response = try await clip.signIn(name, password)
        #expect(response.status == .forbidden && response.text.contains("no name with its password"))
        #expect(response.headers[.setCookie] == nil)
        #expect(clip.client.reports.isEmpty)
    }

    @Test func `a form without its fields is a 400, one with empty fields a 422`() async throws {
        let clip = try await Fixture(signedInAs: nil)
        #expect(try await clip.client.post("/sign-in", form: ["name": "ada"]).status == .badRequest)
        let empty = try await clip.signIn("", "")
        #expect(empty.status == .unprocessableContent)
        #expect(empty.text.contains("/name") && empty.text.contains("/password"))
    }

    @Test func `who signs out is nobody`() async throws {
        let clip = try await Fixture()
        let response = try await clip.client.post("/sign-out", form: [:])
        #expect(response.status == .seeOther && response.headers[.location] == "/sign-in")
        #expect(response.headers[.setCookie]?.contains("Max-Age=0") == true)
        #expect(try await clip.client.get("/", headers: [.accept: "text/html"]).status == .seeOther)
    }

    @Test func `nobody's browser is led to the sign-in, a program is told`() async throws {
        let clip = try await Fixture(signedInAs: nil)
        let page = try await clip.client.get("/", headers: [.accept: "text/html"])
        #expect(page.status == .seeOther && page.headers[.location] == "/sign-in")
        #expect(try await clip.client.get("/", headers: [.accept: "application/json"]).status == .unauthorized)
        #expect(try await clip.client.post("/links", form: ["target": "https://a.example"]).status == .unauthorized)
    }

    @Test func `a password is kept as scrypt makes it, and the cost may change`() throws {
        let kept = try PasswordHasher(cost: 4).hash("lovelace")
        #expect(kept.hasPrefix("scrypt$4$") && !kept.contains("lovelace"))
        #expect(try PasswordHasher(cost: 5).matches("lovelace", kept))
        #expect(try !PasswordHasher(cost: 5).matches("Lovelace", kept))
        #expect(try PasswordHasher(cost: 4).hash("lovelace") != kept)
    }

    @Test func `the environment is read once, and says what it lacks`() throws {
        #expect(throws: SettingsError.self) { try Settings(environment: [:]) }
        #expect(throws: (any Error).self) { try Settings(environment: ["CLIP_SECRET": "short"]) }
        let secret = "0123456789abcdef0123456789abcdef"
        #expect(throws: SettingsError.self) { try Settings(environment: ["CLIP_SECRET": secret, "CLIP_USERS": "ada"]) }
        let settings = try Settings(environment: ["CLIP_SECRET": secret, "CLIP_USERS": "ada:a:b,grace:c"])
        #expect(settings.users.map(\.password) == ["a:b", "c"] && settings.database == "/tmp/clip.sqlite")
    }
}
