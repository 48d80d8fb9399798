import Testing

@testable import SluiceCore
@testable import SluiceMiddleware

/// RFC 9110, section 12.5.3, its own examples included. A case begins with the rows of the peers' table that it answers.
@Suite struct AcceptEncodingTests {
    struct Negotiation: Sendable, CustomTestStringConvertible {
        let id: String
        let accept: String?
        let coding: String?
        var testDescription: String { "\(id) \(accept ?? "-")" }
        init(_ id: String, _ accept: String?, _ coding: String?) { (self.id, self.accept, self.coding) = (id, accept, coding) }
    }

    static let negotiations: [Negotiation] = [
        .init("N-COMP-35", "gzip", "gzip"), .init("N-COMP-2, 36", "deflate", "deflate"),
        .init("N-COMP-3", "gzip, deflate", "gzip"),
        .init("N-COMP-37", nil, nil), .init("N-COMP-38", "gzip;q=0", nil), .init("N-COMP-39", "gzip;q=0, deflate", "deflate"),
        .init("N-COMP-40", "*", "gzip"), .init("N-COMP-41", "GZIP", "gzip"), .init("N-COMP-42", "x-gzip", "gzip"),
        .init("N-COMP-43", "gzip;q=0.5, deflate;q=0.9", "deflate"), .init("N-COMP-44", "deflate;q=0.5, gzip;q=0.5", "gzip"),
        .init("S-COMP-6", "gzip, text", "gzip"), .init("9110", "compress, gzip", "gzip"), .init("9110", "", nil),
        .init("9110", "compress;q=0.5, gzip;q=1.0", "gzip"), .init("9110", "gzip;q=1.0, identity; q=0.5, *;q=0", "gzip"),
        .init("identity", "identity;q=0", nil), .init("identity", "identity;q=0, gzip;q=0.1", "gzip"),
        .init("identity", "identity, gzip;q=0.5", nil), .init("identity", "IDENTITY;q=0.6, gzip;q=0.5", nil),
        .init("identity", "identity;q=0.5, gzip;q=0.5", "gzip"), .init("identity", "identity;q=0, *;q=0", nil),
        .init("star", "*;q=0", nil), .init("star", "gzip, *;q=0", "gzip"), .init("star", "*;q=0, deflate;q=0.1", "deflate"),
        .init("star", "gzip;q=0, *", "deflate"), .init("star", "*;q=0.5, identity", nil), .init("star", "br, *;q=0.1", "gzip"),
        .init("x-gzip", "X-Gzip;q=0.5, deflate;q=0.2", "gzip"), .init("x-gzip", "x-gzip;q=0, deflate", "deflate"),
        .init("x-gzip", "x-gzip, *;q=0", "gzip"), .init("x-gzip", "x-gzip;q=0, *", "deflate"),
        .init("weight", "gzip;q=0.001", "gzip"), .init("weight", "gzip;q=1.000", "gzip"),
        .init("weight", "gzip ; Q=0.5", "gzip"),
        .init("weight", "gzip;q=0.000", nil), .init("weight", "gzip;q=0.", nil), .init("weight", "gzip;q=1.", "gzip"),
        .init("weight", "gzip;q=0.009, deflate;q=0.01", "deflate"),
        .init("malformed", "gzip;q=2", nil), .init("malformed", "gzip;q=1.001", nil), .init("malformed", "gzip;q=-1", nil),
        .init("malformed", "gzip;q=0.1234", nil), .init("malformed", "gzip;q=.5", nil), .init("malformed", "gzip;q=", nil),
        .init("malformed", "gzip;q=high, deflate", "deflate"), .init("malformed", ",, ,gzip,", "gzip"),
        .init("malformed", ";q=1, gzip", "gzip"), .init("malformed", "gzipped, xgzip, \u{212A}", nil),
        .init("malformed", "gzip\u{301}", nil), .init("malformed", "g zip", nil),
    ]

    private static let plain = Response.text(String(repeating: "a", count: 2000))
    private static let stream = Response.stream(contentType: "text/plain") { writer in try await writer.write("abc") }

    @Test("the coding that the client likes best; gzip of two", arguments: negotiations)
    func coding(_ one: Negotiation) async throws {
        for plain in [Self.plain, Self.stream] {
            let response = try await Compression(streams: true).applied(to: plain, one.accept)
            #expect(response.headers[.contentEncoding] == one.coding)
            #expect(response.headers[.vary] == "Accept-Encoding")
        }
    }

    @Test("what the client likes may stand in several fields")
    func severalFields() async throws {
        var request = Request(.get, "/")
        request.headers[values: .acceptEncoding] = ["gzip;q=0.1", "deflate"]
        let next = Next(Links([], responder: problemResponse(to:for:), .handler { _ in Self.plain }))
        let response = try await Compression().handle(request, next: next)
        #expect(response.headers[.contentEncoding] == "deflate")
    }
}
