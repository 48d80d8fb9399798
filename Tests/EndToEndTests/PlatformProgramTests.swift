import Foundation
import SluiceTestSupport
import Testing

/// The example that reports, under a local Lambda that counts errors where there are none: freeze on.
@Suite(.serialized) struct PlatformProgramTests {
    @Test(
        "each error that only the platform counted is one WARN record and one report",
        arguments: ["buffered", "response_stream"])
    func lies(_ mode: String) throws {
        let local = try #require(try LocalProgram("Reporting", mode: mode, ["SLUICE_LOCAL_PLATFORM_ERROR": "1/10"]))
        var ids: [String] = []
        func call() throws {
            let response = try #require(local.get("/fine"))
            #expect(response.status == 200)
            ids.append(try #require(response["x-amzn-requestid"]))
        }
        for _ in 0..<100 { try call() }
        let lied = Set(stride(from: 9, to: 100, by: 10).map { ids[$0] })
        let message = "platform counted an error that the app did not see"
        func told() -> [JSONView] { local.records("WARN").filter { $0["message"]?.text == message } }
        func toldIDs() -> [String] { told().compactMap { $0["requestId"]?.text } }
        func reported() -> [String] {
            local.program.console.filter { $0.contains(message) }
                .compactMap { line in line.firstMatch(of: /request_id=([0-9a-f-]{36})/).map { String($0.1) } }
        }
        // What comes while the process is frozen is heard in a later invocation, and its report leaves after that one.
        let limit = Date().addingTimeInterval(20)
        while !(lied.isSubset(of: toldIDs()) && lied.isSubset(of: reported())), Date() < limit { try call() }
        #expect(toldIDs().filter { lied.contains($0) }.count == 10)
        #expect(reported().filter { lied.contains($0) }.count == 10)
        // Of all others, the ones behind the hundred included: every tenth, and each once.
        let all = Set(stride(from: 9, to: ids.count, by: 10).map { ids[$0] })
        for heard in [toldIDs(), reported()] {
            #expect(Set(heard).isSubset(of: all))
            #expect(Set(heard).count == heard.count)
        }
        for record in told() {
            #expect(record["metadata"]?["platformStatus"]?.text == "error")
            #expect(record["metadata"]?["platformErrorType"]?.text == "Runtime.Unknown")
            #expect(record["metadata"]?["status"]?.text == "200")
            #expect(record["metadata"]?["bytes"]?.text == "4")
            #expect(record["metadata"]?["responseLatencyMs"] != nil)
        }
        #expect(local.records().isEmpty)
        #expect(!local.program.errors.contains { $0.contains("REPORT LOST") })
    }

    @Test("without lies nothing is told, and an honest failure is not told twice")
    func honest() throws {
        let local = try #require(try LocalProgram("Reporting", mode: "response_stream"))
        for _ in 0..<10 {
            #expect(local.get("/stream/fail?n=1")?.status == 200)
            #expect(local.get("/fine")?.status == 200)
        }
        #expect(local.records("WARN").isEmpty, "\(local.records("WARN"))")
    }

    @Test(
        "where there are no extensions it is one WARN record, and the app runs",
        arguments: [
            "on-demand": "telemetry with 202", "lambda-managed-instances": "managed instances have no internal extensions",
        ])
    func refused(_ type: String, reason: String) async throws {
        let api = MockRuntimeAPI([])
        let program = try Program(
            "Reporting",
            [
                "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(api.port)", "AWS_LAMBDA_INITIALIZATION_TYPE": type,
                "AWS_LAMBDA_LOG_FORMAT": "JSON",
            ])
        #expect(await program.end() == 1)
        api.stop()
        #expect(program.errorLine(containing: "PlatformWatch hears nothing: ")?.contains(reason) == true)
        #expect(program.errors.filter { $0.contains("\"WARN\"") }.count == 1)
        #expect(api.messages.filter { $0.target.hasSuffix("/next") }.count == 1)
    }

    @Test("the line of each invocation is the app's, on standard output, and one object")
    func outcome() throws {
        let local = try #require(
            try LocalProgram(
                "Reporting", ["SLUICE_OUTCOME": "on", "SLUICE_METRICS": "emf", "SLUICE_METRICS_NAMESPACE": "Shop"]))
        #expect(local.get("/fine")?.status == 200)
        #expect(local.get("/fail?n=1")?.status == 500)
        #expect(local.program.line(containing: "\"outcome\":\"handler_error\"") != nil)
        let lines = local.program.console.compactMap { JSONView(Array($0.utf8)) }.filter {
            $0["type"]?.text == "sluice.outcome"
        }
        #expect(lines.compactMap { $0["outcome"]?.text } == ["ok", "handler_error"])
        #expect(lines.compactMap { $0["coldStart"]?.flag } == [true, false])
        #expect(lines.last?["reports"]?["captured"]?.number == 2)
        #expect(lines.last?["reports"]?["delivered"]?.number == 2)
        #expect(try #require(lines.last?["flushMs"]?.value as? Double) > 0)
        #expect(lines.last?["_aws"]?["CloudWatchMetrics"]?[0]?["Namespace"]?.text == "Shop")
    }
}
