import Sluice
import SluiceTesting
import Testing

@testable import Clip

@Suite struct FileTests {
    private static let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00, 0xFF]

    @Test func `what was uploaded is downloaded, under its name`() async throws {
        let clip = try await Fixture()
        let made = try await clip.client.upload(Self.png, named: "tea & cake.png")
        let summary = try made.decode(Upload.Summary.self)
        #expect(made.status == .created && summary.size == 10 && summary.kind == "image/png")
        let path = try #require(made.headers[.location])
        let file = try await clip.client.get(path)
        #expect(file.bytes == Self.png && file.headers[.contentType] == "image/png")
        #expect(file.headers[.contentDisposition] == #"attachment; filename="tea & cake.png""#)
        let part = try await clip.client.get(path, headers: [.range: "bytes=1-3"])
        #expect(part.status == .partialContent && part.text == "PNG")
        let tag = try #require(file.headers[.eTag])
        #expect(try await clip.client.get(path, headers: [.ifNoneMatch: tag]).status == .notModified)
    }

    @Test func `a program that calls itself a picture is refused`() async throws {
        let clip = try await Fixture()
        let refused = try await clip.client.upload([0x7F, 0x45, 0x4C, 0x46, 0x00], named: "picture.png")
        #expect(refused.status == .unsupportedMediaType)
        let text = try await clip.client.upload(Array("plain".utf8), named: "x.exe").decode(Upload.Summary.self)
        #expect(text.kind == "text/plain; charset=utf-8")
    }

    @Test func `too large is a 413, no file a 400, no form a 415, nobody's a 401`() async throws {
        let clip = try await Fixture()
        let large = [UInt8](repeating: 0x61, count: 1_000_001)
        #expect(try await clip.client.upload(large, named: "a.txt").status == .contentTooLarge)
        #expect(try await clip.client.upload(Self.png, named: "a.png", field: "other").status == .badRequest)
        #expect(try await clip.client.post("/files", json: "{}").status == .unsupportedMediaType)
        #expect(try await clip.client.get("/files/none").status == .notFound)
        let nobody = try await Fixture(signedInAs: nil)
        #expect(try await nobody.client.upload(Self.png, named: "a.png").status == .unauthorized)
    }
}
