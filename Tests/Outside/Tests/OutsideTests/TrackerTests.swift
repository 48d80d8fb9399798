import Foundation
import Sluice
import Synchronization
import Testing

/// A reporter for a tracker that Sluice does not know, of what the guide names: delivered as Sluice's own are.
@Suite struct TrackerTests {
    struct Tracker: DeliveredReporter {
        struct Format: ReportFormat {
            let contentType = "application/json"
            func body(of event: ReportEvent) -> [UInt8] {
                // What cannot be encoded is an empty body, which the server refuses and the ledger counts.
                guard let data = try? JSONEncoder().encode(event) else { return [] }
                return Array(data)
            }
            func verdict(on status: Int, body: [UInt8]) -> ReportVerdict {
                switch status {
                case 200...299: .delivered
                case 429, 503: .later
                default: .refused
                }
            }
        }

        let bodies = Kept()
        let delivery = ReportDelivery(
            to: ReportDestination("https://tracker.example/events", headers: [("x-key", "k")]), as: Format(), name: "tracker")

        func capture(_ failure: Failure) {
            guard var event = ReportEvent(failure) else { return }
            event.release = "shop@1"
            bodies.add(Format().body(of: event))
            delivery.submit(event)
        }
    }

    final class Kept: Sendable {
        private let kept = Mutex<[[UInt8]]>([])
        func add(_ body: [UInt8]) { kept.withLock { $0.append(body) } }
        var all: [[UInt8]] { kept.withLock(\.self) }
    }

    struct OutOfStock: Error { let item: String }

    @Test("a report has what is known of its request, and is JSON as it stands")
    func report() async throws {
        let tracker = Tracker()
        var routes = Router()
        routes.post("/orders/{id}") { _ -> String in
            Reports.setTag("plan", "gold")
            Reports.setContext("order", ["id": 7, "ratio": 0.5, "none": nil])
            Reports.addBreadcrumb("asked the warehouse", category: "http", data: ["token": "geheim"])
            throw OutOfStock(item: "tea")
        }
        let app = LambdaApp {
            routes
            CaptureErrors(to: tracker)
            FlushReports(within: .seconds(2))
        }
        let request = Request(
            .post, "/orders/7?token=geheim&a=1", headers: [.authorization: "Bearer geheim"])
        let response = await app.respond(to: request)
        #expect(response.status == .internalServerError)
        let body = try #require(tracker.bodies.all.first)
        #expect(!String(decoding: body, as: UTF8.self).contains("geheim"))
        let json = try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
        #expect((json["id"] as? String)?.count == 32)
        #expect(json["level"] as? String == "error")
        #expect(json["transaction"] as? String == "POST /orders/{id}")
        #expect(json["release"] as? String == "shop@1")
        #expect((json["tags"] as? [String: String]) == ["plan": "gold", "outcome": "handler_error"])
        let exception = (json["exceptions"] as? [[String: Any]])?.first
        #expect(exception?["type"] as? String == "OutOfStock")
        #expect(exception?["value"] as? String == #"OutOfStock(item: "tea")"#)
        let order = (json["contexts"] as? [String: [String: Any]])?["order"]
        #expect(order?["id"] as? Int == 7)
        #expect(order?["ratio"] as? Double == 0.5)
        #expect((json["request"] as? [String: Any])?["method"] as? String == "POST")
        #expect((json["timestamp"] as? String)?.hasSuffix("Z") == true)
    }
}
