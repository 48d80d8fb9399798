import Foundation
import SluiceTestSupport
import Synchronization
import Testing

@testable import Sluice
@testable import SluiceCore

/// What the closure of `LambdaApp.run` throws: making the app is part of start-up.
@Suite struct StartUpTests {
    struct Missing: Error, CustomStringConvertible {
        let variable: String
        var description: String { "\(variable) is not set" }
    }

    /// Serves as `LambdaApp.run` does, against a Runtime API that has an event, which nobody must ask for.
    private func start(
        _ makeApp: @Sendable () async throws -> LambdaApp
    ) async -> (end: Server.End, api: MockRuntimeAPI, reporter: RecordingReporter) {
        let api = MockRuntimeAPI([.init(eventJSON())])
        let reporter = RecordingReporter()
        let environment = ["AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(api.port)"]
        let end = await Server.serve(environment, bootstrapsLogging: false, reporter: reporter, makeApp)
        api.stop()
        return (end, api, reporter)
    }

    @Test("what the closure throws is an init/error and one record, flushed before Lambda is told; nothing is asked for")
    func throwsAtOnce() async throws {
        let (end, api, reporter) = await start { throw Missing(variable: "DATABASE_URL") }
        #expect(end == .failed)
        try #require(api.messages.map(\.target) == ["/2018-06-01/runtime/init/error"])
        #expect(api.messages[0]["Lambda-Runtime-Function-Error-Type"] == "Runtime.Missing")
        let document = try #require(JSONView(api.messages[0].body))
        #expect(document["errorType"]?.text == "Missing")
        #expect(document["errorMessage"]?.text == "DATABASE_URL is not set")
        let records = reporter.records.values
        #expect(records.map(\.outcome) == [.startUp])
        #expect((records.first?.error as? Missing)?.variable == "DATABASE_URL")
        #expect(reporter.steps.values == ["capture", "flush"])
    }

    @Test(
        "so is what it throws later: after it has waited, in its list, in a task of its own, as a cancellation",
        arguments: 0..<4)
    func throwsLater(_ way: Int) async throws {
        @Sendable func settings() throws -> RequestID { throw Missing(variable: "SECRET") }
        let (end, api, reporter) = await start {
            switch way {
            case 0:
                await Task.yield()
                throw Missing(variable: "SECRET")
            case 1:
                return try LambdaApp {
                    try settings()
                    Router()
                }
            case 2: return try await Task { () -> LambdaApp in throw Missing(variable: "SECRET") }.value
            default: throw CancellationError()
            }
        }
        #expect(end == .failed)
        #expect(api.messages.map(\.target) == ["/2018-06-01/runtime/init/error"])
        #expect(reporter.records.values.map(\.outcome) == [.startUp])
        #expect(reporter.records.values.first?.error is Missing == (way != 3))
    }

    @Test("an HTTPError there tells Lambda what is meant for clients, and the record the rest")
    func publicMessage() async throws {
        let (_, api, reporter) = await start { throw HTTPError(.badGateway, "no stock", detail: "password hunter2") }
        let text = try #require(api.messages.first).text
        #expect(text.contains("no stock") && !text.contains("hunter2"))
        #expect((reporter.records.values.first?.error as? HTTPError)?.detail == "password hunter2")
    }

    @Test("a closure that has made its app is called once, before anything is asked for")
    func order() async throws {
        let steps = Collected<String>()
        let api = MockRuntimeAPI([.init(eventJSON(path: "/a"))]) { _ in
            steps.add("reply")
            return .status(202)
        }
        let environment = ["AWS_LAMBDA_RUNTIME_API": "127.0.0.1:\(api.port)"]
        _ = await Server.serve(environment, bootstrapsLogging: false, reporter: RecordingReporter()) {
            steps.add("made, \(api.messages.count) asked")
            return app { _ in .text("x") }
        }
        api.stop()
        #expect(steps.values == ["made, 0 asked", "reply"])
    }
}
