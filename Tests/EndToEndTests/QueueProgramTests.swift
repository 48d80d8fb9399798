import Foundation
import SluiceTestSupport
import Testing

/// The example that reports, with a queue's batch by hand: freeze on.
@Suite(.serialized) struct QueueProgramTests {
    private static let path = "/2015-03-31/functions/reporting/invocations"

    private func batch(_ numbers: ClosedRange<Int>, poisoned: Set<Int>) -> String {
        let records = numbers.map { number in
            let body =
                poisoned.contains(number)
                ? "{\\\"item\\\":\\\"p\(number)\\\",\\\"quantity\\\":0}" : "{\\\"item\\\":\\\"t\\\",\\\"quantity\\\":1}"
            return
                "{\"messageId\":\"m\(number)\",\"eventSource\":\"aws:sqs\",\"eventSourceARN\":\"arn:aws:sqs:eu-west-1:1:q\",\"body\":\"\(body)\"}"
        }
        return "{\"Records\":[\(records.joined(separator: ","))]}"
    }

    @Test(
        "ten messages, three of them poisoned: these are named, and their three reports are there before the reply, in every mode",
        arguments: ["buffered", "response_stream"])
    func poisoned(_ mode: String) throws {
        let local = try #require(try LocalProgram("Reporting", mode: mode))
        for round in 0..<2 {
            let body = batch(1...10, poisoned: [2, 5, 9])
            let request =
                "POST \(Self.path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            let response = try #require(local.send(request))
            #expect(response.status == 200)
            let json = try #require(JSONView(response.body))
            let failures = try #require(json["batchItemFailures"])
            #expect((0..<4).compactMap { failures[$0]?["itemIdentifier"]?.text } == ["m2", "m5", "m9"])
            let told = Program.observe { () -> [String]? in
                let lines = local.program.console.filter { $0.contains("report  ") && $0.contains("OutOfStock") }
                return lines.count >= 3 * (round + 1) ? lines : nil
            }
            #expect(told?.count == 3 * (round + 1), "\(local.program.console)")
        }
        let records = local.records("ERROR")
        #expect(records.count == 6)
        #expect(Set(records.compactMap { $0["metadata"]?["record_id"]?.text }) == ["m2", "m5", "m9"])
        #expect(records.allSatisfy { $0["metadata"]?["outcome"]?.text == "event_error" })
        #expect(!local.program.errors.contains { $0.contains("REPORT LOST") })
    }

    @Test("what is no JSON never reaches the app, and an event without a handler is a failure of the function")
    func bad() throws {
        let local = try #require(try LocalProgram("Reporting"))
        func post(_ body: String) -> WireMessage? {
            local.send("POST \(Self.path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        #expect(post("{")?.status == 400)
        let failed = try #require(post("{\"a\":1}"))
        #expect(failed.status == 200)
        #expect(failed["x-amz-function-error"] == "Unhandled")
        #expect(JSONView(failed.body)?["errorType"]?.text == "EventError")
        #expect(local.get("/fine")?.status == 200)
    }
}
