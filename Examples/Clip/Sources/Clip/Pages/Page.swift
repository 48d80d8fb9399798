import Sluice

/// A whole page around its content; a handler may return it.
struct Page: ResponseConvertible {
    private let title: String
    private let user: User?
    private let content: HTML
    private let status: HTTPResponse.Status

    init(_ title: String, for user: User? = nil, _ content: HTML, status: HTTPResponse.Status = .ok) {
        (self.title, self.user, self.content, self.status) = (title, user, content, status)
    }

    func response(for request: Request) -> Response { .html(markup, status: status) }

    private var markup: HTML {
        """
        <!doctype html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width">
          <title>\(title) – Clip</title>
          <link rel="stylesheet" href="/assets/clip.css">
          <script src="/assets/clip.js" defer></script>
        </head>
        <body>
        <header><a href="/">Clip</a>\(signOut)</header>
        <main>
        <h1>\(title)</h1>
        \(content)
        </main>
        </body>
        </html>

        """
    }

    private var signOut: HTML {
        guard let user else { return "" }
        return """
            <form method="post" action="/sign-out"><span>\(user.name)</span> <button>Sign out</button></form>
            """
    }
}
