import Foundation
import SluiceCore
import SluiceTestSupport
import Testing

@testable import SluiceEvents

/// AWS changes its envelopes: whatever field is missing, null or of another kind, nothing stops the process, and a record fails only where
/// its handler could not be given what it must have.
@Suite struct ToleranceTests {
    /// One place in a JSON text, from its root.
    private enum Step { case key(String), index(Int) }

    /// Every place below a value.
    private func places(in value: Any, _ path: [Step] = []) -> [[Step]] {
        var all = path.isEmpty ? [] : [path]
        if let object = value as? [String: Any] {
            for key in object.keys.sorted() { all += places(in: object[key] as Any, path + [.key(key)]) }
        } else if let array = value as? [Any] {
            for index in array.indices { all += places(in: array[index], path + [.index(index)]) }
        }
        return all
    }

    /// The value with another one at a place; nil for none.
    private func changed(_ value: Any, at path: ArraySlice<Step>, to new: Any?) -> Any? {
        guard let step = path.first else { return new }
        switch step {
        case .key(let key):
            guard var object = value as? [String: Any], let old = object[key] else { return value }
            object[key] = changed(old, at: path.dropFirst(), to: new)
            return object
        case .index(let index):
            guard var array = value as? [Any], array.indices.contains(index) else { return value }
            if let inner = changed(array[index], at: path.dropFirst(), to: new) {
                array[index] = inner
            } else {
                array.remove(at: index)
            }
            return array
        }
    }

    private func name(_ path: [Step]) -> String {
        path.map { if case .key(let key) = $0 { key } else { "[]" } }.joined(separator: ".")
    }

    /// Places without which a record cannot be handled, or the event is none of its source.
    private static let needed: Set<String> = [
        "Records", "Records.[]", "detail-type", "source", "detail",
        "Records.[].messageId", "Records.[].body", "Records.[].eventSource",
        "Records.[].EventSource", "Records.[].Sns", "Records.[].Sns.Message",
        "Records.[].s3", "Records.[].s3.bucket", "Records.[].s3.bucket.name", "Records.[].s3.object",
        "Records.[].s3.object.key",
        "Records.[].kinesis", "Records.[].kinesis.sequenceNumber", "Records.[].kinesis.data",
        "Records.[].dynamodb", "Records.[].dynamodb.SequenceNumber",
    ]

    @Test("every field missing, null, and of each other kind in turn", arguments: Fixture.names)
    func table(_ name: String) async throws {
        let whole = try Fixture.object(name)
        let wrong: [Any?] = [nil, NSNull(), "text", "", 7, -1.5, true, [Any](), ["x"], [String: Any](), ["x": 1], 1e300]
        // The images are the item's own, and not the envelope's; the later records are as the first one.
        let places = places(in: whole).filter { path in
            let name = self.name(path)
            let isLater = path.contains { if case .index(let index) = $0 { index > 1 } else { false } }
            return !isLater && !name.contains("Image.") && !name.contains("Keys.") && !name.hasPrefix("detail.")
        }
        var runs = 0
        for place in places {
            for value in wrong {
                // An object is an image, and this one has an attribute that cannot be read.
                if self.name(place).hasSuffix("Image"), (value as? [String: Any])?.isEmpty == false { continue }
                let event = try #require(self.changed(whole, at: place[...], to: value))
                let seen = Collected<Int>()
                let ran = try await run(Fixture.text(of: event)) { events in
                    register(&events) { seen.add($0) }
                }
                runs += 1
                guard !Self.needed.contains(self.name(place)) else { continue }
                let what = "\(self.name(place)) = \(value.map { "\($0)" } ?? "nothing")"
                #expect(ran.error == nil && ran.failures.all.values.isEmpty, "\(what): \(String(describing: ran.error))")
                #expect(!seen.values.isEmpty, "\(what): not handled")
                // All that there is can be asked for.
                #expect(seen.values.allSatisfy { $0 >= 0 })
            }
        }
        #expect(runs > 30)
    }

    /// A function and no chain of pluses, which an older compiler gives up.
    private func total(_ counts: Int?...) -> Int { counts.reduce(0) { $0 + ($1 ?? 0) } }

    /// Handlers that look at everything a record has.
    private func register(_ events: inout Events, _ seen: @escaping @Sendable (Int) -> Void) {
        events.queue(of: String.self) { message in
            seen(
                total(
                    message.body.count, message.id.count, message.attributes.count, message.raw.json.count,
                    message.messageAttributes.count, message.receiptHandle?.count, message.queueARN?.count,
                    message.groupID?.count, message.deduplicationID?.count, message.receiveCount == nil ? 1 : 0,
                    message.sentAt == nil ? 1 : 0))
        }
        events.stream(of: [UInt8].self) { record in
            seen(
                try total(
                    record.body.count, record.id.count, record.attributes.count, record.raw.json.count,
                    record.sequenceNumber.count, record.streamARN?.count, record.time == nil ? 1 : 0,
                    record.partitionKey?.count, record.change == nil ? 1 : 0, record.keys?.json.count,
                    record.newImage?.json.count, record.oldImage?.json.count, record.oldBody()?.count))
        }
        events.topic(of: String.self) { message in
            seen(
                total(
                    message.body.count, message.id.count, message.attributes.count, message.raw.json.count,
                    message.subject?.count, message.topicARN?.count, message.subscriptionARN?.count,
                    message.timestamp == nil ? 1 : 0))
        }
        events.object { event in
            seen(
                total(
                    event.id.count, event.attributes.count, event.raw.json.count, event.bucket.count, event.key.count,
                    event.rawKey.count, event.eventName?.count, event.size == nil ? 1 : 0, event.eTag?.count,
                    event.versionID?.count, event.sequencer?.count, event.bucketARN?.count, event.time == nil ? 1 : 0))
        }
        events.schedule { event in
            seen(
                total(
                    event.body.count, event.id.count, event.attributes.count, event.raw.json.count, event.source.count,
                    event.detailType.count, event.account?.count, event.region?.count, event.resources.count,
                    event.time == nil ? 1 : 0))
        }
        events.bus(of: String.self) { event in
            seen(
                total(
                    event.body.count, event.id.count, event.attributes.count, event.raw.json.count, event.source.count,
                    event.detailType.count, event.account?.count, event.region?.count, event.resources.count,
                    event.time == nil ? 1 : 0))
        }
        events.any(of: String.self) { event in seen(event.body.count + event.id.count + event.attributes.count) }
    }

    @Test(
        "what a record must have, and lacks, fails that record; an id that could not be named the batch",
        arguments: [
            ("sqs", "Records.[].body", false), ("sqs", "Records.[].messageId", true), ("sns", "Records.[].Sns.Message", true),
            ("s3", "Records.[].s3.object.key", true), ("s3", "Records.[].s3.bucket.name", true),
            ("kinesis", "Records.[].kinesis.data", false), ("kinesis", "Records.[].kinesis.sequenceNumber", true),
            ("dynamodb", "Records.[].dynamodb.SequenceNumber", true), ("eventbridge", "detail", true),
        ])
    func needed(_ fixture: String, _ field: String, failsAll: Bool) async throws {
        let whole = try Fixture.object(fixture)
        let place = try #require(places(in: whole).first { name($0) == field })
        for value in [nil, NSNull(), 7] as [Any?] {
            // A number is a detail like any other.
            if fixture == "eventbridge", value is Int { continue }
            let json = try Fixture.text(of: try #require(changed(whole, at: place[...], to: value)))
            let seen = Collected<Int>()
            let ran = try await run(json) { register(&$0, { seen.add($0) }) }
            #expect((ran.error != nil) == failsAll, "\(String(describing: value))")
            let all = ran.failures.all.values + [ran.outcome?.failure].compactMap(\.self)
            #expect(all.count == 1 && all.first?.outcome == .eventError, "\(String(describing: value))")
            if !failsAll { #expect(ran.failedItems?.count == 1) }
            if failsAll, field.hasSuffix("messageId") || field.lowercased().hasSuffix("sequencenumber") {
                #expect(seen.values.isEmpty)
                #expect(ran.error is UnnamedRecord)
            }
        }
    }
}
