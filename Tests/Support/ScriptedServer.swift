import Foundation
import Synchronization

/// A server of raw sockets that answers each request as a test says, and keeps all of them byte for byte.
package final class ScriptedServer: Sendable {
    package let port: UInt16
    private let listener: RawSocket
    private let received = Mutex<(messages: [WireMessage], open: Int)>(([], 0))
    private let answer: @Sendable (WireMessage) -> String?
    private let condition = NSCondition()

    /// - Parameter answer: The bytes of a response; nil where the request is left waiting.
    package init(_ answer: @escaping @Sendable (WireMessage) -> String?) {
        (listener, port) = RawSocket.listen()
        self.answer = answer
        Thread { [self] in
            while let socket = listener.accept() { Thread { [self] in serve(socket) }.start() }
        }.start()
    }

    package func stop() { listener.shutdown() }

    package var messages: [WireMessage] { received.withLock(\.messages) }
    /// Connections that the other side has not closed.
    package var openConnections: Int { received.withLock(\.open) }

    private func serve(_ socket: RawSocket) {
        received.withLock { $0.open += 1 }
        defer { change { $0.open -= 1 } }
        let reader = WireReader(socket)
        while let message = reader.next() {
            change { $0.messages.append(message) }
            if let answer = answer(message) { socket.write(answer) }
        }
    }

    private func change(_ body: (inout (messages: [WireMessage], open: Int)) -> Void) {
        received.withLock { state in body(&state) }
        condition.withLock { condition.broadcast() }
    }

    /// Blocks until so many requests have come, ten seconds at most.
    package func waitForMessages(_ count: Int) {
        let limit = Date(timeIntervalSinceNow: 10)
        condition.withLock { while messages.count < count, condition.wait(until: limit) {} }
    }

    /// A response with a JSON body.
    package static func json(_ status: Int, _ body: String, _ lines: String = "") -> String {
        "HTTP/1.1 \(status) X\r\n\(lines)Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}
