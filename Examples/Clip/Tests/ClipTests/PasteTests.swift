import Sluice
import SluiceTesting
import Testing

@testable import Clip

@Suite struct PasteTests {
    private static let evil = #"<script>alert("1")</script>&'"#

    @Test func `a paste is a page, plain text or JSON, as its reader likes`() async throws {
        let clip = try await Fixture()
        let made = try await clip.client.post("/pastes", form: ["title": Self.evil, "text": "two\r\nlines \(Self.evil)"])
        let path = try #require(made.headers[.location])
        #expect(made.status == .seeOther && path.hasPrefix("/p/"))
        let page = try await clip.client.get(path, headers: [.accept: "text/html"])
        #expect(!page.text.contains("<script>alert"))
        #expect(page.text.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;"))
        #expect(page.headers[.vary]?.contains("Accept") == true)
        let plain = try await clip.client.get(path, headers: [.accept: "text/plain"])
        #expect(plain.text == "two\r\nlines \(Self.evil)")
        let json = try await clip.client.get(path, headers: [.accept: "application/json"])
        #expect(try json.decode(Paste.self).title == Self.evil)
        #expect(try await clip.client.get(path, headers: [.accept: "image/png"]).status == .notAcceptable)
    }

    @Test func `a paste needs a title and a text`() async throws {
        let clip = try await Fixture()
        let empty = try await clip.client.post("/pastes", json: #"{"title":"","text":""}"#)
        #expect(empty.status == .unprocessableContent)
        #expect(try empty.decode(ProblemDocument.self).errors?.map(\.pointer) == ["#/title", "#/text"])
        let missing = try await clip.client.post("/pastes", json: #"{"title":"x"}"#)
        #expect(missing.status == .badRequest)
        #expect(try missing.decode(ProblemDocument.self).detail?.contains("'text'") == true)
        #expect(try await clip.client.get("/p/none").status == .notFound)
    }
}
