import Foundation
import Synchronization

/// A Runtime API of raw sockets that hands out events and keeps every request byte for byte.
package final class MockRuntimeAPI: Sendable {
    /// What one `next` is answered with.
    package struct Event: Sendable {
        package var id: String
        package var body: [UInt8]
        /// In the place of, or besides, the usual headers; an empty value stands for an empty header, nil for none.
        package var headers: [String: String?] = [:]
        package var chunked = false
        /// Whether the connection ends with the event, as it says.
        package var closes = false
        /// Milliseconds from now to the deadline.
        package var timeout: Int64 = 30_000

        package init(_ body: String, id: String = "req-1", timeout: Int64 = 30_000) {
            self.id = id
            self.timeout = timeout
            self.body = Array(body.utf8)
        }

        package init(bytes: [UInt8], id: String = "req-1") {
            self.id = id
            self.body = bytes
        }
    }

    /// What becomes of a POST.
    package enum Verdict: Sendable {
        case status(Int)
        /// The same, with bytes behind the response that belong to nothing.
        case statusAndMore(Int, String)
        /// The same, after which the connection ends, which the response does not say.
        case statusAndEnd(Int)
        /// Close without a response, before the request is read.
        case reset
        /// Read so many bytes of the request, then close.
        case closeAfter(Int)
    }

    private struct State {
        var events: [Event]
        var messages: [WireMessage] = []
        var extensionCalls: [WireMessage] = []
        var handedOut = 0
        var nexts = 0
        var connections = 0
        var posts = 0
    }

    package let port: UInt16
    private let listener: RawSocket
    private let state: Mutex<State>
    private let verdict: @Sendable (_ post: Int) -> Verdict
    private let beforeNext: @Sendable (_ next: Int) -> Void
    private let resetsAfterNext: Bool
    private let endStatus: Int
    private let cutsStreams: Bool
    /// Connections on which an event is in hand: until the last one is done with, nobody hears of the end, which would stop the others.
    private let inHand = EventsInHand()

    /// - Parameters:
    ///   - endStatus: What `next` is answered with when no events are left.
    ///   - resetsAfterNext: Whether each connection is reset once it has delivered an event.
    ///   - cutsStreams: Whether a POST is read for its first 1000 bytes and then reset.
    ///   - receiveBuffer: How many bytes the kernel takes in for a reader that is not there yet; nil for its own choice.
    ///   - beforeNext: Called before each `next` is answered, by its number from 0.
    ///   - verdict: What becomes of each POST, by its number from 0.
    package init(
        _ events: [Event], endStatus: Int = 410, resetsAfterNext: Bool = false, cutsStreams: Bool = false,
        receiveBuffer: CInt? = nil, verdict: @escaping @Sendable (_ post: Int) -> Verdict = { _ in .status(202) },
        beforeNext: @escaping @Sendable (_ next: Int) -> Void = { _ in }
    ) {
        self.beforeNext = beforeNext
        (listener, port) = RawSocket.listen(receiveBuffer: receiveBuffer)
        state = Mutex(State(events: events))
        self.verdict = verdict
        self.resetsAfterNext = resetsAfterNext
        self.endStatus = endStatus
        self.cutsStreams = cutsStreams
        let thread = Thread { [self] in acceptAll() }
        thread.start()
    }

    package func stop() { listener.shutdown() }

    /// Every request so far, in the order in which they came.
    package var messages: [WireMessage] { state.withLock { $0.messages } }
    /// What was asked of the Extensions API, apart from all others.
    package var extensionCalls: [WireMessage] { state.withLock { $0.extensionCalls } }
    package var posts: [WireMessage] { messages.filter { $0.method == "POST" } }
    package var connections: Int { state.withLock { $0.connections } }

    private func acceptAll() {
        while let socket = listener.accept() {
            state.withLock { $0.connections += 1 }
            Thread { [self] in serve(socket) }.start()
        }
    }

    private func serve(_ socket: RawSocket) {
        let reader = WireReader(socket)
        var hasEvent = false
        func isDone() {
            if hasEvent { inHand.change(-1) }
            hasEvent = false
        }
        defer { isDone() }
        while let message = reader.next(hasBody: !cutsStreams) {
            if message.target.hasPrefix("/2020-01-01/extension/") {
                state.withLock { state in
                    // The first call of each of its two connections.
                    state.connections -= 1
                    state.extensionCalls.append(message)
                }
                // Who waits for events gets none.
                if message.method == "POST" {
                    socket.write("HTTP/1.1 200 OK\r\nLambda-Extension-Identifier: mock\r\nContent-Length: 2\r\n\r\n{}")
                }
                continue
            }
            if cutsStreams, message.method == "POST" {
                socket.resetOnClose()
                return
            }
            if message.method == "GET" {
                isDone()
                beforeNext(
                    state.withLock { state in
                        defer { state.nexts += 1 }
                        return state.nexts
                    })
                let event = state.withLock { state -> Event? in
                    state.messages.append(message)
                    guard state.handedOut < state.events.count else { return nil }
                    inHand.change(1)
                    defer { state.handedOut += 1 }
                    return state.events[state.handedOut]
                }
                hasEvent = event != nil
                guard let event else {
                    inHand.waitForNone()
                    socket.write("HTTP/1.1 \(endStatus) End\r\nContent-Length: 2\r\n\r\n{}")
                    continue
                }
                socket.write(Self.answer(event))
                if event.closes { return }
                if resetsAfterNext {
                    socket.resetOnClose()
                    return
                }
                continue
            }
            let number = state.withLock { state in
                defer { state.posts += 1 }
                return state.posts
            }
            let verdict = verdict(number)
            switch verdict {
            case .reset:
                socket.resetOnClose()
                return
            case .closeAfter:
                state.withLock { $0.messages.append(message) }
                return
            case .status(let status), .statusAndMore(let status, _), .statusAndEnd(let status):
                state.withLock { $0.messages.append(message) }
                let body = "{\"status\":\"\(status)\"}"
                var answer =
                    "HTTP/1.1 \(status) X\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                if case .statusAndMore(_, let more) = verdict { answer += more }
                socket.write(answer)
                if case .statusAndEnd = verdict { return }
                if message["connection"]?.lowercased() == "close" { return }
            }
        }
    }

    private static func answer(_ event: Event) -> [UInt8] {
        let deadline = Int64(Date().timeIntervalSince1970 * 1000) + event.timeout
        var headers: [String: String?] = [
            "Lambda-Runtime-Aws-Request-Id": event.id,
            "Lambda-Runtime-Deadline-Ms": String(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-2:123456789012:function:shop:live",
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
            "Content-Type": "application/json",
        ]
        if event.closes { headers["Connection"] = "close" }
        headers.merge(event.headers) { _, new in new }
        var text = "HTTP/1.1 200 OK\r\n"
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) { if let value { text += "\(name): \(value)\r\n" } }
        guard event.chunked else {
            return Array("\(text)Content-Length: \(event.body.count)\r\n\r\n".utf8) + event.body
        }
        var bytes = Array("\(text)Transfer-Encoding: chunked\r\n\r\n".utf8)
        for start in stride(from: 0, to: event.body.count, by: 7) {
            let part = event.body[start..<min(start + 7, event.body.count)]
            bytes += Array("\(String(part.count, radix: 16))\r\n".utf8) + part + [13, 10]
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }
}

/// Counts; waits for zero, ten seconds at most.
private final class EventsInHand: @unchecked Sendable {  // protected by the condition's lock
    private let condition = NSCondition()
    private var count = 0

    func change(_ by: Int) {
        condition.withLock {
            count += by
            condition.broadcast()
        }
    }

    func waitForNone() {
        let limit = Date(timeIntervalSinceNow: 10)
        condition.withLock { while count > 0, condition.wait(until: limit) {} }
    }
}
