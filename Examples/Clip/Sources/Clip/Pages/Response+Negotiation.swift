import Sluice

extension Response {
    /// A page for browsers, JSON for programs that ask for it.
    static func page(_ page: Page, or value: some Encodable, for request: Request) async throws -> Response {
        try await negotiated(
            for: request,
            ["text/html": { page.response(for: request) }, "application/json": { try .json(value, for: request) }])
    }

    /// 201 with the value and its place for programs. A browser that has sent a form is led on: a reload sends nothing again.
    static func made(
        _ value: some Encodable, at location: String, page: String? = nil, for request: Request
    ) throws -> Response {
        // No 406: it is made by now.
        if request.accepts("application/json", "text/html") == "text/html" {
            return .redirect(to: page ?? location, status: .seeOther)
        }
        return try .created(value, at: location, for: request)
    }
}
