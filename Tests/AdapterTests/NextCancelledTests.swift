import Foundation
import SluiceTestSupport
import Synchronization
import Testing

@testable import Sluice
@testable import SluiceCore
@testable import SluiceStreaming

/// What becomes of an event that comes at the moment in which nobody wants one any more.
@Suite struct NextCancelledTests {
    @Test(
        "an event that is at the socket when `next` is cancelled is served: nobody else would be given it",
        arguments: [0, 20_000])
    func eventAtTheSocket(padding: Int) async throws {
        let (listener, port) = RawSocket.listen()
        let loop = try EventLoop()
        try loop.start("test")
        defer { loop.stop() }
        let address = try #require(HostPort("127.0.0.1:\(port)"))
        let next = Task(executorPreference: loop) { try await RuntimeClient(loop, address: address).next() }
        let peer = try #require(listener.accept())
        let request = WireReader(peer).next()
        #expect(request?.target == "/2018-06-01/runtime/invocation/next")
        // The loop looks at nothing while the event comes and the task is cancelled.
        let (isHeld, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let holding = Task(executorPreference: loop) {
            isHeld.signal()
            Self.block(on: mayGoOn)
        }
        await Self.aside { isHeld.wait() }
        let body = "{\"a\":\"\(String(repeating: "x", count: padding))\"}"
        peer.write(
            "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: here\r\nLambda-Runtime-Deadline-Ms: 1\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        next.cancel()
        mayGoOn.signal()
        await holding.value
        #expect(try await next.value.id == "here")
        #expect(try await next.value.event.count == body.utf8.count)
    }

    @Test("one that waits is cancelled")
    func waiting() async throws {
        let (listener, port) = RawSocket.listen()
        let loop = try EventLoop()
        try loop.start("test")
        defer { loop.stop() }
        let address = try #require(HostPort("127.0.0.1:\(port)"))
        let next = Task(executorPreference: loop) { try await RuntimeClient(loop, address: address).next() }
        let peer = try #require(listener.accept())
        _ = WireReader(peer).next()
        next.cancel()
        await #expect(throws: CancellationError.self) { try await next.value }
    }

    private static func block(on semaphore: DispatchSemaphore) { semaphore.wait() }

    private static func aside(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            Thread {
                body()
                continuation.resume()
            }.start()
        }
    }
}
