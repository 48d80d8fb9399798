import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import Sluice

/// Section 8.2 of the conformance cases: response to buffered envelope, read with Foundation's JSON.
@Suite struct EnvelopeTests {
    private func envelope(_ response: Response) throws -> JSONView {
        try #require(JSONView(BufferedReply.encode(response).bytes))
    }

    @Test("case 45: an encoded body is base64, in exactly these fields")
    func encoded() throws {
        let json = try envelope(Response(headers: [.contentEncoding: "gzip"], body: "000000"))
        #expect(json.keys == ["statusCode", "headers", "cookies", "body", "isBase64Encoded"])
        #expect(json["statusCode"]?.number == 200)
        #expect(json["headers"]?.dictionary == ["content-encoding": "gzip"])
        #expect(json["body"]?.text == "MDAwMDAw")
        #expect(json["isBase64Encoded"]?.flag == true)
        #expect(json["cookies"]?.texts == [])
    }

    struct TypeCase: Sendable, CustomTestStringConvertible {
        let number: Int
        let type: String?
        let encoding: String?
        let isText: Bool
        var testDescription: String { "case \(number): \(type ?? "-") \(encoding ?? "-")" }
        init(_ number: Int, _ type: String?, _ encoding: String? = nil, text: Bool) {
            (self.number, self.type, self.encoding, self.isText) = (number, type, encoding, text)
        }
    }

    static let typeCases: [TypeCase] = [
        TypeCase(46, "application/json", text: true), TypeCase(46, "application/json; charset=utf-8", text: true),
        TypeCase(47, "application/graphql-response+json", text: true), TypeCase(47, "image/svg+xml", text: true),
        TypeCase(47, "application/yaml", text: true), TypeCase(47, "custom/vdn+yaml", text: true),
        TypeCase(48, "image/png", text: false), TypeCase(48, "application/epub+zip", text: false),
        TypeCase(48, "application/msword", text: false),
        TypeCase(48, "application/vnd.oasis.opendocument.text", text: false), TypeCase(48, "text/css", text: true),
        TypeCase(48, "application/ld+json", text: true), TypeCase(49, "text/plain", "gzip", text: false),
        TypeCase(49, "text/plain", "br", text: false), TypeCase(49, "text/plain", "zstd", text: false),
        TypeCase(49, "text/plain", "compress", text: false), TypeCase(49, "text/plain", "deflate, gzip", text: false),
        TypeCase(49, "text/plain", "identity", text: true), TypeCase(49, "text/plain", "", text: true),
        TypeCase(49, "text/plain", nil, text: true), TypeCase(49, nil, nil, text: false),
    ]

    @Test("which bodies are text", arguments: typeCases)
    func types(_ one: TypeCase) throws {
        var response = Response(body: "abc")
        response.headers[.contentType] = one.type
        response.headers[.contentEncoding] = one.encoding
        let json = try envelope(response)
        #expect(json["isBase64Encoded"]?.flag == !one.isText)
        #expect(json["body"]?.text == (one.isText ? "abc" : "YWJj"))
    }

    @Test("case 50: 256 bytes without a content type come back exactly")
    func bytes() throws {
        let bytes = (0...255).map { UInt8($0) }
        for count in 0...256 {
            let part = Array(bytes[..<count])
            let json = try envelope(Response(body: .bytes(part)))
            let text = try #require(json["body"]?.text)
            let decoded = json["isBase64Encoded"]?.flag == true ? base64(text) : Array(text.utf8)
            #expect(decoded == part)
        }
    }

    @Test("text that is not UTF-8 is base64")
    func notUTF8() throws {
        let json = try envelope(Response(headers: [.contentType: "text/plain"], body: .bytes([0x61, 0xFF])))
        #expect(json["isBase64Encoded"]?.flag == true)
        #expect(json["body"]?.text.flatMap(base64) == [0x61, 0xFF])
    }

    @Test("case 51: every Set-Cookie is in cookies, none in headers; other repeats are joined")
    func cookies() throws {
        var response = Response()
        response.headers[values: .setCookie] = ["cookie1=a", "cookie2=b"]
        response.headers[values: .vary] = ["Origin", "Accept"]
        let json = try envelope(response)
        #expect(json["cookies"]?.texts == ["cookie1=a", "cookie2=b"])
        #expect(json["headers"]?.dictionary == ["vary": "Origin,Accept"])
    }

    @Test("cases 53, 54: a status alone; nothing set at all")
    func statusOnly() throws {
        let json = try envelope(Response(status: .init(code: 418)))
        #expect(json["statusCode"]?.number == 418)
        #expect(json["body"]?.text == "")
        #expect(json["isBase64Encoded"]?.flag == false)
        #expect(try envelope(Response())["statusCode"]?.number == 200)
    }

    @Test("hop-by-hop headers and declared lengths do not leave")
    func hopByHop() throws {
        var response = Response(body: "abc")
        for name in [
            "connection", "keep-alive", "transfer-encoding", "upgrade", "trailer", "te", "proxy-authenticate", "content-length",
            "x-kept",
        ] {
            response.headers[try #require(HTTPField.Name(name))] = "x"
        }
        #expect(try envelope(response)["headers"]?.dictionary == ["x-kept": "x"])
    }

    @Test("no CR, LF or NUL of a header value reaches the wire")
    func controlCharacters() throws {
        var response = Response()
        response.headers[.location] = "/a\r\nset-cookie: x=y\0z"
        let value = try #require(try envelope(response)["headers"]?.dictionary?["location"])
        #expect(!value.utf8.contains { $0 == 13 || $0 == 10 || $0 == 0 })
    }
}
