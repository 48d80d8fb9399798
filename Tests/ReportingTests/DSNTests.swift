import Foundation
import Logging
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

@Suite struct DSNTests {
    /// What a DSN is taken apart into.
    struct Parts: Equatable {
        var key: String
        var secret: String?
        var host: String
        var port: UInt16?
        var path = ""
        var project: String
    }

    @Test(
        "cases 1-6: key, secret, host, port, path and project are read",
        arguments: [
            (
                "https://abc:xyz@sentry.io:1234/321",
                Parts(key: "abc", secret: "xyz", host: "sentry.io", port: 1234, project: "321")
            ),
            ("https://abc@sentry.io/321", Parts(key: "abc", host: "sentry.io", project: "321")),
            ("https://abc:@sentry.io/321", Parts(key: "abc", host: "sentry.io", project: "321")),
            (
                "https://abc@sentry.io/sentry/custom/installation/321",
                Parts(key: "abc", host: "sentry.io", path: "/sentry/custom/installation", project: "321")
            ),
            ("https://abc@sentry.io/123/321", Parts(key: "abc", host: "sentry.io", path: "/123", project: "321")),
            ("https://abc@sentry.io/321?sample.rate=0.1&other=v/9", Parts(key: "abc", host: "sentry.io", project: "321")),
            ("https://abc@192.168.1.1/321", Parts(key: "abc", host: "192.168.1.1", project: "321")),
            ("https://abc@[2001:db8::1]:8080/321", Parts(key: "abc", host: "[2001:db8::1]", port: 8080, project: "321")),
            ("https://abc@[::1]/321", Parts(key: "abc", host: "[::1]", project: "321")),
        ])
    func parts(_ text: String, _ expected: Parts) throws {
        let dsn = try DSN(text)
        let read = Parts(
            key: dsn.publicKey, secret: dsn.secretKey, host: dsn.host, port: dsn.port, path: dsn.path, project: dsn.projectID)
        #expect(read == expected)
    }

    @Test(
        "case 7: what is no DSN is rejected",
        arguments: [
            "some@random.dsn", "://abc@sentry.io/1", "", " ", "https", "https://", "https://@", "é", "\u{0}", "://", "[",
            "http://[",
        ])
    func garbage(_ text: String) {
        #expect(throws: DSNError.self) { try DSN(text) }
    }

    @Test(
        "cases 8, 9, 12: a missing or unusable part is named, without the keys",
        arguments: [
            ("https://host/1", DSNError.noKey), ("https://@host/1", .noKey), ("https://:xyzzy@host/1", .noKey),
            ("https://xyzzy@/1", .host), ("https://xyzzy@:80/1", .host), ("https://xyzzy@[::1/1", .host),
            ("https://xyzzy@a b/1", .host),
            ("https://xyzzy@123", .noProject), ("https://xyzzy@sentry.io/", .noProject),
            ("https://xyzzy@sentry.io/1/", .noProject),
            ("https://xyzzy@sentry.io?/1", .noProject),
            ("httpx://xyzzy@sentry.io/1", .scheme), ("ftp://xyzzy@sentry.io/1", .scheme),
            ("https://xyzzy@sentry.io:xxx/1", .port), ("https://xyzzy@sentry.io:65536/1", .port),
            ("https://xyzzy@sentry.io:0/1", .port),
            ("https://xyzzy@sentry.io:/1", .port), ("https://xyzzy@sentry.io:-1/1", .port),
            ("https://xyzzy@sentry.io/abc", .project), ("https://u@domain/path/23%21", .project),
            ("https://xyzzy@sentry.io/é/1", .project),
        ])
    func rejected(_ text: String, _ problem: DSNError) {
        #expect(throws: problem) { try DSN(text) }
        #expect(!problem.description.contains("xyzzy"))
    }

    @Test(
        "cases 7, 9: with a DSN that cannot be used, captures work, nothing is sent, and one ERROR record says so without the key"
    )
    func unusable() {
        let records = LogRecords()
        let client = SentryClient(
            ReportOptions(),
            ReportingProcess(
                environment: ["SENTRY_DSN": "https://xyzzy:zyxxy@sentry.io:port/1"], logger: records.logger))
        let box = ReportingScope()
        #expect(client.delivery == nil)
        #expect(client.capture(ReportEvent(level: .error), box.scope, box).count == 32)
        #expect(records.all.map(\.level) == [.error])
        #expect(records.texts.allSatisfy { $0.contains("SENTRY_DSN") && !$0.contains("xyzzy") && !$0.contains("zyxxy") })
    }

    @Test("case 10: printed, a DSN has no secret")
    func printed() throws {
        #expect("\(try DSN("https://abc:xyz@sentry.io:1234/a/321"))" == "https://abc@sentry.io:1234/a/321")
        #expect(try DSN("https://abc:xyz@sentry.io:1234/a/321").full == "https://abc:xyz@sentry.io:1234/a/321")
    }

    @Test(
        "cases 11, 13: the URL of envelopes; a default port is not written",
        arguments: [
            ("https://public:secret@domain:8888/foo/bar/42", "https://domain:8888/foo/bar/api/42/envelope/"),
            ("http://public@domain/42", "http://domain/api/42/envelope/"),
            ("http://public@domain:80/42", "http://domain/api/42/envelope/"),
            ("https://public@domain:443/42", "https://domain/api/42/envelope/"),
            ("http://public@domain:443/42", "http://domain:443/api/42/envelope/"),
            ("HTTPS://public@domain:80/42", "https://domain:80/api/42/envelope/"),
            ("https://abc@[2001:db8::1]:8080/321", "https://[2001:db8::1]:8080/api/321/envelope/"),
        ])
    func url(_ text: String, _ expected: String) throws {
        #expect(try DSN(text).envelopeURL == expected)
    }

    @Test(
        "cases 14, 15: the organisation is read from Sentry's own hosts only",
        arguments: [
            ("o123.ingest.sentry.io", "123"), ("o123.ingest.us.sentry.io", "123"), ("o1.ingest.de.sentry.io", "1"),
            ("localhost", nil), ("oabc.ingest.sentry.io", nil), ("o.ingest.sentry.io", nil), ("o12a.ingest.sentry.io", nil),
            ("123.ingest.sentry.io", nil), ("o123.sentry.io", nil), ("o123.ingest", nil),
        ])
    func organization(_ host: String, _ expected: String?) throws {
        #expect(try DSN("https://abc@\(host)/1").organizationID == expected)
    }

    @Test("case 16: the option's organisation wins over that of the DSN, in the settings and in what leaves")
    func organizationOption() async throws {
        let environment: Environment = ["SENTRY_DSN": "https://abc@o123.ingest.sentry.io/1"]
        #expect(SentrySettings(ReportOptions(), environment).organizationID == "123")
        #expect(SentrySettings(ReportOptions { $0.organizationID = "7" }, environment).organizationID == "7")
        let test = TestClient { $0.organizationID = "7" }
        test.capture(test.message("x"))
        #expect(try await test.flush().first?.header["trace"]?["org_id"]?.text == "7")
    }

    @Test("case 18: a tunnel is used as it is given, without authentication, and the envelope header has the DSN")
    func tunnel() async throws {
        let tunnel = MockIngest()
        defer { tunnel.stop() }
        let test = TestClient(["SENTRY_DSN": "https://abc:xyz@sentry.invalid/321"]) {
            $0.tunnel = "http://127.0.0.1:\(tunnel.port)/some/where?a=1&b="
        }
        test.capture(test.message("x"))
        #expect(try await test.flush().isEmpty)
        let message = try #require(tunnel.requests.first?.message)
        #expect(message.target == "/some/where?a=1&b=")
        #expect(message["x-sentry-auth"] == nil)
        #expect(try EnvelopeView(message.body).header["dsn"]?.text == "https://abc:xyz@sentry.invalid/321")
    }

    @Test("case 18: through a tunnel, logs and reports of losses by themselves have the DSN too")
    func tunnelledLogs() async throws {
        let test = TestClient { $0.beforeSend = { _ in nil } }
        let tunnelled = TestClient(["SENTRY_DSN": "https://abc:xyz@sentry.invalid/321"]) {
            $0.tunnel = "http://127.0.0.1:\(test.ingest.port)/"
            $0.beforeSend = { _ in nil }
        }
        tunnelled.client.delivery?.submit(
            LogBuffer.Entry(Array("{}".utf8), ledger: tunnelled.box.ledger))
        try await tunnelled.flush()
        tunnelled.capture(tunnelled.message("dropped"))
        try await tunnelled.flush()
        let envelopes = try test.ingest.envelopes()
        #expect(envelopes.map(\.types) == [["log"], ["client_report"]])
        #expect(envelopes.allSatisfy { $0.header["dsn"]?.text == "https://abc:xyz@sentry.invalid/321" })
    }

    @Test("cases 19, 21: a request has the protocol's version, the client, the key and the secret, and names the SDK")
    func authorization() async throws {
        let ingest = MockIngest()
        defer { ingest.stop() }
        let test = TestClient(["SENTRY_DSN": "http://public:secret@127.0.0.1:\(ingest.port)/some/42"])
        test.capture(test.message("x"))
        try await test.flush()
        let message = try #require(ingest.requests.first?.message)
        #expect(message.firstLine == "POST /some/api/42/envelope/ HTTP/1.1")
        let header = try #require(message["x-sentry-auth"])
        #expect(header.hasPrefix("Sentry "))
        let pairs = header.dropFirst("Sentry ".count).split(separator: ",").map {
            $0.trimmingCharacters(in: .whitespaces).split(separator: "=", maxSplits: 1).map(String.init)
        }
        let fields = Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) })
        let agent = "\(SDK.current.name)/\(SDK.current.version)"
        #expect(
            fields == [
                "sentry_version": "7", "sentry_client": agent, "sentry_key": "public", "sentry_secret": "secret",
            ])
        #expect(message["user-agent"] == agent)
        #expect(message["content-type"] == "application/x-sentry-envelope")
        #expect(message["content-length"] == String(message.body.count))
        #expect(message["expect"] == nil)
        #expect(message["transfer-encoding"] == nil)
        #expect(
            try DSN("http://public@h/1").authorization() == "Sentry sentry_version=7, sentry_client=\(agent), sentry_key=public"
        )
    }

    @Test(
        "case 20: without a DSN, or with an empty one, captures return an id, nothing is sent and nothing is logged",
        arguments: [nil, "", "  "])
    func none(_ dsn: String?) {
        let records = LogRecords()
        let client = SentryClient(
            ReportOptions(), ReportingProcess(environment: dsn.map { ["SENTRY_DSN": $0] } ?? [:], logger: records.logger))
        let box = ReportingScope()
        let id = client.capture(ReportEvent(level: .error), box.scope, box)
        #expect(id.count == 32)
        #expect(box.lastEventID == id)
        #expect(client.delivery == nil)
        #expect(box.ledger.now == ReportLedger())
        #expect(records.texts.isEmpty)
    }

    @Test("case 20: an empty DSN in code switches reports off whatever the environment says")
    func emptyOption() {
        let settings = SentrySettings(ReportOptions { $0.dsn = "" }, ["SENTRY_DSN": "https://abc@sentry.io/1"])
        #expect(settings.dsn == nil)
        #expect(settings.dsnProblem == nil)
    }
}
