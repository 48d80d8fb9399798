import SluiceTestSupport
import Testing

@testable import SluiceReporting

/// What needs the process's one client: these tests run one after the other, and never while another suite has it.
@Suite(.serialized) struct ReportFacadeTests {
    private struct Failure: Error {}
    private struct TypedFailure: Error, Equatable { var number: Int }

    /// Runs `body` as one request, with reports going to a server of the test's own, and returns the events that came.
    private func request(_ body: (SentryReporter) async throws -> Void) async throws -> [JSONView] {
        try await withReports { ingest, logger in
            try await InvocationScope.$current.withValue(InvocationScope(requestID: "r")) {
                try await body(SentryReporter(logger))
                let ledger = await Reports.flush(within: .seconds(20))
                #expect(ledger.isDelivered)
            }
            return try ingest.events()
        }
    }

    @Test("case 37: an error that is captured by hand is of level error, generic and handled, and has its id at once")
    func error() async throws {
        var id: String?
        let events = try await request { _ in id = Reports.capture(Failure()) }
        #expect(events.count == 1)
        #expect(events.first?["event_id"]?.text == id)
        #expect(events.first?["level"]?.text == "error")
        let exception = events.first?["exception"]?["values"]?[0]
        #expect(exception?["value"]?.text == "Failure()")
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
            let error: any Error = Failure()
            let first = Reports.capture(error)
            let second = Reports.capture(error)
            reporter.record(FailureRecord(.handlerError, "failed", error: error))
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
                    reporter.record(FailureRecord(.handlerError, "failed", error: error))
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
        let events = try await request { $0.record(FailureRecord(.handlerError, "failed", error: Failure(), status: 500)) }
        #expect(events.count == 1)
        #expect(events.first?["level"]?.text == "error")
        let mechanism = events.first?["exception"]?["values"]?[0]?["mechanism"]
        #expect(mechanism?["type"]?.text == "auto.http.lambda")
        #expect(mechanism?["handled"]?.flag == false)
        #expect(events.first?["tags"]?["outcome"]?.text == "handler_error")
        #expect(events.first?["contexts"]?["response"]?["status_code"]?.number == 500)
    }

    @Test("case 20: with no client started, everything can be called and nothing happens")
    func off() async {
        await Turnstile.reports.alone {
            Reports.stop()
            await InvocationScope.$current.withValue(InvocationScope(requestID: "r")) {
                #expect(Reports.capture(Failure()) == nil)
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
