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
        for _ in 0..<100 {
            let response = try #require(local.get("/fine"))
            #expect(response.status == 200)
            ids.append(try #require(response["x-amzn-requestid"]))
        }
        let message = "platform counted an error that the app did not see"
        func told() -> [JSONView] { local.records("WARN").filter { $0["message"]?.text == message } }
        func reports() -> [String] { local.program.console.filter { $0.contains(message) } }
        // What comes while the process is frozen is heard in the next invocation. Fewer than ten of those: no lie more.
        for _ in 0..<9 where told().count < 10 || reports().count < 10 { #expect(local.get("/fine")?.status == 200) }
        _ = Program.observe { told().count >= 10 && reports().count >= 10 ? true : nil }
        #expect(told().count == 10)
        #expect(reports().count == 10, "\(reports())")
        let lied = stride(from: 9, to: 100, by: 10).map { ids[$0] }
        #expect(Set(told().compactMap { $0["requestId"]?.text }) == Set(lied))
        for record in told() {
            #expect(record["metadata"]?["platformStatus"]?.text == "error")
            #expect(record["metadata"]?["platformErrorType"]?.text == "Runtime.Unknown")
            #expect(record["metadata"]?["status"]?.text == "200")
            #expect(record["metadata"]?["bytes"]?.text == "4")
            #expect(record["metadata"]?["responseLatencyMs"] != nil)
        }
        for id in lied { #expect(reports().filter { $0.contains(id) }.count == 1) }
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
