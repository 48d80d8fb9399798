import Foundation
import Testing

@testable import SluiceMiddleware

@Suite struct FormTests {
    private func form(_ body: String, _ type: String = "application/x-www-form-urlencoded") throws -> Form {
        try Request(.post, "/", headers: [.contentType: type], body: .text(body)).form()
    }

    @Test(
        "urlencoded: WHATWG URL",
        arguments: [
            ("", []), ("a=b", ["a=b"]), ("a", ["a="]), ("a=", ["a="]), ("=b", ["=b"]), ("=", ["="]), ("&&a=b&", ["a=b"]),
            ("a=b=c", ["a=b=c"]), ("a+b=c+d", ["a b=c d"]), ("%2B=%26", ["+=&"]), ("a=%", ["a=%"]), ("a=%2", ["a=%2"]),
            ("a=%zz+%41", ["a=%zz A"]), ("a=%FF", ["a=\u{FFFD}"]), ("a=%C3%A4", ["a=ä"]), ("a=1&a=2", ["a=1", "a=2"]),
            ("a=%00", ["a=\0"]), ("a\u{301}=\u{37E}", ["a\u{301}=\u{37E}"]),
        ])
    func urlencoded(_ body: String, expected: [String]) throws {
        #expect(try form(body).fields.map { "\($0.name)=\($0.value)" } == expected)
    }

    @Test("1000 fields are read, 1001 are refused")
    func many() throws {
        let thousand = (0..<1000).map { "n=\($0)" }.joined(separator: "&")
        #expect(try form(thousand).fields.count == 1000)
        let error = #expect(throws: HTTPError.self) { try form(thousand + "&x=1") }
        #expect(error?.status == .badRequest)
    }

    @Test("any other type is a 415", arguments: ["", "application/json", "text/plain", "x"])
    func otherType(_ type: String) {
        let error = #expect(throws: HTTPError.self) { try form("a=b", type) }
        #expect(error?.status == .unsupportedMediaType)
    }

    struct Order: Codable {
        let name: String
        let count: Int
        let gift: Bool?
    }

    @Test("decode goes by the content type")
    func decode() throws {
        func decode(_ type: String?, _ body: String) throws -> Order {
            var request = Request(.post, "/", body: .text(body))
            request.headers[.contentType] = type
            return try request.decode(Order.self)
        }
        let json = #"{"name":"x","count":2}"#
        for type in [
            nil, "application/json", "application/json; charset=utf-8", "application/vnd.shop+json", "Application/JSON",
        ] {
            #expect(try decode(type, json).count == 2)
        }
        #expect(try decode("application/x-www-form-urlencoded", "name=x&count=2&gift=on").gift == true)
        let multipart =
            "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nx\r\n--b\r\n"
            + "Content-Disposition: form-data; name=\"count\"\r\n\r\n9\r\n--b--\r\n"
        #expect(try decode("multipart/form-data; boundary=b", multipart).count == 9)
        let other = #expect(throws: HTTPError.self) { try decode("application/xml", json) }
        #expect(other?.status == .unsupportedMediaType)
        let curl = #expect(throws: HTTPError.self) { try decode("application/x-www-form-urlencoded", json) }
        #expect(curl?.status == .badRequest && curl?.message.contains("looks like JSON") == true)
    }
}
