internal import CSluiceRuntime
internal import SluiceStreaming
internal import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Lambda on a laptop: this process is the service, its child is the very program that will run on AWS.
package enum LocalLambda {
    /// Serves on a loopback port until a signal ends it, or the cancellation of its task: a group of services may hear the signals in its
    /// place. Leaves no process behind, however it ends.
    package static func runAndExit(environment: [String: String], arguments: [String] = CommandLine.arguments) async -> Never {
        let console = Console()
        do {
            let settings = try LocalSettings(environment, arguments: arguments)
            let loop = try EventLoop()
            try loop.start("sluice-local")
            let serving = Task(executorPreference: loop) {
                try await serve(loop, settings, environment, arguments, console)
            }
            exit(
                try await withTaskCancellationHandler {
                    try await serving.value
                } onCancel: {
                    serving.cancel()
                })
        } catch {
            console.problem("\(error)")
            exit(1)
        }
    }

    private static func serve(
        _ loop: EventLoop, _ settings: LocalSettings, _ environment: [String: String], _ arguments: [String],
        _ console: Console
    ) async throws -> CInt {
        let signals = try WakeUp()
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            guard sluice_wake_on_signal(signal, signals.descriptor) == 0 else { throw SystemError.last("sigaction") }
        }
        let door = try listenAtDoor(settings.port)
        let arguments = arguments.filter { $0 != LocalSettings.watchArgument }
        let program = try settings.program ?? ownPath()
        let build = try settings.watched.map { try WatchedBuild(program: program, folders: $0) }
        let copy = try build.map { try ProgramCopy(of: $0.program) }
        defer { copy?.remove() }
        let factory = SandboxFactory(
            loop: loop, settings: settings, program: copy?.path ?? program, arguments: arguments, environment: environment,
            console: console)
        let pool = SandboxPool(loop, limit: settings.sandboxes, console, make: factory.make)
        let port = door.localPort
        let gateway = settings.front.gateway
        let mode = gateway.canStream ? " mode \(settings.urlMode.rawValue)" : ""
        console.line(
            "Lambda on this machine: http://127.0.0.1:\(port)  "
                + "(\(settings.front.title)\(mode), time-out \(settings.timeout.milliseconds) ms)")
        let front = FrontEnd(function: pool, gateway: gateway, port: port, console: console)
        Task(executorPreference: loop) {
            await Listener(loop: loop, socket: door, console: console).run { await front.serve($0) }
        }
        try pool.start()
        let watcher: Watcher? =
            if let build, let copy { Watcher(loop, build, copy, pool, environment, console) } else { nil }
        watcher?.start()
        do {
            try await loop.wait(until: .readable, on: signals.descriptor)
        } catch  where Task.isCancelled {}
        withExtendedLifetime(signals) {}
        watcher?.stop()
        // Not cancelled with this task.
        await Task(executorPreference: loop) { await pool.shutDown() }.value
        return sluice_last_signal() == 0 ? 0 : 128 + sluice_last_signal()
    }

    private static func listenAtDoor(_ port: UInt16) throws -> Socket {
        do throws(SystemError) {
            return try Socket.listen(onLoopbackPort: port)
        } catch {
            guard error.code == EADDRINUSE else { throw error }
            throw LocalSettings.Problem(
                description: "port \(port) is taken by another program: stop it, or choose another port with PORT=8081")
        }
    }

    /// This program's file.
    private static func ownPath() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { throw SystemError.last("readlink") }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// What Lambda sets, where the caller has not set it; and where reports go, which an empty `SENTRY_DSN` turns off.
    static func childEnvironment(
        _ environment: [String: String], apiPort: UInt16, inboxPort: UInt16, _ arguments: [String], sandbox: Int = 1
    ) -> [String: String] {
        let name = arguments.first?.split(separator: "/").last.map(String.init) ?? "local"
        var defaults = [
            "AWS_LAMBDA_FUNCTION_NAME": name, "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/\(name)",
            "AWS_LAMBDA_LOG_STREAM_NAME": sandbox == 1 ? "local" : "local-\(sandbox)",
            "AWS_REGION": "us-east-1", "_HANDLER": "bootstrap",
        ]
        #if Sentry
        defaults["SENTRY_DSN"] = ReportInbox.dsn(port: inboxPort)
        #endif
        var result = environment.merging(defaults) { own, _ in own }
        result["AWS_LAMBDA_RUNTIME_API"] = "127.0.0.1:\(apiPort)"
        if sandbox > 1 {
            // On AWS each has a disk of its own: nobody sends what another one has kept, and is still sending.
            let root = result["SLUICE_SPOOL"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp/sluice-spool"
            result["SLUICE_SPOOL"] = "\(root)/sandbox-\(sandbox)"
        }
        return result
    }
}
