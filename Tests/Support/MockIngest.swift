import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// An error tracker of raw sockets: keeps every request byte for byte, and answers, hangs or resets as it is told.
package final class MockIngest: Sendable {
    /// A request as it stood on the wire.
    package struct Request: Sendable {
        /// From 0, in the order in which they were read.
        package var number: Int
        /// Of the connection it came on, from 0.
        package var connection: Int
        /// When it had been read: Unix epoch milliseconds.
        package var time: Int64
        /// Head and body; `raw` has all of its bytes.
        package var message: WireMessage
    }

    /// What becomes of a request.
    package enum Verdict: Sendable {
        /// Read it and answer; `closes` ends the connection afterwards, without having said so.
        case answer(Int, headers: [String: String] = [:], body: String = "{}", closes: Bool = false)
        /// Nothing is read, and the connection is reset.
        case resetBeforeReading
        /// All of it is read, and the connection is reset.
        case resetAfterReading
        /// All of it is read, and the connection ends in order, without a response.
        case closeAfterReading
        /// All of it is read, and nothing follows until the client or ``stop()`` ends the connection.
        case hang
    }

    private struct State {
        var requests: [Request] = []
        var attempts = 0
        var connections = 0
        var open: [ObjectIdentifier: RawSocket] = [:]
        var isStopped = false
        var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

        mutating func ready() -> [CheckedContinuation<Void, Never>] {
            let ready = waiting.filter { $0.count <= requests.count || isStopped }
            waiting.removeAll { $0.count <= requests.count || isStopped }
            return ready.map(\.continuation)
        }
    }

    package let port: UInt16
    private let listener: RawSocket
    private let state = Mutex(State())
    private let verdict: @Sendable (_ attempt: Int) -> Verdict

    /// - Parameters:
    ///   - port: That of a server which has been stopped; 0 for a new one.
    ///   - verdict: What becomes of each request, by its number from 0, those that are never read counted too. Called on the
    ///     connection's own thread when the request's first byte is there: it may block there to hold everything back.
    package init(port: UInt16 = 0, verdict: @escaping @Sendable (_ attempt: Int) -> Verdict = { _ in .answer(200) }) {
        (listener, self.port) = RawSocket.listen(port: port)
        self.verdict = verdict
        Thread { [self] in acceptAll() }.start()
    }

    /// A DSN of this server: key `public`, project 42.
    package var dsn: String { "http://public@127.0.0.1:\(port)/42" }

    /// From here on connections are refused, and the open ones end.
    package func stop() {
        listener.shutdown()
        let (open, ready) = state.withLock { state in
            state.isStopped = true
            return (state.open.values, state.ready())
        }
        for socket in open { socket.shutdown() }
        for continuation in ready { continuation.resume() }
    }

    /// Every request so far that was read.
    package var requests: [Request] { state.withLock(\.requests) }
    /// How many requests have begun, those counted that were not read.
    package var attempts: Int { state.withLock(\.attempts) }
    package var connections: Int { state.withLock(\.connections) }

    /// The requests, as soon as there are so many of them, or ``stop()`` was called.
    package func requests(atLeast count: Int) async -> [Request] {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                let isReady = state.requests.count >= count || state.isStopped
                if !isReady { state.waiting.append((count, continuation)) }
                return isReady
            }
            if isReady { continuation.resume() }
        }
        return requests
    }

    private func acceptAll() {
        while let socket = listener.accept() {
            let number = state.withLock { state in
                defer { state.connections += 1 }
                state.open[ObjectIdentifier(socket)] = socket
                return state.connections
            }
            Thread { [self] in
                serve(socket, number)
                _ = state.withLock { $0.open.removeValue(forKey: ObjectIdentifier(socket)) }
            }.start()
        }
    }

    private func serve(_ socket: RawSocket, _ connection: Int) {
        let reader = WireReader(socket)
        while Self.hasBytes(socket) {
            let attempt = state.withLock { state in
                defer { state.attempts += 1 }
                return state.attempts
            }
            let verdict = verdict(attempt)
            if case .resetBeforeReading = verdict { return socket.resetOnClose() }
            guard let message = reader.next(), !message.isCut else { return }
            record(message, connection)
            switch verdict {
            case .answer(let status, let headers, let body, let closes):
                var text = "HTTP/1.1 \(status) X\r\nContent-Length: \(body.utf8.count)\r\n"
                for (name, value) in headers.sorted(by: { $0.key < $1.key }) { text += "\(name): \(value)\r\n" }
                socket.write(text + "\r\n" + body)
                if closes || message["connection"]?.lowercased() == "close" { return }
            case .hang:
                _ = socket.readToEnd()
                return
            case .resetAfterReading, .resetBeforeReading: return socket.resetOnClose()
            case .closeAfterReading: return
            }
        }
    }

    private func record(_ message: WireMessage, _ connection: Int) {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let ready = state.withLock { state in
            state.requests.append(
                Request(number: state.requests.count, connection: connection, time: now, message: message))
            return state.ready()
        }
        for continuation in ready { continuation.resume() }
    }

    /// Waits for the first byte and leaves it there; false at the end.
    private static func hasBytes(_ socket: RawSocket) -> Bool {
        var byte: UInt8 = 0
        return recv(socket.descriptor, &byte, 1, CInt(MSG_PEEK)) == 1
    }
}
