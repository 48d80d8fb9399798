@_spi(JSON) package import SluiceCore

/// One handler, its body's type forgotten: it decodes what it is given.
enum EventHandler: Sendable {
    typealias Of<Envelope, Result> = @Sendable (Envelope, JSONCoders?) async throws -> Result

    case queue(Of<QueueEnvelope, Void>)
    case stream(Of<StreamEnvelope, Void>)
    case topic(Of<TopicEnvelope, Void>)
    case object(Of<ObjectEnvelope, Void>)
    case schedule(Of<BusEnvelope, Void>)
    case bus(Of<BusEnvelope, Void>)
    case any(Of<DirectEnvelope, [UInt8]>)

    /// How it was registered.
    var registration: String {
        switch self {
        case .queue: EventSource.queue.registration
        case .stream: EventSource.kinesis.registration
        case .topic: EventSource.topic.registration
        case .object: EventSource.object.registration
        case .schedule: EventSource.schedule.registration
        case .bus: EventSource.bus.registration
        case .any: EventSource.other.registration
        }
    }

    func handles(_ source: EventSource) -> Bool { registration == source.registration }
}

/// An app's handlers of events.
package final class EventHandlers: Sendable {
    private let lines: [Events]
    private let coders: JSONCoders?

    /// - Parameters:
    ///   - lines: Those of the app's list: one, if it is to start.
    ///   - coders: How bodies are read, and results are written; nil for the standard way.
    package init(_ lines: [Events], _ coders: JSONCoders?) { (self.lines, self.coders) = (lines, coders) }

    /// What must stop start-up.
    package var problem: EventsError? {
        guard lines.count < 2 else {
            return EventsError(description: "an app has one line of Events: register all handlers with one of them")
        }
        var known: Set<String> = []
        for handler in lines.flatMap(\.handlers) where !known.insert(handler.registration).inserted {
            return EventsError(
                description: "\(handler.registration) is called twice: an app has one handler for each kind of event")
        }
        return nil
    }

    /// The event's own handler, or the one for everything.
    private func handler(of source: EventSource) -> EventHandler? {
        let all = lines.flatMap(\.handlers)
        return all.first { $0.handles(source) } ?? all.first { $0.handles(.other) }
    }

    /// Runs the event's handler, record by record where it has records. Failures of single records are on record when it returns, in the
    /// scope of each; nothing is flushed yet.
    ///
    /// - Parameter requestID: The invocation's.
    /// - Returns: Nil where nobody handles such events.
    package func run(_ event: IncomingEvent, requestID: String, _ reporter: any SettlingReporter) async -> EventOutcome? {
        guard let handler = handler(of: event.source) else { return nil }
        let run = EventRun(event: event, requestID: requestID, coders: coders, reporter: reporter)
        switch handler {
        case .queue(let handle): return await run.queue(handle)
        case .stream(let handle): return await run.stream(handle)
        case .topic(let handle): return await run.each(handle)
        case .object(let handle): return await run.each(handle)
        case .schedule(let handle), .bus(let handle):
            return await run.whole { () throws(JSONError) in
                try BusEnvelope(LambdaEvent(json: event.json), requestID: requestID)
            } _: { envelope, coders in
                try await handle(envelope, coders)
                return EventRun.null
            }
        case .any(let handle):
            return await run.whole(
                { DirectEnvelope(LambdaEvent(json: event.json), event.source, requestID: requestID) }, handle)
        }
    }
}
