import Sluice

/// Errors as pages for browsers, and as `application/problem+json` for programs.
@Sendable func errorResponse(_ error: HTTPError, _ request: Request) -> Response {
    var response: Response
    if request.accepts("application/problem+json", "application/json", "text/html") == "text/html" {
        let problems = error.problems.map { "<li><code>\($0.pointer)</code> \($0.message)</li>" as HTML }
        let content: HTML = """
            <p>\(error.message)</p>
            <ul>\(problems)</ul>
            <p>Request \(request.id)</p>
            """
        let page = Page("\(error.status.code)", for: request.principal(User.self), content, status: error.status)
        response = page.response(for: request)
    } else {
        response = problemResponse(to: error, for: request)
    }
    response.headers.vary(by: "Accept")
    return response
}
