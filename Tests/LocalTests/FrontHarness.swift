import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceLocal
@testable import SluiceStreaming

/// A front end and the Runtime API behind it, on a loop of their own. The test is the client and the app, both on raw sockets.
final class FrontHarness: Sendable {
    let port: UInt16
    private let api: UInt16
    private let loop: EventLoop
    private let listeners: [Task<Void, Never>]
    private let console: WireLines
    private let problems: WireLines

    init(_ kind: FrontEndKind, streams: Bool = false) throws {
        let (console, problems) = (try WireLines(), try WireLines())
        let loop = try EventLoop()
        try loop.start("front-test")
        let sink = Console(output: console.descriptor, problems: problems.descriptor)
        var settings = try LocalSettings([:])
        (settings.front, settings.urlMode, settings.freezes) = (kind, streams ? .responseStream : .buffered, false)
        let (door, api) = (try Socket.listen(onLoopbackPort: 0), try Socket.listen(onLoopbackPort: 0))
        (port, self.api) = (door.localPort, api.localPort)
        let (ready, port) = (settings, door.localPort)
        listeners = [
            Task(executorPreference: loop) {
                let broker = Broker(loop, ready, OwnProcess(), sink)
                broker.startIfNeeded()
                let server = RuntimeAPIServer(broker: broker, settings: ready, console: sink)
                let front = FrontEnd(function: broker, gateway: ready.front.gateway, port: port, console: sink)
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await Listener(loop: loop, socket: api, console: sink).run { await server.serve($0) } }
                    group.addTask { await Listener(loop: loop, socket: door, console: sink).run { await front.serve($0) } }
                }
                broker.stop()
            }
        ]
        (self.console, self.problems, self.loop) = (console, problems, loop)
    }

    deinit {
        let (loop, listeners) = (loop, listeners)
        Task(executorPreference: loop) {
            for listener in listeners {
                listener.cancel()
                await listener.value
            }
            loop.stop()
        }
    }

    /// What came of one request.
    struct Exchange {
        /// The event as the app got it.
        let event: JSONView
        let client: WireMessage
        /// What the Runtime API answered to the reply.
        let accepted: Int
        /// The console's line for the invocation, with the notes below.
        let report: String
    }

    /// Sends a request, hands its event to the app, and passes the app's reply back.
    func exchange(_ request: [UInt8], hasBody: Bool = true, reply: [UInt8]) throws -> Exchange {
        let client = try #require(RawSocket.connect(port: port))
        client.write(request)
        let app = try #require(RawSocket.connect(port: api))
        let reader = WireReader(app)
        app.write("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
        let invocation = try #require(reader.next())
        let id = try #require(invocation["Lambda-Runtime-Aws-Request-Id"])
        app.write("POST /2018-06-01/runtime/invocation/\(id)/")
        app.write(reply)
        let accepted = try #require(reader.next()).status
        let message = try #require(WireReader(client).next(hasBody: hasBody))
        let method = String(decoding: request.prefix { $0 != 0x20 }, as: UTF8.self)
        var lines: [String] = []
        while let line = console.next() {
            lines.append(line)
            if line.contains("  \(method) ") { break }
        }
        // A marker in the same line of bytes: what stands before it are the notes.
        Console(output: console.descriptor, problems: -1).line("end of notes")
        while let line = console.next(), line != "end of notes" { lines.append(line) }
        return Exchange(
            event: try #require(JSONView(invocation.body)), client: message, accepted: accepted,
            report: lines.joined(separator: "\n"))
    }

    func exchange(
        _ target: String = "/", _ lines: [String] = [], method: String = "POST", body: [UInt8] = [], hasBody: Bool = true,
        reply: [UInt8] = FrontHarness.whole(#"{"statusCode":200}"#)
    ) throws -> Exchange {
        try exchange(Self.request(target, lines, method: method, body: body), hasBody: hasBody, reply: reply)
    }

    /// A request that the front end answers by itself.
    func refused(_ request: [UInt8]) throws -> (client: WireMessage, line: String) {
        let client = try #require(RawSocket.connect(port: port))
        client.write(request)
        return (try #require(WireReader(client).next()), try #require(console.next()))
    }

    static func request(_ target: String, _ lines: [String] = [], method: String = "POST", body: [UInt8] = []) -> [UInt8] {
        let length = body.isEmpty ? [] : ["Content-Length: \(body.count)"]
        let head = ["\(method) \(target) HTTP/1.1", "Host: shop.example"] + lines + length + ["Connection: close", "", ""]
        return Array(head.joined(separator: "\r\n").utf8) + body
    }

    /// A buffered reply, behind the invocation's path.
    static func whole(_ json: String) -> [UInt8] {
        Array("response HTTP/1.1\r\nHost: x\r\nContent-Length: \(json.utf8.count)\r\n\r\n\(json)".utf8)
    }

    /// A streamed reply of these chunks.
    static func stream(
        _ chunks: [[UInt8]], type: String = "application/vnd.awslambda.http-integration-response"
    ) -> [UInt8] {
        let head = [
            "response HTTP/1.1", "Host: x", "Content-Type: \(type)", "Lambda-Runtime-Function-Response-Mode: streaming",
            "Transfer-Encoding: chunked", "", "",
        ]
        var bytes = Array(head.joined(separator: "\r\n").utf8)
        for chunk in chunks { bytes += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8) }
        return bytes + Array("0\r\n\r\n".utf8)
    }

    /// A prelude, the delimiter and a body, in one.
    static func prelude(_ json: String, _ body: String = "") -> [UInt8] {
        Array(json.utf8) + [UInt8](repeating: 0, count: 8) + Array(body.utf8)
    }
}
