import Foundation
import Testing

@testable import SluiceMiddleware

/// RFC 7578, and RFC 2046, section 5.1.
@Suite struct MultipartTests {
    private func parse(_ body: String, boundary: String = "b") throws -> [Multipart.Part] {
        try parse(Array(body.utf8), boundary: boundary)
    }

    private func parse(_ body: [UInt8], boundary: String = "b") throws -> [Multipart.Part] {
        try Request(
            .post, "/", headers: [.contentType: "multipart/form-data; boundary=\(boundary)"], body: .bytes(body)
        ).multipart().parts
    }

    private static func part(_ disposition: String, _ content: String, _ more: String = "") -> String {
        "--b\r\nContent-Disposition: \(disposition)\r\n\(more)\r\n\(content)\r\n"
    }

    private static let end = "--b--\r\n"

    @Test(
        "well-formed bodies",
        arguments: [
            (part(#"form-data; name="a""#, "1") + end, ["a=1"]),
            (part(#"form-data; name="a""#, "") + end, ["a="]),
            (part(#"form-data; name="a""#, "1") + part(#"form-data; name="b""#, "2") + end, ["a=1", "b=2"]),
            ("preamble\r\n" + part(#"form-data; name="a""#, "1") + end + "epilogue", ["a=1"]),
            (part(#"form-data; name="a""#, "line\r\nline\r\n") + end, ["a=line\r\nline\r\n"]),
            (part(#"form-data; name="a""#, "x--b--") + end, ["a=x--b--"]),
            (part(#"form-data; name="a""#, "\r\n--bc") + end, ["a=\r\n--bc"]),
            (part("form-data; name=a", "1") + end, ["a=1"]),
            (part("FORM-DATA;NAME=a", "1") + end, ["a=1"]),
            (
                part(#"form-data; name="a"; filename="x.txt""#, "1", "Content-Type: text/plain\r\n") + end,
                ["a[x.txt text/plain]=1"]
            ),
            (part(#"form-data; name="a"; filename="""#, "") + end, ["a[]="]),
            (part(#"form-data; name="a"; filename="C:\dir\x.txt""#, "1") + end, ["a[x.txt]=1"]),
            (part(#"form-data; name="a"; filename="../../etc/passwd""#, "1") + end, ["a[passwd]=1"]),
            (part(#"form-data; name="a%22b%0D%0Ac%41""#, "1") + end, ["a\"b\r\nc%41=1"]),
            (part(#"form-data; name="a\"b""#, "1") + end, [#"a"b=1"#]),
            (part(#"form-data; name="ä;=ö""#, "1") + end, ["ä;=ö=1"]),
            ("--b \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--", ["a=1"]),
            ("--b--", []), ("--b--\r\n", []),
            ("--b\r\ncontent-disposition:form-data;name=a\r\n\r\n--b--", ["a="]),
        ])
    func wellFormed(_ body: String, expected: [String]) throws {
        let parts = try parse(body)
        #expect(
            parts.map { part in
                let file = part.filename.map { "[\($0)\(part.contentType.map { " \($0)" } ?? "")]" } ?? ""
                return "\(part.name)\(file)=\(part.text)"
            } == expected)
    }

    @Test(
        "malformed bodies are a 400 with the reason",
        arguments: [
            ("", "does not occur"), ("x", "does not occur"), ("--c--", "does not occur"), ("x--b--", "does not occur"),
            ("--b\r\n", "cut off"), ("--b\r\nContent-Disposition: form-data; name=a", "cut off"),
            ("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1", "cut off"),
            ("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n", "cut off"),
            ("--b\r\n\r\n1\r\n--b--", "no Content-Disposition"),
            ("--b\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--b--", "no Content-Disposition"),
            ("--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--", "no name"),
            ("--b\r\nno header\r\n\r\n1\r\n--b--", "no header"),
            ("--b\r\n: x\r\n\r\n1\r\n--b--", "no header"),
            ("--b\r\n" + String(repeating: "a: b\r\n", count: 4097) + "\r\n1\r\n--b--", "bytes of headers"),
            (String(repeating: part("form-data; name=a", ""), count: 1001) + end, "1000 parts"),
        ])
    func malformed(_ body: String, says: String) {
        let error = #expect(throws: HTTPError.self) { try parse(body) }
        #expect(error?.status == .badRequest)
        #expect(error?.message.contains(says) == true, "\(error?.message ?? "")")
    }

    @Test(
        "a boundary has 1 to 70 characters",
        arguments: ["", "\"\"", String(repeating: "x", count: 71), "\"a \"", "\u{1}"])
    func boundary(_ boundary: String) {
        #expect(throws: HTTPError.self) { try parse("--b--", boundary: boundary) }
    }

    @Test("a boundary may be quoted and hold what a token cannot")
    func quotedBoundary() throws {
        let body = "--a:/ b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--a:/ b--"
        #expect(try parse(body, boundary: "\"a:/ b\"").count == 1)
    }

    @Test("every octet comes through, and what was written is read: 200 random bodies")
    func roundTrip() throws {
        var random = SystemRandomNumberGenerator()
        let alphabet: [UInt8] = [0x2D, 0x0D, 0x0A, 0x62, 0x00, 0xFF, 0x22, 0x3B]
        for _ in 0..<200 {
            let contents = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                (0..<Int.random(in: 0...40, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            }
            let boundary = "bb" + String(UInt64.random(in: .min ... .max, using: &random), radix: 36)
            var body: [UInt8] = []
            for (index, content) in contents.enumerated() {
                body +=
                    Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"n\(index)\"\r\n\r\n".utf8) + content + [
                        13, 10,
                    ]
            }
            body += Array("--\(boundary)--\r\n".utf8)
            let parts = try parse(body, boundary: boundary)
            #expect(parts.map(\.bytes) == contents)
            #expect(parts.map(\.name) == contents.indices.map { "n\($0)" })
        }
    }

    @Test("files are found by name; an empty choice is none")
    func files() throws {
        let body =
            Self.part(#"form-data; name="f"; filename="""#, "") + Self.part(#"form-data; name="g"; filename="y""#, "2")
            + Self.end
        let request = Request(
            .post, "/", headers: [.contentType: "multipart/form-data; boundary=b"], body: .text(body))
        let multipart = try request.multipart()
        #expect(try multipart.requireFile("g").bytes == [0x32])
        #expect(throws: HTTPError.self) { try multipart.requireFile("f") }
        #expect(multipart["f"]?.filename == "" && multipart.all("g").count == 1)
        #expect(try request.form().fields.isEmpty)
    }
}
