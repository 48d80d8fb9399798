internal import SluiceStreaming
internal import SluiceCore

/// Makes sandboxes, each with a Runtime API and a report inbox of its own: who calls is known by the port.
struct SandboxFactory: Sendable {
    let loop: EventLoop
    let settings: LocalSettings
    let program: String
    let arguments: [String]
    /// Of this process.
    let environment: [String: String]
    let console: Console

    /// - Parameter number: From 1 on. What is said of the first bears no number.
    /// - Throws: ``SystemError``, where there is no port to be had.
    func make(_ number: Int) throws(SystemError) -> Broker {
        var console = console
        if number > 1 { console.sandbox = number }
        let api = try Socket.listen(onLoopbackPort: 0)
        let ingest = try Socket.listen(onLoopbackPort: 0)
        let sandbox = Sandbox(
            loop, program: program, in: settings.programFolder, arguments: arguments,
            environment: LocalLambda.childEnvironment(
                environment, apiPort: api.localPort, inboxPort: ingest.localPort, arguments, sandbox: number))
        let broker = Broker(loop, settings, sandbox, console)
        let server = RuntimeAPIServer(broker: broker, settings: settings, console: console)
        let inbox = ReportInbox(desk: ReportDesk(broker: broker, console: console), sandbox: sandbox, console: console)
        listen(api, console) { await server.serve($0) }
        listen(ingest, console) { await inbox.serve($0) }
        return broker
    }

    private func listen(_ socket: Socket, _ console: Console, _ serve: @escaping @Sendable (ServerConnection) async -> Void) {
        let listener = Listener(loop: loop, socket: socket, console: console)
        Task(executorPreference: loop) { await listener.run(serve) }
    }
}
