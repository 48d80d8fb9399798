import Sluice

extension Response {
    /// A page for browsers, JSON for programs that ask for it.
    static func page(_ page: Page, or value: some Encodable, for request: Request) throws -> Response {
        var response: Response
        switch request.accepts("text/html", "application/json") {
        case "text/html": response = page.response(for: request)
        case "application/json": response = try .json(value, for: request)
        default: throw HTTPError(.notAcceptable, "there is text/html and application/json")
        }
        response.headers.vary(by: "Accept")
        return response
    }

    /// 201 with the value and its place for programs. A browser that has sent a form is led on: a reload sends nothing again.
    static func created(
        _ value: some Encodable, at location: String, page: String? = nil, for request: Request
    ) throws -> Response {
        if request.accepts("application/json", "text/html") == "text/html" {
            return .redirect(to: page ?? location, status: .seeOther)
        }
        var response = try Response.json(value, status: .created, for: request)
        response.headers[.location] = location
        return response
    }
}
