internal import Synchronization

/// Writes server-sent events.
public struct EventWriter: Sendable {
    private let writer: BodyWriter
    /// When something was last sent; nil where nobody asks.
    private let last: Last?

    private final class Last: Sendable {
        let moment = Mutex(ContinuousClock.now)
    }

    package init(_ writer: BodyWriter) { (self.writer, last) = (writer, nil) }

    private init(_ writer: BodyWriter, _ last: Last) { (self.writer, self.last) = (writer, last) }

    /// Sends one event: a write of its own, so that it reaches the client when it happens.
    ///
    /// - Throws: As ``BodyWriter/write(_:)-([UInt8])``.
    public func send(_ event: ServerSentEvent) async throws { try await write(event.text) }

    /// Sends an event that has data only.
    ///
    /// - Throws: As ``BodyWriter/write(_:)-([UInt8])``.
    public func send(_ data: String) async throws { try await send(ServerSentEvent(data)) }

    /// Sends a comment, which browsers ignore: it keeps proxies from closing a quiet stream. Line breaks become spaces.
    ///
    /// - Throws: As ``BodyWriter/write(_:)-([UInt8])``.
    public func comment(_ text: String) async throws {
        try await write(": \(ServerSentEvent.lines(of: text).joined(separator: " "))\n\n")
    }

    private func write(_ text: String) async throws {
        try await writer.write(text)
        last?.moment.withLock { $0 = .now }
    }

    /// Runs `body`, and sends an empty comment whenever nothing was sent for so long.
    package func run(heartbeat: Duration, _ body: (EventWriter) async throws -> Void) async throws {
        let beating = EventWriter(writer, Last())
        // `body` stays in this task: what it says of its invocation is said of the whole.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await beating.beat(every: min(max(heartbeat, .milliseconds(100)), .seconds(1_000_000))) }
            try await body(beating)
            group.cancelAll()
        }
    }

    private func beat(every interval: Duration) async throws {
        while !Task.isCancelled {
            let next = (last?.moment.withLock(\.self) ?? .now) + interval
            if next > .now {
                // Cancelled when the body has ended.
                do { try await Task.sleep(until: next, clock: .continuous) } catch { return }
            } else {
                // A reader that is gone: the body hears of it at its own next write.
                do { try await write(":\n\n") } catch { return }
            }
        }
    }
}
