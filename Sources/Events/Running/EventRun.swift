@_spi(JSON) internal import SluiceCore

/// One event on its way through its handler.
struct EventRun {
    let event: IncomingEvent
    let requestID: String
    let coders: JSONCoders?
    let reporter: any SettlingReporter

    /// The reply where there is nothing to say.
    static let null = Array("null".utf8)

    // MARK: One by one, each with its own end

    /// A queue's messages: those that fail are named, the others are done with.
    func queue(_ handle: EventHandler.Of<QueueEnvelope, Void>) async -> EventOutcome {
        await batch(field: "messageId") { (records: [QueueEnvelope]) in
            var rest = Rest()
            // In a FIFO queue, groups of which a message has failed: what comes after it must wait for it.
            var held: Set<[UInt8]> = []
            for record in records {
                if Task.isCancelled {
                    rest.leave(record)
                } else if !held.isEmpty, held.contains(record.group) {
                    rest.failed.append(record)
                } else if await attempt(record, handle) != nil {
                    rest.fail(record)
                    if record.isFIFO { held.insert(record.group) }
                }
            }
            return rest
        }
    }

    /// A stream's records: the first that fails ends the batch, which is repeated from there.
    func stream(_ handle: EventHandler.Of<StreamEnvelope, Void>) async -> EventOutcome {
        await batch(field: "SequenceNumber") { (records: [StreamEnvelope]) in
            var rest = Rest()
            for (index, record) in records.enumerated() {
                if Task.isCancelled {
                    rest.leave(record)
                    rest.left = records.count - index
                    return rest
                }
                guard await attempt(record, handle) != nil else { continue }
                rest.fail(record)
                return rest
            }
            return rest
        }
    }

    /// What is to be repeated of a batch.
    private struct Rest {
        /// In their order.
        var failed: [any EventEnvelope] = []
        /// How many the end of the invocation's time has left unhandled.
        var left = 0
        private var hasFailedCancelled = false

        mutating func fail(_ record: any EventEnvelope) {
            failed.append(record)
            hasFailedCancelled = Task.isCancelled
        }

        mutating func leave(_ record: any EventEnvelope) {
            failed.append(record)
            left += 1
        }

        /// Whether the end of the invocation's time has a failure of a record that tells of it.
        var isTold: Bool { left == 0 || hasFailedCancelled }

        /// The reply that Lambda asks for with `ReportBatchItemFailures`.
        var reply: [UInt8] {
            var json = JSONWriter()
            json.object { json in
                json.key("batchItemFailures")
                json.array { json in
                    for record in failed { json.object { $0.field("itemIdentifier", record.identifier ?? "") } }
                }
            }
            return json.bytes
        }
    }

    private func batch<Envelope: EventEnvelope>(
        field: String, _ body: ([Envelope]) async -> Rest
    ) async -> EventOutcome {
        let tags = [Failure.sourceTag: event.source.rawValue]
        let records: [Envelope]
        do {
            records = try envelopes()
        } catch {
            return .failed(error, "the batch", tags)
        }
        guard records.allSatisfy({ $0.identifier != nil }) else {
            return .failed(UnnamedRecord(field: field), "the batch", tags)
        }
        let rest = await body(records)
        guard !rest.isTold else { return EventOutcome(.success(rest.reply)) }
        let left = "\(rest.left) of \(records.count) records were not handled: there was no time left"
        return EventOutcome(.success(rest.reply), .of(CancellationError(), left, tags))
    }

    // MARK: One by one, with one end for all

    /// Records of a source that repeats all of them or none: where one fails, the invocation does, after the others.
    func each<Envelope: EventEnvelope>(_ handle: EventHandler.Of<Envelope, Void>) async -> EventOutcome {
        let tags = [Failure.sourceTag: event.source.rawValue]
        let records: [Envelope]
        do {
            records = try envelopes()
        } catch {
            return .failed(error, "the event", tags)
        }
        var first: (any Error)?
        for record in records {
            if Task.isCancelled {
                if let first { return EventOutcome(.failure(first)) }
                return .failed(CancellationError(), "the event", tags)
            }
            if let error = await attempt(record, handle) { first = first ?? error }
        }
        return EventOutcome(first.map { .failure($0) } ?? .success(Self.null))
    }

    private func envelopes<Envelope: EventEnvelope>() throws(JSONError) -> [Envelope] {
        var records: [Envelope] = []
        for record in event.records { records.append(try Envelope(record, requestID: requestID)) }
        return records
    }

    /// Handles one record in a scope of its own, and records its failure there.
    ///
    /// - Returns: What it has failed with.
    private func attempt<Envelope: EventEnvelope>(
        _ record: Envelope, _ handle: EventHandler.Of<Envelope, Void>
    ) async -> (any Error)? {
        await InvocationScope.$current.withValue(InvocationScope.current?.part()) {
            InvocationScope.current?.follower?.matched(record.place)
            do {
                try await handle(record, coders)
                return nil
            } catch {
                reporter.recordOnce(.of(error, "\(record.what) failed", record.tags))
                return error
            }
        }
    }

    // MARK: Whole

    /// An event without records, in the invocation's own scope.
    func whole<Envelope: EventEnvelope>(
        _ envelope: () throws(JSONError) -> Envelope, _ handle: EventHandler.Of<Envelope, [UInt8]>
    ) async -> EventOutcome {
        let record: Envelope
        do {
            record = try envelope()
        } catch {
            return .failed(error, "the event", [Failure.sourceTag: event.source.rawValue])
        }
        InvocationScope.current?.follower?.matched(record.place)
        do {
            return EventOutcome(.success(try await handle(record, coders)))
        } catch {
            return .failed(error, record.what, record.tags)
        }
    }
}
