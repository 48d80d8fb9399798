import Logging
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

/// What needs the process's one client: these tests run one after the other, and never while another suite has it.
@Suite(.serialized) struct ReportFacadeTests {
    private struct Broken: Error {}
    private struct TypedFailure: Error, Equatable { var number: Int }

    /// Runs `body` as one request, with reports going to a server of the test's own, and returns the events that came.
    private func request(
        options change: (inout ReportOptions) -> Void = { _ in }, _ body: (Reporters) async throws -> Void
    ) async throws -> [JSONView] {
        try await withReports(change) { ingest, reporters in
            try await InvocationScope.$current.withValue(InvocationScope(requestID: "r")) {
                try await body(reporters)
                let ledger = await Reports.flush(within: .seconds(20))
                #expect(ledger.isDelivered)
            }
            return try ingest.events()
        }
    }

    @Test("case 37: an error that is captured by hand is of level error, generic and handled, and has its id at once")
    func error() async throws {
        var id: String?
        let events = try await request { _ in id = Reports.capture(Broken()) }
        #expect(events.count == 1)
        #expect(events.first?["event_id"]?.text == id)
        #expect(events.first?["level"]?.text == "error")
        let exception = events.first?["exception"]?["values"]?[0]
        #expect(exception?["value"]?.text == "Broken()")
        #expect(exception?["mechanism"]?["type"]?.text == "generic")
        #expect(exception?["mechanism"]?["handled"]?.flag == true)
    }

    @Test("case 38: a message is of level info unless told otherwise")
    func message() async throws {
        let events = try await request { _ in
            Reports.capture("first")
            Reports.capture("second", level: .warning)
        }
        #expect(events.map { $0["logentry"]?["formatted"]?.text } == ["first", "second"])
        #expect(events.map { $0["level"]?.text } == ["info", "warning"])
    }

    @Test("case 58: an error that inner code captures and that then comes out of the request is one event, the inner one")
    func once() async throws {
        let events = try await request { reporter in
            let error: any Error = Broken()
            let first = Reports.capture(error)
            let second = Reports.capture(error)
            reporter.record(Failure(.handlerError, "failed", error: error))
            #expect(first != nil && second == nil)
            #expect(Reports.lastEventID == first)
        }
        #expect(events.count == 1)
        #expect(events.first?["exception"]?["values"]?[0]?["mechanism"]?["type"]?.text == "generic")
    }

    @Test("case 58: a typed throw, boxed anew by each layer, is one event; another value is another error")
    func typed() async throws {
        func fail(_ number: Int) throws(TypedFailure) { throw TypedFailure(number: number) }
        let events = try await request { reporter in
            for number in [1, 2] {
                do throws(TypedFailure) { try fail(number) } catch {
                    Reports.capture(error)
                    reporter.record(Failure(.handlerError, "failed", error: error))
                }
            }
        }
        #expect(
            events.map { $0["exception"]?["values"]?[0]?["value"]?.text } == [
                "TypedFailure(number: 1)", "TypedFailure(number: 2)",
            ])
    }

    @Test("case 37: what comes out of a request by itself is of level error and unhandled, with how the request ended")
    func unhandled() async throws {
        let events = try await request { $0.record(Failure(.handlerError, "failed", error: Broken(), status: 500)) }
        #expect(events.count == 1)
        #expect(events.first?["level"]?.text == "error")
        let mechanism = events.first?["exception"]?["values"]?[0]?["mechanism"]
        #expect(mechanism?["type"]?.text == "auto.http.lambda")
        #expect(mechanism?["handled"]?.flag == false)
        #expect(events.first?["tags"]?["outcome"]?.text == "handler_error")
        #expect(events.first?["contexts"]?["response"]?["status_code"]?.number == 500)
    }

    @Test("a report has the level of its record: a warning is no error", arguments: [true, false])
    func levels(_ isThrown: Bool) async throws {
        let events = try await request(options: { $0.lowestStatus = 400 }) { reporter in
            for (number, level) in [Logger.Level.warning, .error, .critical].enumerated() {
                let error = isThrown ? TypedFailure(number: number) : nil
                reporter.record(Failure(.handlerError, "failed", error: error, status: 422, level: level))
            }
        }
        #expect(events.map { $0["level"]?.text } == ["warning", "error", "fatal"])
    }

    @Test("an error that is captured by hand has what was known where it was thrown; what the catching code says comes first")
    func throwersScope() async throws {
        let events = try await request { _ in
            Reports.begin()
            Reports.setTag("whose", "request")
            do {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        Reports.setTag("whose", "child")
                        Reports.setTag("row", "7")
                        Reports.setUser(ReportUser(id: "42"))
                        throw Broken()
                    }
                    try await group.waitForAll()
                }
            } catch {
                Reports.setTag("whose", "catch")
                Reports.capture(error)
            }
        }
        try #require(events.count == 1)
        #expect(events[0]["tags"]?["row"]?.text == "7")
        #expect(events[0]["user"]?["id"]?.text == "42")
        #expect(events[0]["tags"]?["whose"]?.text == "catch")
    }

    @Test("a beforeBreadcrumb that adds breadcrumbs, by logging say, does not see those")
    func recursion() async throws {
        let calls = Collected<String>()
        let events = try await request(options: { options in
            options.beforeBreadcrumb = { breadcrumb in
                // An end to it, where there is none otherwise but that of the stack.
                calls.add(breadcrumb.message ?? "")
                if calls.values.count < 5 {
                    Logger(label: "app", factory: { ReportLogHandler(label: $0) }).warning("inner")
                }
                return breadcrumb
            }
        }) { _ in
            Reports.begin()
            Reports.addBreadcrumb("outer")
            Reports.capture("x")
        }
        #expect(calls.values == ["outer"])
        #expect(events.first?["breadcrumbs"]?["values"]?.elements?.map { $0["message"]?.text } == ["outer"])
    }

    @Test("case 20: with no client started, everything can be called and nothing happens")
    func off() async {
        await Turnstile.reports.alone {
            Reports.stop()
            await InvocationScope.$current.withValue(InvocationScope(requestID: "r")) {
                #expect(Reports.capture(Broken()) == nil)
                #expect(Reports.capture("x") == nil)
                Reports.addBreadcrumb("x")
                Reports.setTag("a", "b")
                #expect(await Reports.flush() == ReportLedger())
                #expect(Reports.traceHeaders.isEmpty)
                #expect(!Reports.isOn)
            }
        }
    }
}
