import Foundation
import SluiceTestSupport
import Testing

/// Rows of the table that a browser cannot cause: a built example as a real process, against a Runtime API of raw sockets.
@Suite(.serialized) struct AgainstRuntimeAPITests {
    private let fine = "{\"version\":\"2.0\",\"rawPath\":\"/fine\",\"requestContext\":{\"http\":{\"method\":\"GET\"}}}"

    private func run(
        _ events: [MockRuntimeAPI.Event], mode: String, _ environment: [String: String] = [:],
        verdict: @escaping @Sendable (Int) -> MockRuntimeAPI.Verdict = { _ in .status(202) }
    ) async throws -> (api: MockRuntimeAPI, records: [JSONView], status: Int32) {
        let api = MockRuntimeAPI(events, verdict: verdict)
        var environment = environment
        environment["AWS_LAMBDA_RUNTIME_API"] = "127.0.0.1:\(api.port)"
        environment["AWS_LWA_INVOKE_MODE"] = mode
        environment["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        let program = try Program("Failures", environment)
        let status = await program.end()
        // The mock's last answer to `next` ends the process, with a FATAL record of its own: the last line there is.
        let startFails = environment["SLUICE_EMPTY_STREAM"] != nil || environment["FAILURES_START"] != nil
        _ = startFails ? program.errorLine(containing: "start_up") : program.errorLine(containing: "FATAL")
        api.stop()
        let records = program.errors.compactMap { JSONView(Array($0.utf8)) }.filter { $0["level"]?.text != "FATAL" }
        return (api, records, status)
    }

    @Test(
        "an event that is HTTP but unusable: 400, one WARN; one that is not HTTP: /error, one ERROR; then the next",
        arguments: ["buffered", "response_stream"])
    func badEvents(_ mode: String) async throws {
        let bad =
            "{\"version\":\"2.0\",\"rawPath\":\"/\",\"headers\":{\"a b\":\"c\"},\"requestContext\":{\"http\":{\"method\":\"GET\"}}}"
        let (api, records, status) = try await run(
            [.init(bad, id: "a"), .init("{\"Records\":[]}", id: "b"), .init(fine, id: "c")], mode: mode)
        #expect(
            api.posts.map(\.target) == ["a/response", "b/error", "c/response"].map { "/2018-06-01/runtime/invocation/\($0)" })
        #expect(api.posts[0].text.contains("\"statusCode\":400"))
        #expect(api.posts[2].text.contains("fine"))
        #expect(records.compactMap { $0["level"]?.text } == ["WARN", "ERROR"])
        #expect(records.compactMap { $0["requestId"]?.text } == ["a", "b"])
        #expect(records.compactMap { $0["metadata"]?["outcome"]?.text } == ["bad_event", "bad_event"])
        #expect(status == 1)
    }

    @Test(
        "a refused answer is one ERROR record, and the loop goes on", arguments: [413, 400, 403],
        ["buffered", "response_stream"])
    func refused(_ code: Int, mode: String) async throws {
        let (api, records, _) = try await run([.init(fine, id: "a"), .init(fine, id: "b")], mode: mode) {
            .status($0 == 0 ? code : 202)
        }
        #expect(api.posts.count == 2)
        #expect(records.compactMap { $0["metadata"]?["outcome"]?.text } == ["reply_refused"])
        #expect(records.first?["metadata"]?["status"]?.text == "\(code)")
        #expect(records.first?["metadata"]?["path"]?.text == "/fine")
        #expect(records.first?["metadata"]?["method"]?.text == "GET")
    }

    @Test("a Runtime API that stops reading a stream: one ERROR record; the process ends by the table, as the API is gone")
    func brokenPipe() async throws {
        let event = fine.replacingOccurrences(of: "/fine", with: "/stream/third")
        let (_, records, status) = try await run([.init(event)], mode: "response_stream") { _ in .reset }
        #expect(records.count == 1)
        #expect(records.first?["metadata"]?["path"]?.text == "/stream/third")
        #expect(status == 1)
    }

    @Test("the level of the log is the environment's")
    func logLevel() async throws {
        let (_, records, _) = try await run(
            [.init(fine.replacingOccurrences(of: "/fine", with: "/throw")), .init("{}")], mode: "strange",
            ["AWS_LAMBDA_LOG_LEVEL": "error"])
        #expect(records.allSatisfy { $0["level"]?.text == "ERROR" })
        #expect(records.count == 2)
    }

    @Test("a listed status goes to /error with one record", arguments: ["buffered", "response_stream"])
    func listedStatus(_ mode: String) async throws {
        let event = fine.replacingOccurrences(of: "/fine", with: "/returned")
        let (api, records, _) = try await run([.init(event)], mode: mode, ["AWS_LWA_ERROR_STATUS_CODES": "500-599"])
        #expect(api.posts.map(\.target) == ["/2018-06-01/runtime/invocation/req-1/error"])
        #expect(api.posts.first?["Lambda-Runtime-Function-Error-Type"] == "Function.ErrorStatus")
        #expect(records.count == 1)
    }

    @Test("start-up that fails: init/error before any `next`, one ERROR record, exit status 1")
    func startUp() async throws {
        let (api, records, status) = try await run([.init(fine)], mode: "buffered", ["SLUICE_EMPTY_STREAM": "perhaps"])
        #expect(api.messages.map(\.target) == ["/2018-06-01/runtime/init/error"])
        #expect(api.messages.first?["Lambda-Runtime-Function-Error-Type"] == "Runtime.SettingsError")
        #expect(
            JSONView(try #require(api.messages.first).body)?["errorMessage"]?.text?.hasPrefix("SLUICE_EMPTY_STREAM") == true)
        #expect(records.compactMap { $0["metadata"]?["outcome"]?.text } == ["start_up"])
        #expect(status == 1)
    }

    @Test("what the making of the app throws is told as well, and is no trap: init/error, one ERROR record, exit status 1")
    func makingThrows() async throws {
        let (api, records, status) = try await run([.init(fine)], mode: "buffered", ["FAILURES_START": "throw"])
        #expect(api.messages.map(\.target) == ["/2018-06-01/runtime/init/error"])
        #expect(api.messages.first?["Lambda-Runtime-Function-Error-Type"] == "Runtime.OutOfStock")
        let message = JSONView(try #require(api.messages.first).body)?["errorMessage"]?.text
        #expect(message == "OutOfStock(item: \"coffee\")")
        #expect(records.compactMap { $0["metadata"]?["outcome"]?.text } == ["start_up"])
        #expect(status == 1)
    }

    @Test(
        "of a handler that blocks its thread, exactly one answer leaves, though two could have written it",
        arguments: ["buffered", "response_stream"])
    func oneAnswer(_ mode: String) async throws {
        var event = MockRuntimeAPI.Event(fine.replacingOccurrences(of: "/fine", with: "/block"))
        event.timeout = 2500
        let api = MockRuntimeAPI([event])
        let program = try Program("Failures", ["AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(api.port)", "AWS_LWA_INVOKE_MODE": mode])
        #expect(await program.end() == 1)
        #expect(api.posts.count == 1)
        #expect(api.posts.first?.text.contains("504") == true)
        api.stop()
    }
}
