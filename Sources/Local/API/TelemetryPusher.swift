internal import SluiceCore
internal import SluiceStreaming

/// Sends records to one subscriber, in batches, as Lambda does: it waits as long as need be, since a frozen process answers when it is thawed.
/// Confined to the event loop.
final class TelemetryPusher: @unchecked Sendable {  // used on the loop's thread only
    struct Limits {
        let items: Int
        let bytes: Int
        /// How long a record waits for others.
        let time: Duration
    }

    private let loop: EventLoop
    private let port: UInt16
    private let path: String
    private let host: String
    private let console: Console
    private let limits: Limits
    private var records: [String] = []
    private var isAtWork = false
    private var isOver = false
    private var socket: Socket?

    init(_ loop: EventLoop, port: UInt16, path: String, host: String, console: Console, limits: Limits) {
        self.loop = loop
        self.port = port
        self.path = path
        self.host = String(host.dropFirst("http://".count).prefix { $0 != "/" })
        self.console = console
        self.limits = limits
    }

    func add(_ record: String) {
        guard !isOver else { return }
        records.append(record)
        guard !isAtWork else { return }
        isAtWork = true
        Task(executorPreference: loop) {
            await self.work()
            self.isAtWork = false
        }
    }

    /// The process has ended.
    func stop() {
        isOver = true
        records = []
        socket?.abort()
    }

    private func work() async {
        do {
            while !records.isEmpty, !isOver {
                try await loop.pause(for: limits.time)
                try await send(takeBatch())
            }
        } catch {
            socket = nil
            guard !isOver else { return }
            console.problem("the telemetry subscriber at port \(port) does not take its records: \(error)")
            records = []
        }
    }

    private func takeBatch() -> [UInt8] {
        var size = 2
        var count = 0
        for record in records.prefix(limits.items) {
            size += record.utf8.count + 1
            if size > limits.bytes, count > 0 { break }
            count += 1
        }
        defer { records.removeFirst(count) }
        return Array("[\(records[..<count].joined(separator: ","))]".utf8)
    }

    private func send(_ body: [UInt8]) async throws {
        guard !isOver else { return }
        let head = """
            POST \(path) HTTP/1.1\r
            Host: \(host)\r
            Content-Type: application/json\r
            Content-Length: \(body.count)\r
            \r

            """
        let used = try socket.flatMap { $0.isIdleAndAlive ? $0 : nil } ?? Socket(connectingTo: "127.0.0.1", port: port)
        socket = used
        try await loop.send([Array(head.utf8)[...], body[...]], on: used)
        let parser = HTTPParser(.response)
        var buffer: [UInt8] = []
        while !parser.isComplete {
            if !buffer.isEmpty { buffer.removeFirst(try parser.parse(buffer[...])) }
            if parser.isComplete { break }
            guard try await loop.receive(appendingTo: &buffer, from: used, cancellable: false) else {
                throw HTTPParseError(reason: "it closed the connection")
            }
        }
        if parser.head?.keepsAlive != true { socket = nil }
    }
}
