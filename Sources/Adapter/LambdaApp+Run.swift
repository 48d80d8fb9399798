internal import SluiceCore
internal import CSluiceRuntime
internal import Logging
internal import SluiceMiddleware
internal import SluiceReporting
internal import SluiceStreaming

#if Local
internal import SluiceLocal
#endif

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Why `run()` cannot begin.
public struct RunError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, for the log.
    public let description: String

    /// A process serves one app.
    public static let alreadyRunning = RunError(description: "LambdaApp.run() was called before in this process")
    /// `AWS_LAMBDA_RUNTIME_API` is not set, and the package trait `Local` is off.
    public static let notOnLambda = RunError(
        description: "AWS_LAMBDA_RUNTIME_API is not set, and this build has no local Lambda (trait 'Local')")
}

extension LambdaApp {
    /// Serves invocations until the process ends. Outside Lambda, starts the local Lambda with this program in it.
    ///
    /// Installs ``LambdaLogHandler`` as swift-log's backend, unless the app has bootstrapped one of its own.
    /// What stops start-up is recorded, reported through `init/error`, and ends the process with status 1; so does a Runtime
    /// API that is gone. Returns when its task is cancelled.
    /// - Parameter bootstrapsLogging: Pass `false` when your program calls `LoggingSystem.bootstrap` with a
    ///   `StreamLogHandler`, which cannot be told from swift-log's default.
    /// - Throws: ``RunError``.
    public func run(bootstrapsLogging: Bool = true) async throws {
        try await Self.run(bootstrapsLogging: bootstrapsLogging) { self }
    }

    /// As ``run(bootstrapsLogging:)``, with the making of the app as part of start-up.
    ///
    /// ```swift
    /// try await LambdaApp.run {
    ///     let store = try await Store()
    ///     return makeApp(store)
    /// }
    /// ```
    /// What the closure throws is one record and one report, is told through `init/error`, and ends the process with status 1. What a program
    /// throws before it calls `run` is a trap, of which Lambda is told nothing. Under the local Lambda the closure runs in the child alone.
    ///
    /// - Parameters:
    ///   - bootstrapsLogging: As there.
    ///   - makeApp: Called once, before the first invocation is asked for.
    /// - Throws: ``RunError``; what `makeApp` throws never comes out of it.
    public static func run(
        bootstrapsLogging: Bool = true, _ makeApp: @Sendable () async throws -> LambdaApp
    ) async throws {
        guard firstRun.take() else { throw RunError.alreadyRunning }
        sluice_line_buffer_stdout()
        let environment = ProcessEnvironment.all()
        guard environment["AWS_LAMBDA_RUNTIME_API"] != nil else { return try await startLocal(environment) }
        let end = await Server.serve(
            environment, bootstrapsLogging: bootstrapsLogging, endProcess: { _exit(1) }, makeApp)
        if end == .failed { exit(1) }
    }

    private static func startLocal(_ environment: Environment) async throws {
        #if Local
        var variables: [String: String] = [:]
        environment.forEach { variables[$0] = $1 }
        await LocalLambda.runAndExit(environment: variables)
        #else
        throw RunError.notOnLambda
        #endif
    }
}

private let firstRun = Once()
