import Testing

@testable import SluiceLocal
@testable import SluiceStreaming

@Suite struct IngestRequestTests {
    private static let auth = HTTPLine("x-sentry-auth", "Sentry sentry_version=7, sentry_client=x/1, sentry_key=local")

    private func status(
        _ target: String, _ lines: [HTTPLine] = [auth], method: String = "POST", body: String = "{}"
    ) -> Int {
        var head = HTTPMessageHead()
        (head.method, head.target, head.lines) = (method, target, lines)
        do throws(IngestRefusal) {
            _ = try IngestRequest(head, Array(body.utf8))
            return 200
        } catch {
            return error.status
        }
    }

    @Test("a key in the header or in the query, and the same in both")
    func keys() {
        #expect(status("/api/1/envelope/") == 200)
        #expect(status("/api/1/envelope/?sentry_version=7&sentry_key=local", []) == 200)
        #expect(status("/api/1/envelope/?sentry_key=local") == 200)
        #expect(status("/api/1/envelope/?sentry_key=other") == 403)
        #expect(status("/api/1/envelope/", []) == 403)
        #expect(status("/api/1/envelope/?sentry_key=", []) == 403)
        #expect(status("/api/1/envelope/", [HTTPLine("x-sentry-auth", "Sentry sentry_version=7")]) == 403)
    }

    @Test("one path, one method, whole envelopes, ids of 32 digits")
    func requests() {
        for target in ["/api/1/envelope", "/api//envelope/", "/api/1/store/", "/", "/x/api/1/envelope/"] {
            #expect(status(target) == 404)
        }
        #expect(status("/api/a%21/envelope/") == 200)
        #expect(status("/api/1/envelope/", method: "GET") == 405)
        #expect(status("/api/1/envelope/", body: "no envelope") == 400)
        #expect(status("/api/1/envelope/", body: #"{"event_id":"01234567-89AB-cdef-0123-456789abcdef"}"#) == 200)
        #expect(status("/api/1/envelope/", body: #"{"event_id":"short"}"#) == 400)
        #expect(status("/api/1/envelope/", [Self.auth, HTTPLine("content-encoding", "gzip")], body: "\u{1F}\u{8B}") == 200)
        #expect(status("/api/1/envelope/", [Self.auth, HTTPLine("content-encoding", "idk")], body: "\u{1F}\u{8B}") == 400)
    }

    @Test("what the child finds: our DSN, unless there is one, an empty one included")
    func environment() {
        func dsn(_ environment: [String: String]) -> String? {
            LocalLambda.childEnvironment(environment, apiPort: 1, inboxPort: 2, ["x/App"])["SENTRY_DSN"]
        }
        #expect(dsn([:]) == "http://local@127.0.0.1:2/1")
        #expect(dsn(["SENTRY_DSN": ""]) == "")
        #expect(dsn(["SENTRY_DSN": "https://a@b/1"]) == "https://a@b/1")
    }
}
