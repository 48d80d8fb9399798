import HTTPTypes
import Testing

@testable import SluiceMiddleware

/// RFC 9110, sections 12 and 15.5.7: one resource in several forms.
@Suite struct NegotiatedTests {
    private struct Order: Encodable { let id = 7 }

    private func answer(_ accept: String?) async throws -> Response {
        var request = Request(.get, "/orders/7")
        request.headers[.accept] = accept
        return try await Response.negotiated(
            for: request,
            ["text/html": { .html("<p>7</p>") }, "application/json": { try .json(Order(), for: request) }])
    }

    @Test(
        "the client's weights decide, then the order; a cache is told",
        arguments: [
            (nil, "<p>7</p>"), ("*/*", "<p>7</p>"), ("application/json", #"{"id":7}"#), ("application/*", #"{"id":7}"#),
            ("text/html;q=0.5, application/json;q=0.9", #"{"id":7}"#), ("text/html, application/json", "<p>7</p>"),
        ] as [(String?, String)])
    func forms(_ accept: String?, body: String) async throws {
        let response = try await answer(accept)
        #expect(response.text == body)
        #expect(response.headers[.vary] == "Accept")
    }

    @Test("who wants none of them gets a 406 that names them", arguments: ["image/png", "text/html;q=0, application/json;q=0"])
    func none(_ accept: String) async throws {
        let error = await #expect(throws: HTTPError.self) { try await answer(accept) }
        #expect(error?.status == .notAcceptable)
        #expect(error?.message == "there is text/html, application/json")
        #expect(error?.headers[.vary] == "Accept")
    }

    @Test("only the form that is sent is made, and what it throws is thrown; what it varies by stays")
    func one() async throws {
        struct Failed: Error {}
        var request = Request(.get, "/")
        request.headers[.accept] = "text/csv"
        await #expect(throws: Failed.self) {
            try await Response.negotiated(
                for: request,
                [
                    "text/html": {
                        Issue.record("made"); return .text("")
                    }, "text/csv": { throw Failed() },
                ])
        }
        let response = try await Response.negotiated(
            for: request,
            [
                "text/csv": {
                    var response = Response.text("a")
                    response.headers.vary(by: "Cookie")
                    return response
                }
            ])
        #expect(response.headers[.vary] == "Cookie, Accept")
    }

    @Test("201 says what was made, and where it is")
    func created() throws {
        let response = try Response.created(Order(), at: "/orders/7")
        #expect(response.status == .created)
        #expect(response.headers[.location] == "/orders/7")
        #expect(response.headers[.contentType] == "application/json")
        #expect(response.text == #"{"id":7}"#)
    }
}
