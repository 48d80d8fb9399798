import Foundation
import SluiceCore
import SluiceTestSupport
import Testing

@testable import SluiceEvents

/// Keeps failures, with what was known where they were recorded.
final class Failures: SettlingReporter {
    let all = Collected<Failure>()
    func capture(_ failure: Failure) { all.add(failure) }
    func flush(within limit: Duration) async {}

    var recordIDs: [String?] { all.values.map { $0.tags["record_id"] } }
    var outcomes: [String] { all.values.map(\.outcome.rawValue) }
}

struct Boom: Error {}
struct Order: Codable, Sendable, Equatable { let id: Int, item: String }

enum Fixture {
    static func text(_ name: String) throws -> String {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: folder.appendingPathComponent("Fixtures/Events/\(name).json"), encoding: .utf8)
    }

    /// All that are not HTTP.
    static let names = [
        "sqs", "sqs-fifo", "sns", "s3", "eventbridge", "schedule", "scheduler", "kinesis", "dynamodb", "invoke",
    ]

    static func object(_ name: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text(name).utf8)) as? [String: Any])
    }

    static func text(of value: Any) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: value, options: .fragmentsAllowed), as: UTF8.self)
    }
}

/// What came of an event.
struct Ran {
    let outcome: EventOutcome?
    let failures: Failures

    var json: String? { (try? outcome?.result.get()).map { String(decoding: $0, as: UTF8.self) } }
    var error: (any Error)? { if case .failure(let error) = outcome?.result { error } else { nil } }
    /// The ids that the reply names; nil where it is no reply to a batch.
    var failedItems: [String]? {
        guard let json, let items = JSONView(Array(json.utf8))?["batchItemFailures"]?.elements else { return nil }
        return items.compactMap { $0["itemIdentifier"]?.text }
    }
}

/// Runs an event's handler, in a scope.
func run(_ json: String, _ register: (inout Events) -> Void) async throws -> Ran {
    var events = Events()
    register(&events)
    let handlers = EventHandlers([events], nil)
    #expect(handlers.problem == nil)
    let failures = Failures()
    let event = try #require(IncomingEvent(Array(json.utf8)))
    let outcome = await InvocationScope.$current.withValue(InvocationScope(requestID: "request-1")) {
        await handlers.run(event, requestID: "request-1", failures)
    }
    return Ran(outcome: outcome, failures: failures)
}

/// SQS messages, numbered from 1: their bodies, and their groups where the queue is a FIFO queue.
func queueEvent(_ bodies: [String], groups: [String]? = nil) throws -> String {
    let records = bodies.enumerated().map { index, body -> [String: Any] in
        [
            "messageId": "m\(index + 1)", "body": body, "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders\(groups == nil ? "" : ".fifo")",
            "attributes": groups.map { ["MessageGroupId": $0[index]] } ?? [:],
        ]
    }
    return try Fixture.text(of: ["Records": records])
}

/// Kinesis records, numbered from 1.
func streamEvent(_ bodies: [String]) throws -> String {
    let records = bodies.enumerated().map { index, body -> [String: Any] in
        [
            "eventSource": "aws:kinesis", "eventID": "shard:\(index + 1)",
            "kinesis": ["sequenceNumber": "\(index + 1)", "data": Data(body.utf8).base64EncodedString()],
        ]
    }
    return try Fixture.text(of: ["Records": records])
}
