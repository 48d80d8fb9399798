import Foundation
import Logging
import SluiceTestSupport
import Testing

@testable import Sluice
@testable import SluiceCore
@testable import SluiceReporting

extension GlobalReports {
    /// Reports of events' failures: who gets them, and what is in them.
    @Suite struct EventReportTests {
        private func app(_ events: Events) -> LambdaApp {
            var options = ReportOptions()
            options.proxy = ""
            return LambdaApp {
                events
                CaptureErrors(options)
                FlushReports(within: .seconds(20))
            }
        }

        @Test(
            "three failed messages of ten are three reports, each with its message's id, and the server has them before the reply"
        )
        func reports() async throws {
            let (ingest, counts) = (MockIngest(), Collected<Int>())
            let events = poisoned(Collected())
            _ = await serve(app(events), [.init(AdapterTests.batch)], to: ingest) { _ in
                counts.add((try? ingest.failures().count) ?? -1)
                return .status(202)
            }
            ingest.stop()
            #expect(counts.values == [3])
            let reports = try ingest.failures()
            #expect(Set(reports.map { $0["tags"]?["record_id"]?.text }) == ["m2", "m5", "m10"])
            #expect(reports.allSatisfy { $0["tags"]?["outcome"]?.text == "event_error" })
            #expect(reports.allSatisfy { $0["tags"]?["event_source"]?.text == "aws:sqs" })
            #expect(reports.allSatisfy { $0["transaction"]?.text == "queue orders" })
            #expect(reports.allSatisfy { $0["contexts"]?["aws.lambda"]?["aws_request_id"]?.text == "req-1" })
            #expect(reports.allSatisfy { $0["exception"]?["values"]?[0]?["type"]?.text == "Boom" })
        }

        /// One value, thrown again and again: equal, and the same box.
        private static let same: any Error = Boom()

        @Test("what a record sets stays its own: tags, user, breadcrumbs; and the same error twice is two reports")
        func apart() async throws {
            let ingest = MockIngest()
            var events = Events()
            events.queue(of: String.self) { message in
                Reports.addBreadcrumb("crumb \(message.body)")
                Reports.setTag("tag-\(message.body)", "x")
                if message.body == "1" { Reports.setUser(ReportUser(id: "u1")) }
                if message.body == "3" {
                    await withTaskGroup { group in
                        group.addTask { Reports.setTag("child", "x") }
                    }
                }
                if message.body != "2" { throw Self.same }
            }
            events.bus(of: String.self) { _ in
                Reports.setTag("bus", "x")
                throw Self.same
            }
            let sent = events
            _ = await serve(app(sent), [.init(queueEvent(["1", "2", "3"])), .init(busEvent, id: "req-2")], to: ingest)
            ingest.stop()
            let reports = try ingest.failures()
            try #require(reports.count == 3)
            func crumbs(_ report: JSONView) -> [String] {
                report["breadcrumbs"]?["values"]?.elements?.compactMap { $0["message"]?.text }.filter { $0.hasPrefix("crumb") }
                    ?? []
            }
            func report(_ id: String) throws -> JSONView {
                try #require(reports.first { $0["tags"]?["record_id"]?.text == id })
            }
            let (first, third, bus) = (try report("m1"), try report("m3"), try report("b1"))
            #expect(crumbs(first) == ["crumb 1"] && crumbs(third) == ["crumb 3"] && crumbs(bus).isEmpty)
            let keys: Set<String> = ["event_source", "outcome", "record_id"]
            #expect(first["tags"]?.keys.subtracting(keys) == ["tag-1"])
            #expect(third["tags"]?.keys.subtracting(keys) == ["tag-3"])
            #expect(bus["tags"]?.keys.subtracting(keys) == ["bus"])
            #expect(first["user"]?["id"]?.text == "u1" && third["user"]?["id"] == nil)
            // One trace for the whole batch.
            #expect(first["contexts"]?["trace"]?["trace_id"]?.text == third["contexts"]?["trace"]?["trace_id"]?.text)
            #expect(first["contexts"]?["trace"]?["trace_id"]?.text != bus["contexts"]?["trace"]?["trace_id"]?.text)
        }

        @Test(
            "OTLP: a failure's tags are attributes, and the trigger is what the conventions call it",
            arguments: [(queueEvent(["2"]), "pubsub", "m1"), (busEvent, "other", "b1"), (eventJSON(), "http", nil)])
        func otlp(_ event: String, trigger: String, id: String?) async throws {
            let ingest = MockIngest()
            var (routes, events) = (Router(), poisoned(Collected()))
            events.bus(of: String.self) { _ in throw Boom() }
            routes.get("/{path*}") { _ -> String in throw Boom() }
            let (sent, other) = (events, routes)
            let environment = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:\(ingest.port)", "SENTRY_DSN": ""]
            _ = await serve(
                LambdaApp {
                    other; sent
                }, [.init(event)], to: ingest, environment: environment)
            ingest.stop()
            let record = JSONView(ingest.requests.first?.message.body ?? [])?["resourceLogs"]?[0]?["scopeLogs"]?[0]?[
                "logRecords"]?[0]
            func attribute(_ name: String) -> String? {
                record?["attributes"]?.elements?.first { $0["key"]?.text == name }?["value"]?["stringValue"]?.text
            }
            #expect(attribute("faas.trigger") == trigger)
            #expect(attribute("record_id") == id)
            #expect(attribute("outcome") == (id == nil ? "handler_error" : "event_error"))
            #expect(attribute("http.route") == (id == nil ? "/{path*}" : nil))
        }

        @Test("the record of a failed message has its id")
        func records() {
            let lines = LogLines()
            let logger = Logger(label: "sluice") {
                LambdaLogHandler(label: $0, json: true, level: .info, feedsReports: false, sink: lines.sink, now: { .now })
            }
            var failure = Failure(.eventError, "m1 failed", error: Boom())
            failure.tags = ["record_id": "m1", "event_source": "aws:sqs"]
            failure.write(to: logger)
            let metadata = JSONView(Array(lines.text.utf8))?["metadata"]
            #expect(metadata?["record_id"]?.text == "m1" && metadata?["outcome"]?.text == "event_error")
        }
    }
}
