import SluiceCore
import SluiceTestSupport
import Testing

@testable import SluiceEvents

/// Which records are handled, and what the source hears of them.
@Suite struct RunTests {
    private func orders(_ poisoned: Set<Int>, _ seen: Collected<Int>) -> @Sendable (QueueMessage<Order>) async throws -> Void {
        { message in
            if poisoned.contains(message.body.id) { throw Boom() }
            seen.add(message.body.id)
        }
    }

    @Test("a queue: 7 of 10 are handled, 3 are named, and each of these has one failure with its id")
    func queue() async throws {
        let seen = Collected<Int>()
        let ran = try await run(Fixture.text("sqs")) { $0.queue(of: Order.self, orders([2, 5, 10], seen)) }
        #expect(seen.values == [1, 3, 4, 6, 7, 8, 9])
        let ids = ["02", "05", "10"].map { "00000000-0000-4000-8000-0000000000\($0)" }
        #expect(
            ran.json == #"{"batchItemFailures":[\#(ids.map { #"{"itemIdentifier":"\#($0)"}"# }.joined(separator: ","))]}"#)
        #expect(ran.failures.recordIDs == ids)
        #expect(ran.failures.outcomes == ["event_error", "event_error", "event_error"])
        #expect(ran.failures.all.values.allSatisfy { $0.tags["event_source"] == "aws:sqs" && $0.error is Boom })
        #expect(ran.failures.all.values.first?.message == "message \(ids[0]) of queue tea-orders failed")
        #expect(ran.outcome?.failure == nil)
    }

    @Test("a queue: a body that cannot be decoded is that message's failure")
    func undecodable() async throws {
        let seen = Collected<Int>()
        let bodies = [#"{"id":1,"item":"a"}"#, "{", #"{"id":"x"}"#, "", #"{"id":4,"item":"d"}"#]
        let ran = try await run(queueEvent(bodies)) { $0.queue(of: Order.self, orders([], seen)) }
        #expect(
            seen.values == [1, 4] && ran.failedItems == ["m2", "m3", "m4"] && ran.failures.recordIDs == ["m2", "m3", "m4"])
        #expect(ran.failures.all.values.allSatisfy { $0.error is DecodingError })
    }

    @Test("a FIFO queue: after a failure the later messages of its group wait, and have no failure of their own")
    func fifo() async throws {
        let seen = Collected<String>()
        let json = try queueEvent(["1", "2", "3", "4", "5", "6"], groups: ["a", "b", "a", "b", "a", "c"])
        let ran = try await run(json) {
            $0.queue(of: String.self) { message in
                if message.body == "3" { throw Boom() }
                seen.add(message.body)
            }
        }
        #expect(seen.values == ["1", "2", "4", "6"])
        #expect(ran.failedItems == ["m3", "m5"] && ran.failures.recordIDs == ["m3"])
    }

    @Test("a queue that is no FIFO queue has no groups, whatever its messages say")
    func noFIFO() async throws {
        let seen = Collected<String>()
        let json = try queueEvent(["1", "2", "3"], groups: ["a", "a", "a"]).replacing("orders.fifo", with: "fifo.orders")
        let ran = try await run(json) {
            $0.queue(of: String.self) { message in
                if message.body == "1" { throw Boom() }
                seen.add(message.body)
            }
        }
        #expect(seen.values == ["2", "3"] && ran.failedItems == ["m1"])
    }

    @Test("a stream stops at its first failure, and names it", arguments: ["kinesis", "dynamodb"])
    func stream(_ name: String) async throws {
        let seen = Collected<String>()
        let ran = try await run(Fixture.text(name)) {
            $0.stream(of: String.self) { record in
                if record.sequenceNumber.hasSuffix("2") { throw Boom() }
                seen.add(record.sequenceNumber)
            }
        }
        #expect(seen.values.count == 1)
        let number =
            name == "kinesis" ? "49668899999999999999999999999999999999999999999999990002" : "14054000000000020632828302"
        #expect(ran.json == #"{"batchItemFailures":[{"itemIdentifier":"\#(number)"}]}"#)
        #expect(ran.failures.all.values.count == 1)
        #expect(ran.failures.all.values.first?.tags["event_source"] == "aws:\(name)")
        #expect(ran.failures.all.values.first?.message.hasSuffix(" of stream tea-orders failed") == true)
    }

    /// Runs a handler in a task that is cancelled while the second record is in hand.
    private func cancelled(
        _ json: String, heeds: Bool,
        _ register: @Sendable (inout Events, @escaping @Sendable (String) async throws -> Void) -> Void
    ) async throws -> (ran: Ran, seen: [String]) {
        let (seen, gate, cancelled) = (Collected<String>(), Gate(), Gate())
        let handle: @Sendable (String) async throws -> Void = { body in
            if body == "2" {
                gate.open()
                await cancelled.wait()
                if heeds { try Task.checkCancellation() }
            }
            seen.add(body)
        }
        var events = Events()
        register(&events, handle)
        let handlers = EventHandlers([events], nil)
        let failures = Failures()
        let event = try #require(IncomingEvent(Array(json.utf8)))
        let task = Task {
            await InvocationScope.$current.withValue(InvocationScope(requestID: "r")) {
                await handlers.run(event, requestID: "r", failures)
            }
        }
        await gate.wait()
        task.cancel()
        cancelled.open()
        return (Ran(outcome: await task.value, failures: failures), seen.values)
    }

    @Test("a queue whose time is over: what was not handled is named, and one failure tells of it", arguments: [true, false])
    func queueCancelled(heeds: Bool) async throws {
        let json = try queueEvent(["1", "2", "3", "4"])
        let (ran, seen) = try await cancelled(json, heeds: heeds) { events, handle in
            events.queue(of: String.self) { try await handle($0.body) }
        }
        #expect(seen == (heeds ? ["1"] : ["1", "2"]))
        #expect(ran.failedItems == (heeds ? ["m2", "m3", "m4"] : ["m3", "m4"]))
        #expect(ran.failures.recordIDs == (heeds ? ["m2"] : []))
        #expect(ran.outcome?.failure?.message == (heeds ? nil : "2 of 4 records were not handled: there was no time left"))
    }

    @Test("a stream whose time is over: the first that was not handled is named", arguments: [true, false])
    func streamCancelled(heeds: Bool) async throws {
        let json = try streamEvent(["1", "2", "3", "4"])
        let (ran, seen) = try await cancelled(json, heeds: heeds) { events, handle in
            events.stream(of: String.self) { try await handle($0.body) }
        }
        #expect(seen == (heeds ? ["1"] : ["1", "2"]))
        #expect(ran.failedItems == (heeds ? ["2"] : ["3"]))
        #expect(ran.failures.recordIDs == (heeds ? ["shard:2"] : []))
        #expect(ran.outcome?.failure?.message == (heeds ? nil : "2 of 4 records were not handled: there was no time left"))
    }

    @Test("a topic whose time is over: the invocation fails")
    func topicCancelled() async throws {
        let records = ["1", "2", "3"].map { #"{"EventSource":"aws:sns","Sns":{"MessageId":"n\#($0)","Message":"\#($0)"}}"# }
        let (ran, seen) = try await cancelled(#"{"Records":[\#(records.joined(separator: ","))]}"#, heeds: false) {
            events, handle in
            events.topic(of: String.self) { try await handle($0.body) }
        }
        #expect(seen == ["1", "2"] && ran.error is CancellationError && ran.outcome?.failure != nil)
    }

    @Test("topics and buckets: each record is handled, and the invocation fails with the first failure")
    func each() async throws {
        let records = (1...4).map { #"{"EventSource":"aws:sns","Sns":{"MessageId":"n\#($0)","Message":"\#($0)"}}"# }
        let seen = Collected<String>()
        let ran = try await run(#"{"Records":[\#(records.joined(separator: ","))]}"#) {
            $0.topic(of: Int.self) { message in
                if message.body == 2 { throw Boom() }
                if message.body == 4 { throw CancellationError() }
                seen.add(message.id)
            }
        }
        #expect(seen.values == ["n1", "n3"] && ran.error is Boom && ran.failures.recordIDs == ["n2", "n4"])
        #expect(ran.outcome?.failure == nil)
        let objects = [#""a+b""#, "7", #""%C3%A9""#].map {
            #"{"eventSource":"aws:s3","s3":{"bucket":{"name":"b"},"object":{"key":\#($0)}}}"#
        }
        let keys = Collected<String>()
        let bucket = try await run(#"{"Records":[\#(objects.joined(separator: ","))]}"#) { $0.object { keys.add($0.key) } }
        #expect(keys.values == ["a b", "é"] && bucket.error is DecodingError && bucket.failures.recordIDs == ["request-1"])
    }

    @Test("what an event without records throws is the invocation's failure", arguments: ["eventbridge", "schedule", "invoke"])
    func whole(_ name: String) async throws {
        let ran = try await run(Fixture.text(name)) {
            $0.bus(of: String.self) { _ in throw Boom() }
            $0.schedule { _ in throw Boom() }
            $0.any(of: String.self) { _ in throw Boom() }
        }
        #expect(ran.error is Boom && ran.failures.all.values.isEmpty)
        let failure = try #require(ran.outcome?.failure)
        let expected = [
            "eventbridge": ("bus", "33333333"), "schedule": ("schedule", "44444444"), "invoke": ("invoke", "request-"),
        ]
        #expect(failure.outcome == .eventError && failure.error is Boom)
        #expect(failure.tags["event_source"] == expected[name]?.0)
        #expect(failure.tags["record_id"].map { String($0.prefix(8)) } == expected[name]?.1)
    }

    @Test("an event without a handler of its own goes to the one for everything, or to none", arguments: Fixture.names)
    func others(_ name: String) async throws {
        let seen = Collected<String>()
        let json = try Fixture.text(name)
        let ran = try await run(json) { $0.any(of: String.self) { seen.add($0.body) } }
        #expect(ran.json == "null" && seen.values == [json])
        #expect(try await run(json) { _ in }.outcome == nil)
    }

    @Test("two lines of events, and two handlers for one kind, are an error that says so")
    func duplicates() {
        var events = Events()
        events.stream(of: String.self) { _ in }
        #expect(EventHandlers([events], nil).problem == nil)
        #expect(EventHandlers([events, Events()], nil).problem?.description.contains("one line of Events") == true)
        events.stream(of: Int.self) { _ in }
        #expect(EventHandlers([events], nil).problem?.description.hasPrefix("events.stream(of:) is called twice") == true)
        var others = Events()
        others.any(of: Int.self) { _ in 7 }
        others.any(of: Int.self) { _ in }
        #expect(EventHandlers([others], nil).problem?.description.hasPrefix("events.any(of:)") == true)
    }

    @Test("once the guard has acted, a failure is the time-out, and has one record")
    func timedOut() async throws {
        let state = InvocationScope.State()
        let failures = Failures()
        var events = Events()
        events.queue(of: String.self) { _ in
            InvocationScope.current?.state.isTimedOut = true
            throw Boom()
        }
        let handlers = EventHandlers([events], nil)
        let event = try #require(IncomingEvent(Array(try queueEvent(["1", "2"]).utf8)))
        let scope = InvocationScope(requestID: "r", state: state, follower: nil)
        _ = await InvocationScope.$current.withValue(scope) { await handlers.run(event, requestID: "r", failures) }
        #expect(failures.outcomes == ["timeout"] && state.isTimedOut && state.hasFailed)
    }
}
