import Foundation
import SluiceTestSupport
import Testing

/// Reports as servers see them that are not ours: bugsink stores them, Relay's normaliser finds nothing to change.
@Suite(
    .serialized,
    .enabled(if: Oracles.areThere, "no .build-oracles: scripts/setup makes it where Python and its package index are there"))
struct OracleTests {
    struct Server: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let mode: String
        var testDescription: String { arguments.joined(separator: " ") + ", " + mode }
    }

    static let servers = [
        Server(arguments: ["--worker", "sync"], mode: "buffered"),
        Server(arguments: ["--worker", "gthread", "--threads", "4", "--keep-alive", "5"], mode: "response_stream"),
    ]

    private func app(
        _ dsn: String, mode: String = "buffered", program: String = "Reporting", spool: TemporaryFolder = TemporaryFolder(),
        _ more: [String: String] = [:]
    ) throws -> LocalProgram? {
        let environment = ["SENTRY_DSN": dsn, "SLUICE_LOCAL_TIMEOUT": "4"].merging(more) { $1 }
        return try LocalProgram(program, mode: mode, in: spool, environment)
    }

    @Test("every kind of event is a row in bugsink, strict, and passes Relay's normaliser unchanged", arguments: servers)
    func rows(_ server: Server) throws {
        let bugsink = try #require(try Bugsink(server.arguments))
        let local = try #require(try app(bugsink.dsn(), mode: server.mode))
        for route in [
            "/fail?n=1&plan=gold&token=geheim", "/chain", "/stream/fail?n=2", "/story/freeze", "/story/freeze", "/story/scopes",
            "/story/silent", "/story/timeout", "/message",
        ] {
            _ = local.send(
                "GET \(route) HTTP/1.1\r\nHost: local\r\nCookie: session=geheim; theme=dark\r\nAuthorization: Bearer geheim\r\n"
                    + "X-Api-Key: geheim\r\nConnection: close\r\n\r\n")
        }
        let events = try #require(bugsink.events(11))
        #expect(events.count == 11)
        #expect(Set(events.compactMap { $0["event_id"]?.text }).count == 11)
        let values = events.compactMap { $0["value"]?.text }
        for expected in ["n=1 ", "n=2 ", "order: 7", "child 1", "child 2", "child 3", "after the thaw"] {
            #expect(values.contains { $0.contains(expected) }, "\(expected) in \(values)")
        }
        let fail = try #require(events.first { $0["value"]?.text?.contains("n=1 ") == true })
        #expect(fail["tags"]?["plan"]?.text == "gold")
        let data = try #require(fail["data"])
        let frames = try #require(data["exception"]?["values"]?.elements?.last?["stacktrace"]?["frames"]?.elements)
        #expect(frames.last?["filename"]?.text == "Reporting.swift")
        #expect(frames.last?["in_app"]?.flag == true)

        let envelopes = bugsink.envelopes
        #expect(!envelopes.contains { $0.contains("geheim") })
        let verdicts = try Oracles.normalized(envelopes)
        #expect(verdicts.count == 11)
        for verdict in verdicts {
            #expect(verdict["errors"]?.count == 0, "\(verdict)")
            #expect(verdict["meta"]?.isNull == true, "\(verdict)")
            #expect(verdict["platform"]?.text == "native")
            #expect(verdict["stripped"]?.flag == false, "\(verdict)")
        }
    }

    @Test(
        "transactions pass Relay's normaliser unchanged, those of no time at all included",
        arguments: ["buffered", "response_stream"])
    func transactions(_ mode: String) throws {
        let ingest = MockIngest()
        defer { ingest.stop() }
        let local = try #require(try app(ingest.dsn, mode: mode, ["SENTRY_TRACES_SAMPLE_RATE": "1", "no_proxy": "*"]))
        let routes =
            Array(repeating: "/fine", count: 20) + ["/fail?n=1&token=geheim", "/chain", "/stream/fail?n=2", "/story/scopes"]
        for route in routes {
            _ = local.send(
                "GET \(route) HTTP/1.1\r\nHost: local\r\nCookie: session=geheim\r\nAuthorization: Bearer geheim\r\nConnection: close\r\n\r\n"
            )
        }
        let sent = try ingest.envelopes().flatMap(\.items).filter { $0.type == "transaction" }.map(\.text)
        // The local Lambda asks for nothing itself.
        #expect(sent.count == routes.count)
        #expect(!sent.contains { $0.contains("geheim") || $0.contains("127.0.0.1") })
        let verdicts = try Oracles.normalized(sent)
        #expect(verdicts.count == routes.count)
        for verdict in verdicts {
            #expect(verdict["errors"]?.count == 0, "\(verdict)")
            #expect(verdict["meta"]?.isNull == true, "\(verdict)")
            #expect(verdict["stripped"]?.flag == false, "\(verdict)")
        }
    }

    @Test("a stripped binary's report has addresses and images, and passes both")
    func stripped() throws {
        let folder = TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let path = folder.path + "/Reporting"
        let strip = try Program(
            "/bin/sh",
            arguments: ["-c", "cp '\(Program.path(of: "Reporting"))' '\(path)' && strip --strip-all '\(path)'; echo END $?"],
            [:])
        #expect(strip.line(containing: "END") == "END 0")
        let bugsink = try #require(try Bugsink(["--worker", "sync"]))
        let local = try #require(try app(bugsink.dsn(), program: path))
        #expect(local.get("/fail?n=3")?.status == 500)
        let event = try #require(bugsink.events(1)?.first?["data"])
        let frames = try #require(event["exception"]?["values"]?.elements?.last?["stacktrace"]?["frames"]?.elements)
        #expect(frames.count > 3)
        #expect(frames.allSatisfy { $0["instruction_addr"]?.text?.hasPrefix("0x") == true })
        let image = try #require(event["debug_meta"]?["images"]?.elements?.first)
        #expect(image["code_file"]?.text == path)
        #expect(image["debug_id"]?.text?.count == 36)
        let verdict = try #require(try Oracles.normalized(bugsink.envelopes).first)
        #expect(verdict["errors"]?.count == 0, "\(verdict)")
        #expect(verdict["meta"]?.isNull == true, "\(verdict)")
    }

    @Test("TLS: accepted with the test's own authority, refused without; then the report waits in the spool")
    func tls() throws {
        let (authority, spool) = (TemporaryFolder(), TemporaryFolder())
        defer { withExtendedLifetime(authority) {} }
        let folder = authority.path
        let script = """
            cd '\(folder)' && openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj '/CN=Test CA' \
            && openssl req -newkey rsa:2048 -nodes -keyout key.pem -out req.pem -subj '/CN=localhost' \
            && printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' > ext \
            && openssl x509 -req -in req.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 2 -extfile ext
            echo END $?
            """
        let maker = try Program("/bin/sh", arguments: ["-c", script], [:])
        #expect(maker.line(containing: "END") == "END 0", "\(maker.errors)")
        let bugsink = try #require(
            try Bugsink(["--worker", "sync", "--certfile", folder + "/cert.pem", "--keyfile", folder + "/key.pem"]))
        do {
            let local = try #require(try app(bugsink.dsn(scheme: "https", host: "localhost"), spool: spool))
            #expect(local.get("/fail?n=1")?.status == 500)
            #expect(local.program.errorLine(containing: "reports do not get through") != nil)
            #expect(local.program.errorLine(containing: "1 spooled") != nil)
        }
        let trusted = ["SSL_CERT_FILE": folder + "/ca.pem"]
        let local = try #require(try app(bugsink.dsn(scheme: "https", host: "localhost"), spool: spool, trusted))
        #expect(local.get("/fail?n=2")?.status == 500)
        let values = try #require(bugsink.events(2)).compactMap { $0["value"]?.text }
        #expect(values.count == 2)
        #expect(values.contains { $0.contains("n=1 ") } && values.contains { $0.contains("n=2 ") })
    }

    @Test("a wrong key: refused with 403, said once, and the answer is unchanged")
    func wrongKey() throws {
        let bugsink = try #require(try Bugsink(["--worker", "sync"]))
        let local = try #require(try app(bugsink.dsn(key: "ffffffffffffffffffffffffffffffff")))
        #expect(local.get("/fail?n=1")?.status == 500)
        #expect(local.get("/fail?n=2")?.status == 500)
        #expect(local.program.errorLine(containing: "2 refused (403)") != nil)
        #expect(local.program.errors.filter { $0.contains("the error tracker refused a report with 403") }.count == 1)
        #expect(try #require(bugsink.events(0)).isEmpty)
    }
}
