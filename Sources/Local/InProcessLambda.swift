internal import SluiceStreaming
internal import SluiceCore

/// The local Lambda for an app in this very process: the front door and the Runtime API, without a child, a freeze and a console.
package final class InProcessLambda: Sendable {
    /// Of the front door, on 127.0.0.1.
    package let port: UInt16
    /// What the app needs in its environment.
    package let environment: [String: String]
    private let loop: EventLoop
    private let listeners: [Task<Void, Never>]

    /// - Parameters:
    ///   - front: What stands in front of the function.
    ///   - streams: Whether a Function URL or a REST API, and with it the app, streams.
    ///   - timeout: The function's.
    ///   - platformErrorEvery: As ``LocalSettings/platformErrorEvery``.
    /// - Throws: `SystemError`, where there is no port or no thread to be had.
    package init(
        front: FrontEndKind = .functionURL, streams: Bool, timeout: Duration, platformErrorEvery: Int? = nil
    ) throws {
        var settings = try LocalSettings([:])
        settings.front = front
        settings.urlMode = streams ? .responseStream : .buffered
        settings.timeout = timeout
        settings.platformErrorEvery = platformErrorEvery
        settings.freezes = false
        // Nobody reads it: what goes wrong is in the response.
        let console = Console(output: -1, problems: -1)
        let loop = try EventLoop()
        try loop.start("sluice-test-lambda")
        let door = try Socket.listen(onLoopbackPort: 0)
        let api = try Socket.listen(onLoopbackPort: 0)
        self.loop = loop
        port = door.localPort
        environment = LocalLambda.childEnvironment(
            ["AWS_LWA_INVOKE_MODE": settings.urlMode.rawValue, "SENTRY_DSN": ""], apiPort: api.localPort, inboxPort: 0, ["test"]
        )
        let (number, ready) = (port, settings)
        listeners = [
            Task(executorPreference: loop) {
                let broker = Broker(loop, ready, OwnProcess(), console)
                broker.startIfNeeded()
                let server = RuntimeAPIServer(broker: broker, settings: ready, console: console)
                let front = FrontEnd(function: broker, gateway: ready.front.gateway, port: number, console: console)
                defer { broker.stop() }
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await Listener(loop: loop, socket: api, console: console).run { await server.serve($0) } }
                    group.addTask { await Listener(loop: loop, socket: door, console: console).run { await front.serve($0) } }
                }
            }
        ]
    }

    /// Stops listening, and ends its thread once nobody listens any more.
    package func stop() {
        let (loop, listeners) = (loop, listeners)
        Task(executorPreference: loop) {
            for listener in listeners {
                listener.cancel()
                await listener.value
            }
            loop.stop()
        }
    }
}
