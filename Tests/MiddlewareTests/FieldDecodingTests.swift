import Foundation
import Testing

@testable import SluiceMiddleware

/// Queries, forms and headers as values.
@Suite struct FieldDecodingTests {
    enum Order: String, Decodable { case up, down }

    struct Page: Decodable, Equatable {
        var n: Int
        var size: UInt8?
        var q: String?
        var tag: [String]?
        var ids: [Int] = []
        var order: Order?
        var open: Bool?
        var since: Date?
        var ratio: Double?
    }

    struct List: Decodable { let id: [Int] }
    struct One: Decodable { let n: Int }
    struct Deep: Decodable {
        struct Inner: Decodable { let x: Int }
        let inner: Inner
    }

    @Test("a query is read property by property")
    func query() throws {
        let query = Request(
            .get, "/?n=7&size=&q=&tag=a&tag=b+c&ids=1&ids=2&order=down&open=on&since=2024-02-29T12:00:00Z&ratio=0.5&more=x"
        ).query
        let page = try query.decode(Page.self)
        #expect(
            page
                == Page(
                    n: 7, size: nil, q: "", tag: ["a", "b c"], ids: [1, 2], order: .down, open: true,
                    since: Date(timeIntervalSince1970: 1_709_208_000), ratio: 0.5))
        #expect(try Request(.get, "/?id=3").query.decode(List.self).id == [3])
        #expect(try Request(.get, "/").query.decode(List.self).id == [])
    }

    @Test(
        "what is missing or wrong is a 400 that names it",
        arguments: [
            ("/", "'n' is missing"), ("/?n=", "'n' is not a valid Int"), ("/?n=x", "'n' is not a valid Int"),
            ("/?n=99999999999999999999", "'n' is not a valid Int"), ("/?n=1&size=256", "'size' is not a valid UInt8"),
            ("/?n=1&order=left", "'order' is not a valid Order"), ("/?n=1&open=maybe", "'open' is not a valid Bool"),
            ("/?n=1&ids=1&ids=x", "'ids' is not a valid Int"), ("/?n=1&since=yesterday", "'since' is not a valid Date"),
            ("/?%D9%A1=1&n=\u{661}", "'n' is not a valid Int"),
        ])
    func wrong(_ target: String, says: String) {
        let error = #expect(throws: HTTPError.self) { try Request(.get, target).query.decode(PageOfAll.self) }
        #expect(error?.status == .badRequest)
        #expect(error?.message.contains(says) == true, "\(error?.message ?? "")")
    }

    struct PageOfAll: Decodable {
        let n: Int
        let size: UInt8?
        let ids: [Int]?
        let order: Order?
        let open: Bool?
        let since: Date?
    }

    @Test("a structure that fields cannot have is our mistake: a 500")
    func structure() {
        #expect(throws: HTTPError.self) { try Request(.get, "/?inner=1").query.decode(Deep.self) }
        let error = #expect(throws: HTTPError.self) { try Request(.get, "/?n=1").query.decode([Int].self) }
        #expect(error?.status == .internalServerError)
    }

    @Test("get is nil, a value, or a 400; require wants it")
    func getAndRequire() throws {
        let query = Request(.get, "/?n=5&x=y&b=1").query
        #expect(try query.get("n", as: Int.self) == 5)
        #expect(try query.get("none", as: Int.self) == nil)
        #expect(try query.get("x") == "y")
        #expect(try query.get("b", as: Bool.self) == true)
        #expect(throws: HTTPError.self) { try query.get("x", as: Int.self) }
        #expect(throws: HTTPError.self) { try query.require("none") }
        let headers: HTTPFields = [.maxForwards: "3"]
        #expect(try headers.get(.maxForwards, as: Int.self) == 3)
        #expect(try headers.get(.age, as: Int.self) == nil)
        let error = #expect(throws: HTTPError.self) { try headers.require(.age, as: Int.self) }
        #expect(error?.message == "the header 'Age' is missing")
    }

    struct Conditions: Decodable {
        let ifMatch: String
        let max_forwards: Int
        let accept: [String]?
    }

    @Test("headers are read by their names without hyphens, whatever the case")
    func headers() throws {
        var request = Request(.get, "/", headers: [.ifMatch: "\"a\"", .maxForwards: "4"])
        let read = try request.headers.decode(Conditions.self)
        #expect(read.ifMatch == "\"a\"" && read.max_forwards == 4 && read.accept == nil)
        request.headers[.maxForwards] = "x"
        #expect(throws: HTTPError.self) { try request.headers.decode(Conditions.self) }
    }

    @Test("dates: ISO 8601 with and without fractions, an offset, or the day alone")
    func dates() {
        let noon = Date(timeIntervalSince1970: 1_709_208_000)
        #expect(FieldText.date("2024-02-29T12:00:00Z") == noon)
        #expect(FieldText.date("2024-02-29T13:00:00+01:00") == noon)
        #expect(FieldText.date("2024-02-29T12:00:00.500Z") == noon.addingTimeInterval(0.5))
        #expect(FieldText.date("2024-02-29") == noon.addingTimeInterval(-12 * 3600))
        for text in ["", "2024", "29.2.2024", "2024-13-01", "x"] { #expect(FieldText.date(text) == nil, "\(text)") }
    }

    // MARK: Negotiation

    @Test(
        "accepts: RFC 9110, section 12.5.1",
        arguments: [
            (nil, "a/x"), ("", "a/x"), ("*/*", "a/x"), ("b/y", "b/y"), ("a/*;q=0.2, b/y;q=0.3", "b/y"),
            ("b/*, a/x;q=0", "b/y"), ("a/x;q=0, b/y;q=0", nil), ("c/z", nil), ("B/Y", "b/y"), ("*/*;q=0.1, b/y;q=0.01", "a/x"),
            ("a/x;q=0.5;ext=1, b/y;q=0.6", "b/y"), ("a/x;q=2, b/y", "b/y"), ("a/x;q=0.5555, b/y;q=0.1", "b/y"),
            ("a/x;level=1, b/y;q=0.1", "b/y"), ("garbage", nil), ("*", nil), (";q=1", "a/x"),
        ] as [(String?, String?)])
    func accepts(_ accept: String?, _ expected: String?) {
        var request = Request(.get, "/")
        request.headers[.accept] = accept
        #expect(request.accepts("a/x", "b/y") == expected)
    }

    @Test("a parameter makes a range more specific")
    func parametersOfRanges() {
        var request = Request(.get, "/")
        request.headers[.accept] = "text/html;level=1;q=0.3, text/html;q=0.7, */*;q=0.1"
        #expect(request.accepts("text/html;level=1", "text/html;level=2") == "text/html;level=2")
        #expect(request.accepts("text/html;level=1", "text/plain") == "text/html;level=1")
    }

    @Test("varying adds names once, and * is enough")
    func vary() {
        var headers: HTTPFields = [:]
        headers.vary(by: "Origin")
        headers.vary(by: "origin", "Accept-Encoding")
        #expect(headers[.vary] == "Origin, Accept-Encoding")
        headers[.vary] = "*"
        headers.vary(by: "Origin")
        #expect(headers[.vary] == "*")
    }
}
