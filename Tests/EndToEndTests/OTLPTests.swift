import Foundation
import SluiceTestSupport
import Testing

/// Log records as OpenTelemetry's own definitions read them: the Python package `opentelemetry-proto`, which shares no code with ours.
@Suite(
    .serialized,
    .enabled(if: Oracles.areThere, "no .build-oracles: scripts/setup makes it where Python and its package index are there"))
struct OTLPTests {
    private func records(_ ingest: MockIngest) throws -> [JSONView] {
        try Oracles.read(ingest.requests.map { String(decoding: $0.message.body, as: UTF8.self) }, by: "otlp.py")
    }

    @Test(
        "each kind of failure is a record that OpenTelemetry's definitions read, with its conventions",
        arguments: ["buffered", "response_stream"])
    func records(_ mode: String) throws {
        let ingest = MockIngest()
        defer { ingest.stop() }
        let spool = TemporaryFolder()
        let local = try #require(
            try LocalProgram(
                "Reporting", mode: mode, in: spool,
                [
                    "SENTRY_DSN": "", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:\(ingest.port)",
                    "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%20key", "OTEL_SERVICE_NAME": "shop", "SLUICE_LOCAL_TIMEOUT": "4",
                ]))
        let trace = "0af7651916cd43dd8448eb211c80319c"
        for route in ["/fail?n=1&plan=gold&token=geheim", "/chain", "/stream/fail?n=2", "/message"] {
            _ = local.send(
                "GET \(route) HTTP/1.1\r\nHost: local\r\nCookie: session=geheim\r\nAuthorization: Bearer geheim\r\n"
                    + "traceparent: 00-\(trace)-b7ad6b7169203331-01\r\nUser-Agent: me\r\nConnection: close\r\n\r\n")
        }
        #expect(ingest.requests.map { $0.message.target } == Array(repeating: "/v1/logs", count: 4))
        #expect(ingest.requests.allSatisfy { $0.message["x-key"] == "a key" })
        #expect(ingest.requests.allSatisfy { $0.message["content-type"] == "application/json" })
        #expect(!ingest.requests.contains { String(decoding: $0.message.body, as: UTF8.self).contains("geheim") })

        let records = try records(ingest)
        try #require(records.count == 4)
        let (fail, chain, stream, message) = (records[0], records[1], records[2], records[3])
        for record in records {
            #expect(record["resource"]?["service.name"]?.text == "shop")
            #expect(record["resource"]?["faas.name"]?.text == "Reporting")
            #expect(record["resource"]?["cloud.platform"]?.text == "aws_lambda")
            #expect(record["resource"]?["faas.max_memory"]?.number == 128 << 20)
            #expect(record["attributes"]?["faas.invocation_id"]?.text?.isEmpty == false)
            #expect(record["attributes"]?["http.request.method"]?.text == "GET")
            #expect(record["attributes"]?["user_agent.original"]?.text == "me")
            #expect(record["trace"]?.text == trace)
            #expect(record["span"]?.text?.count == 16)
        }
        #expect(Set(records.compactMap { $0["attributes"]?["log.record.uid"]?.text }).count == 4)
        #expect(fail["severity"]?.number == 17)
        #expect(fail["text"]?.text == "ERROR")
        #expect(fail["event"]?.text == "exception")
        #expect(fail["attributes"]?["exception.type"]?.text == "Reporting.OutOfStock")
        #expect(fail["attributes"]?["exception.message"]?.text == #"OutOfStock(item: "n=1 ")"#)
        let stack = try #require(fail["attributes"]?["exception.stacktrace"]?.text)
        #expect(stack.contains("(Reporting.swift:"))
        #expect(fail["attributes"]?["http.response.status_code"]?.number == 500)
        #expect(fail["attributes"]?["http.route"]?.text == "/fail")
        #expect(fail["attributes"]?["plan"]?.text == "gold")
        #expect(fail["attributes"]?["user.id"]?.text == "anonymous")
        #expect(fail["attributes"]?["url.query"]?.text == "n=1&plan=gold&token=[Filtered]")
        let trail = fail["attributes"]?["breadcrumbs"]?.elements?.compactMap { $0["message"]?.text }
        #expect(trail == ["looking for it", "GET /fail 500"])
        #expect(chain["attributes"]?["exception.stacktrace"]?.text?.contains("caused by OutOfStock: ") == true)
        #expect(stream["attributes"]?["outcome"]?.text == (mode == "buffered" ? "handler_error" : "stream_cut"))
        #expect(message["severity"]?.number == 13)
        #expect(message["body"]?.text == "the cache is cold")
        #expect(message["attributes"]?["cache.hits"]?.number == 3)
        #expect(message["attributes"]?["cache.ratio"]?.value as? Double == 0.25)
        #expect(message["attributes"]?["cache.keys"]?.texts == ["tea", "milk"])
    }
}
