public import SluiceCore

/// Handlers of what is no HTTP request: a line of an app's list, beside its routes or in their place.
///
/// ```swift
/// var events = Events()
/// events.queue(of: Order.self) { message in try await store.insert(message.body) }
/// events.schedule { _ in try await store.prune() }
///
/// try await LambdaApp { routes; events }.run()
/// ```
/// One handler for each kind. What a handler throws has one record and one report, and the source repeats what has failed, and no more than
/// that where it can. Middleware does not see events. An app has one line of them.
public struct Events: Sendable {
    /// In the order in which they were registered.
    private(set) var handlers: [EventHandler] = []

    /// No handlers yet.
    public init() {}

    // MARK: Queues and streams

    /// Handles the messages of SQS queues, one after the other.
    ///
    /// A message whose body cannot be decoded, or whose handler throws, is received again; the others of its batch are not, except in a FIFO
    /// queue what comes after it in its group. For this the event source mapping **must** have
    /// `FunctionResponseTypes: [ReportBatchItemFailures]`: without it Lambda deletes failed messages.
    ///
    /// - Parameters:
    ///   - type: What a body is: JSON, or `String`, or `[UInt8]`.
    ///   - handle: Called once for each message, in a scope of its own.
    @_alwaysEmitIntoClient
    public mutating func queue<Body: Decodable & Sendable>(
        of type: Body.Type, _ handle: @escaping @Sendable (QueueMessage<Body>) async throws -> Void
    ) {
        queue({ try JSONCoders.decode(Body.self, from: $0, with: $1) }, handle)
    }

    @usableFromInline
    mutating func queue<Body: Sendable>(
        _ reading: @escaping JSONReading<Body>, _ handle: @escaping @Sendable (QueueMessage<Body>) async throws -> Void
    ) {
        handlers.append(.queue { try await handle(QueueMessage($0, BodyReader(reading, $1))) })
    }

    /// Handles the records of Kinesis streams and the changes of DynamoDB tables, one after the other.
    ///
    /// At the first record that fails the batch stops there, and is repeated from that record on. For this the event source mapping **must** have
    /// `FunctionResponseTypes: [ReportBatchItemFailures]`: without it failed records are taken for handled.
    ///
    /// - Parameters:
    ///   - type: What a record's data is: JSON, or `String`, or `[UInt8]`. An item of DynamoDB is ordinary JSON.
    ///   - handle: Called once for each record, in a scope of its own.
    @_alwaysEmitIntoClient
    public mutating func stream<Body: Decodable & Sendable>(
        of type: Body.Type, _ handle: @escaping @Sendable (StreamRecord<Body>) async throws -> Void
    ) {
        stream({ try JSONCoders.decode(Body.self, from: $0, with: $1) }, handle)
    }

    @usableFromInline
    mutating func stream<Body: Sendable>(
        _ reading: @escaping JSONReading<Body>, _ handle: @escaping @Sendable (StreamRecord<Body>) async throws -> Void
    ) {
        handlers.append(.stream { try await handle(StreamRecord($0, BodyReader(reading, $1))) })
    }

    // MARK: Topics and buckets

    /// Handles the messages of SNS topics. Where one fails the invocation fails, and SNS's delivery is repeated.
    ///
    /// - Parameters:
    ///   - type: What a body is: JSON, or `String`, or `[UInt8]`.
    ///   - handle: Called once for each message, in a scope of its own.
    @_alwaysEmitIntoClient
    public mutating func topic<Body: Decodable & Sendable>(
        of type: Body.Type, _ handle: @escaping @Sendable (TopicMessage<Body>) async throws -> Void
    ) {
        topic({ try JSONCoders.decode(Body.self, from: $0, with: $1) }, handle)
    }

    @usableFromInline
    mutating func topic<Body: Sendable>(
        _ reading: @escaping JSONReading<Body>, _ handle: @escaping @Sendable (TopicMessage<Body>) async throws -> Void
    ) {
        handlers.append(.topic { try await handle(TopicMessage($0, BodyReader(reading, $1))) })
    }

    /// Handles what happens to the objects of S3 buckets. Where one fails the invocation fails, and is repeated.
    ///
    /// - Parameter handle: Called once for each object, in a scope of its own.
    public mutating func object(_ handle: @escaping @Sendable (ObjectEvent) async throws -> Void) {
        handlers.append(.object { envelope, _ in try await handle(ObjectEvent(envelope)) })
    }

    // MARK: EventBridge

    /// Handles schedules: EventBridge's rules, and EventBridge Scheduler's where a schedule names no payload. One of your own comes to
    /// ``any(of:_:)-(_,(DirectEvent<Body>)->Result)``. What is thrown fails the invocation.
    public mutating func schedule(_ handle: @escaping @Sendable (ScheduledEvent) async throws -> Void) {
        handlers.append(.schedule { envelope, _ in try await handle(ScheduledEvent(envelope)) })
    }

    /// Handles EventBridge's other events. What is thrown fails the invocation.
    ///
    /// - Parameter type: What a `detail` is: JSON, or its text as `String`, or as `[UInt8]`.
    @_alwaysEmitIntoClient
    public mutating func bus<Body: Decodable & Sendable>(
        of type: Body.Type, _ handle: @escaping @Sendable (BusEvent<Body>) async throws -> Void
    ) {
        bus({ try JSONCoders.decode(Body.self, from: $0, with: $1) }, handle)
    }

    @usableFromInline
    mutating func bus<Body: Sendable>(
        _ reading: @escaping JSONReading<Body>, _ handle: @escaping @Sendable (BusEvent<Body>) async throws -> Void
    ) {
        handlers.append(.bus { try await handle(BusEvent($0, BodyReader(reading, $1))) })
    }

    // MARK: Everything else

    /// Handles direct invocations, and every event that has no other handler. What is thrown fails the invocation.
    ///
    /// - Parameters:
    ///   - type: What the event is: JSON, or its text as `String`, or as `[UInt8]`.
    ///   - handle: Its result is the reply, as JSON.
    @_alwaysEmitIntoClient
    public mutating func any<Body: Decodable & Sendable, Result: Encodable & Sendable>(
        of type: Body.Type, _ handle: @escaping @Sendable (DirectEvent<Body>) async throws -> Result
    ) {
        any(
            { try JSONCoders.decode(Body.self, from: $0, with: $1) }, { try JSONCoders.encode($0, with: $1) }, handle)
    }

    @usableFromInline
    mutating func any<Body: Sendable, Result: Sendable>(
        _ reading: @escaping JSONReading<Body>, _ writing: @escaping JSONWriting<Result>,
        _ handle: @escaping @Sendable (DirectEvent<Body>) async throws -> Result
    ) {
        handlers.append(.any { try writing(try await handle(DirectEvent($0, BodyReader(reading, $1))), $1) })
    }

    /// Handles direct invocations, and every event that has no other handler: the reply is `null`. What is thrown fails the invocation.
    ///
    /// - Parameter type: What the event is: JSON, or its text as `String`, or as `[UInt8]`.
    @_alwaysEmitIntoClient
    public mutating func any<Body: Decodable & Sendable>(
        of type: Body.Type, _ handle: @escaping @Sendable (DirectEvent<Body>) async throws -> Void
    ) {
        any({ try JSONCoders.decode(Body.self, from: $0, with: $1) }, handle)
    }

    @usableFromInline
    mutating func any<Body: Sendable>(
        _ reading: @escaping JSONReading<Body>, _ handle: @escaping @Sendable (DirectEvent<Body>) async throws -> Void
    ) {
        handlers.append(
            .any {
                try await handle(DirectEvent($0, BodyReader(reading, $1)))
                return EventRun.null
            })
    }
}

/// Handlers that an app cannot have beside each other; stops start-up.
public struct EventsError: Error, Equatable, CustomStringConvertible {
    /// What is wrong.
    public let description: String
}
