import Foundation
import SluiceCore
import SluiceTestSupport
import Testing

@testable import SluiceEvents

/// Each source's fixture, field by field.
@Suite struct RecordTests {
    @Test(
        "the source of each fixture",
        arguments: [
            ("sqs", EventSource.queue), ("sqs-fifo", .queue), ("sns", .topic), ("s3", .object), ("eventbridge", .bus),
            ("schedule", .schedule), ("scheduler", .schedule), ("kinesis", .kinesis), ("dynamodb", .dynamoDB),
            ("invoke", .other),
        ])
    func sources(_ name: String, _ source: EventSource) throws {
        #expect(IncomingEvent(Array(try Fixture.text(name).utf8))?.source == source)
    }

    @Test(
        "what is no event of a known source is a direct invocation, and what is no JSON is nothing",
        arguments: [
            ("{}", EventSource.other), ("[]", .other), (#""text""#, .other), ("7", .other), ("null", .other),
            (#"{"Records":[]}"#, .other), (#"{"Records":[null]}"#, .other), (#"{"Records":{}}"#, .other),
            (#"{"Records":[{"eventSource":"schedule"}]}"#, .other), (#"{"Records":[{"eventSource":"bus"}]}"#, .other),
            (#"{"Records":[{"eventSource":"invoke"}]}"#, .other), (#"{"Records":[{"eventSource":"aws:new"}]}"#, .other),
            (#"{"Records":[{"eventSource":7}]}"#, .other), (#"{"detail-type":"A"}"#, .other),
            (#"{"detail-type":7,"source":"b"}"#, .other), (#"{"detail-type":"A","source":"b"}"#, .bus),
            (#"{"x":[{"eventSource":"aws:sqs"}]}"#, .other),
        ])
    func strangeSources(_ json: String, _ source: EventSource) {
        #expect(IncomingEvent(Array(json.utf8))?.source == source)
    }

    @Test(
        "a text that is no JSON is no event",
        arguments: ["", "{", "{}x", #"{"a":}"#, #"{"Records":[{"eventSource":"aws:sqs"}"#])
    func noJSON(_ text: String) { #expect(IncomingEvent(Array(text.utf8)) == nil) }

    @Test("SQS: bodies, ids, the queue's attributes and the sender's own")
    func queue() async throws {
        let seen = Collected<QueueMessage<Order>>()
        let ran = try await run(Fixture.text("sqs")) { $0.queue(of: Order.self) { seen.add($0) } }
        #expect(ran.json == #"{"batchItemFailures":[]}"#)
        #expect(ran.failures.all.values.isEmpty)
        let messages = seen.values
        try #require(messages.count == 10)
        #expect(messages.map(\.body.id) == Array(1...10))
        #expect(messages.map { $0.id.suffix(2) } == (1...10).map { $0 < 10 ? "0\($0)" : "\($0)" })
        let message = messages[1]
        #expect(message.body == Order(id: 2, item: "green tea"))
        #expect(message.receiptHandle == "AQEBcmVjZWlwdCBoYW5kbGUgb2YgbWVzc2FnZSAy")
        #expect(message.queueARN == "arn:aws:sqs:eu-west-1:123456789012:tea-orders")
        #expect(message.attributes["SenderId"] == "AIDAEXAMPLE0000000001")
        #expect(message.receiveCount == 1 && messages[2].receiveCount == 3)
        #expect(message.sentAt?.millisecondsSinceEpoch == 1_793_614_530_125)
        #expect(message.groupID == nil && message.deduplicationID == nil)
        #expect(message.messageAttributes.keys.sorted() == ["priority", "signature", "source"])
        #expect(message.messageAttributes["source"]?.text == "web")
        #expect(message.messageAttributes["priority"]?.dataType == "Number")
        #expect(message.messageAttributes["signature"]?.bytes == [0, 1, 255])
        #expect(message.messageAttributes["signature"]?.text == nil)
        let raw = try #require(JSONView(message.raw.json))
        #expect(raw["messageId"]?.text == message.id && raw["body"]?.text == #"{"id":2,"item":"green tea"}"#)
    }

    @Test("SQS: a FIFO queue's groups")
    func fifo() async throws {
        let seen = Collected<QueueMessage<String>>()
        _ = try await run(Fixture.text("sqs-fifo")) { $0.queue(of: String.self) { seen.add($0) } }
        #expect(seen.values.map(\.groupID) == ["shop-a", "shop-b", "shop-a", "shop-b", "shop-a", "shop-b"])
        #expect(seen.values.first?.deduplicationID?.hasPrefix("2866a80a") == true)
        #expect(seen.values.first?.body == #"{"id":1,"item":"tea"}"#)
    }

    @Test("SNS")
    func topic() async throws {
        let seen = Collected<TopicMessage<Order>>()
        let ran = try await run(Fixture.text("sns")) { $0.topic(of: Order.self) { seen.add($0) } }
        #expect(ran.json == "null")
        let message = try #require(seen.values.first)
        #expect(message.body == Order(id: 1, item: "tea"))
        #expect(message.id == "22222222-3333-4444-8555-666666666666")
        #expect(message.subject == "Order placed")
        #expect(message.topicARN == "arn:aws:sns:eu-west-1:123456789012:tea-orders")
        #expect(message.subscriptionARN?.hasSuffix("555555555555") == true)
        #expect(message.timestamp?.millisecondsSinceEpoch == 1_793_614_530_123)
        #expect(message.attributes == ["source": "web", "priority": "5", "tags": #"["new","gift"]"#])
        #expect(message.messageAttributes["signature"]?.bytes == [0, 1, 255])
        #expect(JSONView(message.raw.json)?["Sns"]?["Type"]?.text == "Notification")
    }

    @Test("S3: keys are decoded once")
    func object() async throws {
        let seen = Collected<ObjectEvent>()
        let ran = try await run(Fixture.text("s3")) { $0.object { seen.add($0) } }
        #expect(ran.json == "null")
        let event = try #require(seen.values.first)
        #expect(event.bucket == "tea-orders-example" && event.bucketARN == "arn:aws:s3:::tea-orders-example")
        #expect(event.key == "orders/2026/green tea (200g) 1+1 café.json")
        #expect(event.rawKey == "orders/2026/green+tea+%28200g%29+1%2B1+caf%C3%A9.json")
        #expect(event.id == "tea-orders-example/orders/2026/green tea (200g) 1+1 café.json")
        #expect(event.eventName == "ObjectCreated:Put" && event.size == 1024)
        #expect(event.eTag == "7239ea2b5dc943f61f3c0a0276c20974")
        #expect(event.versionID == "ExampleVersionId0000000000000001" && event.sequencer == "0062E99A88DC407460")
        #expect(event.time?.millisecondsSinceEpoch == 1_793_614_530_123)
        #expect(event.attributes["sourceIPAddress"] == "203.0.113.10")
        #expect(event.attributes["x-amz-request-id"] == "TEA0123456789ABC")
        #expect(event.attributes["awsRegion"] == "eu-west-1")
    }

    @Test("EventBridge: the detail is the body, and as text it is as it came")
    func bus() async throws {
        let (seen, texts) = (Collected<BusEvent<Order>>(), Collected<String>())
        let json = try Fixture.text("eventbridge")
        let ran = try await run(json) { $0.bus(of: Order.self) { seen.add($0) } }
        _ = try await run(json) { $0.bus(of: String.self) { texts.add($0.body) } }
        #expect(ran.json == "null")
        let event = try #require(seen.values.first)
        #expect(event.body == Order(id: 1, item: "tea"))
        #expect(event.id == "33333333-4444-4555-8666-777777777777")
        #expect(event.source == "com.example.tea" && event.detailType == "Order Placed")
        #expect(event.account == "123456789012" && event.region == "eu-west-1")
        #expect(event.time?.millisecondsSinceEpoch == 1_793_614_530_000)
        #expect(event.resources == ["urn:example:order:1"] && event.attributes == ["version": "0"])
        let text = try #require(texts.values.first)
        #expect(text.hasPrefix("{\n") && text.hasSuffix("}") && json.contains(text))
    }

    @Test("schedules: a rule's, and those of EventBridge Scheduler", arguments: ["schedule", "scheduler"])
    func schedule(_ name: String) async throws {
        let seen = Collected<ScheduledEvent>()
        let ran = try await run(Fixture.text(name)) { $0.schedule { seen.add($0) } }
        #expect(ran.json == "null")
        let event = try #require(seen.values.first)
        #expect(event.source == (name == "schedule" ? "aws.events" : "aws.scheduler"))
        #expect(event.body == "{}" && event.detailType == "Scheduled Event")
        #expect(event.time?.millisecondsSinceEpoch == 1_793_613_600_000)
        #expect(event.resources.first?.hasSuffix("tea-every-hour") == true)
        #expect(event.id.hasPrefix(name == "schedule" ? "44444444" : "55555555"))
    }

    @Test("Kinesis")
    func kinesis() async throws {
        let seen = Collected<StreamRecord<Order>>()
        let ran = try await run(Fixture.text("kinesis")) { $0.stream(of: Order.self) { seen.add($0) } }
        #expect(ran.json == #"{"batchItemFailures":[]}"#)
        let records = seen.values
        #expect(records.map(\.body.item) == ["tea", "green tea", "milk"])
        #expect(records.map(\.partitionKey) == ["order-1", "order-2", "order-3"])
        let record = try #require(records.first)
        #expect(record.source == .kinesis && record.change == nil && record.oldImage == nil && record.keys == nil)
        #expect(record.sequenceNumber == "49668899999999999999999999999999999999999999999999990001")
        #expect(record.id == "shardId-000000000003:\(record.sequenceNumber)")
        #expect(record.time?.millisecondsSinceEpoch == 1_793_614_531_123)
        #expect(record.streamARN == "arn:aws:kinesis:eu-west-1:123456789012:stream/tea-orders")
        #expect(record.attributes["invokeIdentityArn"] == "arn:aws:iam::123456789012:role/tea-worker")
        #expect(try record.oldBody() == nil)
    }

    private struct Item: Decodable, Sendable {
        struct Customer: Decodable, Sendable { let name: String, points: Double, address: [String: String] }
        let id: String, version: Int, weight: Double, photo: Data, tags: [String], sizes: [Double], blobs: [Data]
        let customer: Customer, paid: Bool, coupon: String?
    }

    @Test("DynamoDB: the new image is the body, the old one of what was removed; both are ordinary JSON")
    func changes() async throws {
        let seen = Collected<StreamRecord<Item>>()
        let ran = try await run(Fixture.text("dynamodb")) { $0.stream(of: Item.self) { seen.add($0) } }
        #expect(ran.json == #"{"batchItemFailures":[]}"#)
        let records = seen.values
        try #require(records.count == 3)
        #expect(records.map(\.change) == [.insert, .modify, .remove])
        #expect(records.map(\.body.version) == [1, 2, 2])
        #expect(records.map(\.body.coupon) == [nil, "SPRING", "SPRING"])
        #expect(try records.map { try $0.oldBody()?.version } == [nil, 1, 2])
        #expect(records.allSatisfy { $0.source == .dynamoDB && $0.partitionKey == nil })
        #expect(records.map(\.sequenceNumber.last) == ["1", "2", "3"])
        #expect(records[0].time?.millisecondsSinceEpoch == 1_793_614_531_000)
        #expect(records[0].attributes["StreamViewType"] == "NEW_AND_OLD_IMAGES")
        #expect(records[2].newImage == nil && records[0].oldImage == nil)
        #expect(records[0].keys?.text == #"{"id":"order-1"}"#)
        let item = records[0].body
        #expect(item.weight == -125 && Array(item.photo) == [0x89, 0x74, 0x65, 0x61, 0, 255])
        #expect(item.tags == ["gift", "new"] && item.sizes == [1, 2.5])
        #expect(item.blobs.map { String(decoding: $0, as: UTF8.self) } == ["one", "two"])
        #expect(item.customer.name == "Åsa" && item.customer.address.isEmpty && item.paid)
        let json = try #require(JSONView(records[0].newImage?.json ?? []))
        #expect(json["lines"]?[0]?.text == "tea" && json["lines"]?[1]?.number == 2)
        #expect(json["lines"]?[2]?["open"]?.flag == false && json["lines"]?[3]?.count == 0)
        #expect(json["coupon"]?.isNull == true)
        // Digits that no Double has are still there.
        #expect(records[0].newImage?.text.contains(#""points":12345678901234567890.123"#) == true)
    }

    @Test("DynamoDB: a stream of keys alone has them as its body")
    func keysOnly() async throws {
        struct Keys: Decodable, Sendable { let id: String }
        let seen = Collected<String>()
        let json = #"""
            {"Records":[{"eventSource":"aws:dynamodb","eventName":"REMOVE",
            "dynamodb":{"SequenceNumber":"1","Keys":{"id":{"S":"a\"b"}}}}]}
            """#
        let ran = try await run(json) { $0.stream(of: Keys.self) { seen.add($0.body.id) } }
        #expect(seen.values == [#"a"b"#] && ran.failedItems == [])
    }

    @Test(
        "an item that cannot be read fails its record, and nothing else",
        arguments: [
            #"{"a":{"N":"x"}}"#, #"{"a":{"N":"1 2"}}"#, #"{"a":{"N":7}}"#, #"{"a":{"N":"NaN"}}"#, #"{"a":{}}"#, #"{"a":7}"#,
            #"{"a":{"X":"1"}}"#, #"{"a":{"SS":"1"}}"#, #"{"a":{"BOOL":"true"}}"#, #"{"a":{"L":[{}]}}"#,
            #"{"a":"# + String(repeating: #"{"L":["#, count: 100) + String(repeating: "]}", count: 100) + "}",
        ])
    func badItems(_ item: String) async throws {
        let json = #"""
            {"Records":[{"eventSource":"aws:dynamodb","eventName":"INSERT",
            "dynamodb":{"SequenceNumber":"1","NewImage":\#(item)}}]}
            """#
        let ran = try await run(json) { $0.stream(of: String.self) { _ in } }
        #expect(ran.failedItems == ["1"])
        #expect(ran.failures.all.values.first?.error is DecodingError)
    }

    @Test("a direct invocation: its result is the reply; nothing is null; text is as it came")
    func direct() async throws {
        struct Command: Decodable, Sendable { let command: String, order: Order }
        struct Done: Encodable, Sendable { let count: Int }
        let seen = Collected<DirectEvent<Command>>()
        let json = try Fixture.text("invoke")
        let ran = try await run(json) {
            $0.any(of: Command.self) { event in
                seen.add(event)
                return Done(count: 7)
            }
        }
        #expect(ran.json == #"{"count":7}"#)
        #expect(seen.values.first?.body.command == "place" && seen.values.first?.body.order.item == "tea")
        #expect(seen.values.first?.id == "request-1" && seen.values.first?.raw.text == json)
        #expect(try await run(json) { $0.any(of: Command.self) { _ in } }.json == "null")
        #expect(try await run(json) { $0.any(of: Command.self) { _ in nil as Done? } }.json == "null")
        #expect(try await run(#" "text" "#) { $0.any(of: String.self) { $0.body } }.json == #"" \"text\" ""#)
        #expect(try await run("[1,2]") { $0.any(of: [Int].self) { $0.body.reduce(0, +) } }.json == "3")
        #expect(try await run("{}") { $0.any(of: [UInt8].self) { $0.body } }.json == "[123,125]")
    }

    @Test("bytes and text of a body are as they came; what is not UTF-8 is no text")
    func bodies() async throws {
        let json = #"""
            {"Records":[{"eventSource":"aws:kinesis","kinesis":{"sequenceNumber":"1","data":"/wA="}}]}
            """#
        let bytes = Collected<[UInt8]>()
        #expect(try await run(json) { $0.stream(of: [UInt8].self) { bytes.add($0.body) } }.failedItems == [])
        #expect(bytes.values == [[255, 0]])
        let ran = try await run(json) { $0.stream(of: String.self) { _ in } }
        #expect(ran.failedItems == ["1"] && ran.failures.all.values.first?.error is DecodingError)
        let texts = Collected<String>()
        _ = try await run(queueEvent(["a\"\n\u{e9}", ""])) { $0.queue(of: String.self) { texts.add($0.body) } }
        #expect(texts.values == ["a\"\n\u{e9}", ""])
    }

    @Test("names with too many combining marks never reach a decoder or a dictionary")
    func marks() async throws {
        let name = "a" + String(repeating: "\u{0301}\u{0323}", count: 40)
        let queue = try await run(queueEvent(["{\"\(name)\":1}"])) { $0.queue(of: [String: Int].self) { _ in } }
        #expect(queue.failedItems == ["m1"])
        let seen = Collected<Int>()
        let json = #"""
            {"Records":[{"messageId":"m1","eventSource":"aws:sqs","body":"x","attributes":{"\#(name)":"1","b":"2"},
            "messageAttributes":{"\#(name)":{"stringValue":"1"},"b":{"stringValue":"2"}}}]}
            """#
        let ran = try await run(json) {
            $0.queue(of: String.self) { seen.add($0.attributes.count + $0.messageAttributes.count) }
        }
        #expect(seen.values == [2] && ran.failedItems == [])
    }
}
