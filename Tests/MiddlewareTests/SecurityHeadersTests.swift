import Testing

@testable import SluiceCore
@testable import SluiceMiddleware

/// The ids are the rows of the peers' table.
@Suite struct SecurityHeadersTests {
    private static let routes: Router = {
        var routes = Router()
        routes.get("/") { _ in "x" }
        routes.get("/own") { _ in
            Response(
                headers: [
                    .strictTransportSecurity: "max-age=1", .xFrameOptions: "DENY",
                    .contentSecurityPolicy: "script-src 'nonce-abc'",
                ], body: "x")
        }
        routes.get("/boom") { _ -> String in throw Boom() }
        routes.get("/cut") { _ in Response.stream(contentType: "a/b") { _ in throw Boom() } }
        routes.get("/powered") { _ in Response(headers: [Self.poweredBy: "x"], body: "x") }
        return routes
    }()

    private static let poweredBy = HTTPField.Name("X-Powered-By")!  // a literal that is a token
    private static let defaults: HTTPFields = [
        .strictTransportSecurity: "max-age=15552000; includeSubDomains", .xContentTypeOptions: "nosniff",
        .xFrameOptions: "SAMEORIGIN", .referrerPolicy: "no-referrer", .crossOriginOpenerPolicy: "same-origin",
        .crossOriginResourcePolicy: "same-origin", .xXSSProtection: "0",
    ]

    private func get(
        _ path: String, _ security: SecurityHeaders = SecurityHeaders(), _ method: HTTPRequest.Method = .get
    ) async -> Response {
        await respond(Request(method, path)) {
            security
            Self.routes
        }
    }

    /// The headers less those of the content.
    private func headers(_ response: Response) -> HTTPFields {
        var headers = response.headers
        headers[.contentType] = nil
        headers[.allow] = nil
        return headers
    }

    @Test(
        "H-SEC-1, N-SEC-1: these and no others, on every response",
        arguments: [("/", 200), ("/none", 404), ("/boom", 500), ("/cut", 500), ("/%zz", 400)] as [(String, Int)])
    func everywhere(_ path: String, status: Int) async {
        let response = await get(path)
        #expect(response.status.code == status)
        #expect(headers(response) == Self.defaults)
    }

    @Test("N-SEC-1: on a 405 and on HEAD too")
    func methods() async {
        let post = await get("/", SecurityHeaders(), .post)
        #expect(post.status == .methodNotAllowed && post.headers[.allow] != nil)
        #expect(headers(post) == Self.defaults)
        let head = await get("/", SecurityHeaders(), .head)
        #expect(headers(head) == Self.defaults)
    }

    @Test("N-SEC-3: what is nil is left out, the others stay")
    func leftOut() async {
        var expected = Self.defaults
        expected[.xFrameOptions] = nil
        let frameless = await get("/", SecurityHeaders(frameOptions: nil))
        #expect(headers(frameless) == expected)
        let none = SecurityHeaders(
            strictTransportSecurity: nil, frameOptions: nil, referrerPolicy: nil, crossOriginOpenerPolicy: nil,
            crossOriginResourcePolicy: nil)
        let least: HTTPFields = [.xContentTypeOptions: "nosniff", .xXSSProtection: "0"]
        let fewest = await get("/", none)
        #expect(headers(fewest) == least)
    }

    @Test("N-SEC-8: values of one's own, verbatim, on a 404 too", arguments: ["/", "/none"])
    func values(_ path: String) async {
        let security = SecurityHeaders(
            strictTransportSecurity: "max-age=31536000; includeSubDomains; preload", frameOptions: "DENY",
            referrerPolicy: "strict-origin", crossOriginOpenerPolicy: "unsafe-none", crossOriginResourcePolicy: "cross-origin",
            permissionsPolicy: "camera=(), fullscreen=(self \"https://a.example\"), usb=*")
        let expected: HTTPFields = [
            .strictTransportSecurity: "max-age=31536000; includeSubDomains; preload", .xContentTypeOptions: "nosniff",
            .xFrameOptions: "DENY", .referrerPolicy: "strict-origin", .crossOriginOpenerPolicy: "unsafe-none",
            .crossOriginResourcePolicy: "cross-origin", .xXSSProtection: "0",
            .permissionsPolicy: "camera=(), fullscreen=(self \"https://a.example\"), usb=*",
        ]
        let response = await get(path, security)
        #expect(headers(response) == expected)
    }

    @Test(
        "a policy leaves as it was written",
        arguments: [
            // H-SEC-2 to 4, N-SEC-10, 11
            "upgrade-insecure-requests; report-to csp-endpoint", "default-src 'none'", "script-src 'none' 'unsafe-eval'",
            "style-src 'nonce-abc'; script-src-elem 'sha384-x'", "trusted-types MyPolicy 'allow-duplicates'",
            // N-SEC-12
            "",
            // N-SEC-13, 23 to 25
            "default-src 'self'; report-uri /csp-report /other; report-to endpoint-1",
        ])
    func policy(_ text: String) async {
        let response = await get("/", SecurityHeaders(contentSecurityPolicy: text))
        #expect(response.headers[values: .contentSecurityPolicy] == [text])
    }

    @Test("N-SEC-7, N-SEC-17: a header that the handler has set stays, a policy with its nonce say")
    func own() async {
        let response = await get("/own", SecurityHeaders(contentSecurityPolicy: "default-src 'self'"))
        var expected = Self.defaults
        expected[.strictTransportSecurity] = "max-age=1"
        expected[.xFrameOptions] = "DENY"
        expected[.contentSecurityPolicy] = "script-src 'nonce-abc'"
        #expect(headers(response) == expected)
    }

    @Test("N-SEC-4 to 6: nothing is taken away")
    func powered() async { #expect(await get("/powered").headers[Self.poweredBy] == "x") }
}
