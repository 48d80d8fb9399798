package import SluiceCore
package import Logging
public import SluiceMiddleware
internal import SluiceReporting
internal import SluiceStreaming

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// An HTTP app for AWS Lambda: middleware, routes, `CaptureErrors` and `FlushReports`, in this order.
///
/// ```swift
/// try await LambdaApp.run {
///     LambdaApp {
///         RequestID()
///         routes
///         CaptureErrors()
///         FlushReports(within: .seconds(2))
///     }
/// }
/// ```
/// The list reads downwards like the way of an invocation, and the compiler checks its order. An app that names neither of
/// the last two has both.
public struct LambdaApp: Sendable {
    let chain: Chain
    /// Shared by all copies of the app.
    let life = Life()

    /// Builds an app from its list; nothing runs yet.
    ///
    /// - Parameters:
    ///   - errorResponse: Shapes the response to an error; ``problemResponse(to:for:)`` unless replaced.
    ///   - json: How JSON is written and read; ``JSONCoders/standard`` unless given.
    ///   - pipeline: The app's list.
    /// - Throws: What the list's own expressions throw.
    public init(
        errorResponse: @escaping ErrorResponder = problemResponse(to:for:), json: JSONCoders? = nil,
        @PipelineBuilder _ pipeline: () throws -> CompletePipeline
    ) rethrows {
        chain = Chain(try pipeline(), responder: errorResponse, json: json)
    }

    /// Runs the pipeline in this process, for tests: what a client would get under buffered mode, without a deadline and a
    /// limit of size. Reporters that the app names in code hear of failures, those of the environment do not.
    ///
    /// A streamed body is collected, whatever its size. What was thrown is in the response's ``Response/error``; so is what ``validate()``
    /// would throw, in a 500: an app that cannot start answers nothing.
    public func respond(to request: Request) async -> Response {
        await inScope(of: request) { response, reporter in
            let whole = await chain.collected(response, to: request, limit: .max)
            await chain.complete(whole, of: request, reporter)
            return whole
        }
    }

    /// As ``respond(to:)-(Request)``, under streaming mode: a streamed body's chunks are handed out as they are written, and each write
    /// waits until `eachChunk` has returned.
    ///
    /// - Parameters:
    ///   - request: What is asked.
    ///   - eachChunk: Gets each chunk, a body that is no stream in one. When it throws, the client counts as gone: the write in hand
    ///     and later ones throw `BodyWriterError.disconnected`.
    /// - Returns: The response without its body. Its ``Response/error`` is what cut the body, or what the response stands for.
    public func respond(
        to request: Request, eachChunk: @escaping @Sendable (_ chunk: [UInt8]) async throws -> Void
    ) async -> Response {
        await respond(to: request, watchedBy: nil, onHead: { _ in }, eachChunk: eachChunk)
    }

    /// As ``respond(to:eachChunk:)``, for a test client.
    ///
    /// - Parameter onHead: Gets the response as it is when its head leaves: before the first chunk, and when it is flushed.
    package func respond(
        to request: Request, watchedBy watcher: AppWatcher?, onHead: @escaping @Sendable (Response) -> Void,
        eachChunk: @escaping @Sendable (_ chunk: [UInt8]) async throws -> Void
    ) async -> Response {
        await inScope(of: request, watchedBy: watcher) { response, reporter in
            guard !response.isPlain else {
                onHead(response)
                return await respondWhole(response, to: request, reporter, eachChunk)
            }
            let sent = response
            let sink = ChunkSink(onHead: { onHead(sent) }, eachChunk)
            var cause: (any Error)?
            do { try await response.writeBody(to: BodyWriter(sink)) } catch { cause = error }
            if let cause, !sink.headIsGone {
                let honest = await chain.wholeResponse(to: cause, of: response, to: request, limit: .max)
                onHead(honest)
                return await respondWhole(honest, to: request, reporter, eachChunk)
            }
            if let cause {
                let mark = response.failureMark(of: cause, for: request)
                // A reader that is gone reads no mark.
                if !mark.isEmpty { try? await sink.write(mark, nil) }
            }
            if !sink.headIsGone { onHead(response) }
            await chain.complete(response, cutBy: cause, bytesWritten: sink.bytesWritten, of: request, reporter)
            var head = response
            head.isCut = cause != nil
            head.body = .empty
            head.error = cause ?? head.error
            return head
        }
    }

    /// Runs the chain, and `send` with what comes out of it, in a scope of the request's own.
    private func inScope(
        of request: Request, watchedBy watcher: AppWatcher? = nil, _ send: (Response, Reporters) async -> Response
    ) async -> Response {
        let reporter = Reporters(
            watcher?.logger ?? Logger(label: "sluice"), chain.reporters.resolved([:]) + (watcher?.reporters ?? []))
        let state = InvocationScope.State()
        watcher?.began(state)
        let scope = InvocationScope(
            requestID: request.id, deadline: request.deadline, state: state,
            follower: Reports.follower(for: reporter))
        return await InvocationScope.$current.withValue(scope) {
            do {
                try chain.validate()
            } catch {
                return await send(chain.response(to: error, of: Response(), to: request), reporter)
            }
            var response = await chain.respond(to: request)
            // On Lambda the guard has answered by now.
            if state.isTimedOut, response.error == nil {
                response = chain.response(to: CancellationError(), of: response, to: request)
            }
            let sent = await send(response, reporter)
            await chain.runAfterReply(reporter)
            // What `FlushReports(when: .afterReply)` has left for this moment.
            if watcher != nil { await reporter.settle(within: chain.flush.limit) }
            return sent
        }
    }

    private func respondWhole(
        _ response: Response, to request: Request, _ reporter: Reporters,
        _ eachChunk: @Sendable ([UInt8]) async throws -> Void
    ) async -> Response {
        await chain.complete(response, of: request, reporter)
        var head = response
        head.body = .empty
        do {
            if let bytes = response.body.bytes, !bytes.isEmpty { try await eachChunk(bytes) }
        } catch {
            head.error = head.error ?? error
        }
        return head
    }

    /// What would stop start-up, the first of it: two routes that answer the same requests, a pattern that cannot be read, or
    /// what a middleware says of itself.
    ///
    /// - Throws: ``RouteError``, ``MiddlewareError``, or what a middleware's own `validate()` throws.
    public func validate() throws { try chain.validate() }
}

/// What a test client wants to see of an app that it runs.
package struct AppWatcher: Sendable {
    /// Where the records of failures go.
    package let logger: Logger
    /// Who hears of failures besides the app's own reporters.
    package let reporters: [any ErrorReporter]
    /// Called with the state of each invocation before it runs.
    package let began: @Sendable (InvocationScope.State) -> Void

    package init(
        logger: Logger, reporters: [any ErrorReporter], began: @escaping @Sendable (InvocationScope.State) -> Void = { _ in }
    ) {
        (self.logger, self.reporters, self.began) = (logger, reporters, began)
    }
}

extension LambdaApp {
    /// Serves as ``run(bootstrapsLogging:)`` does, until its task is cancelled, with a test's watcher in the place of the process's reporting.
    package func serve(_ environment: Environment, watchedBy watcher: AppWatcher) async {
        let reporters = Reporters(watcher.logger, chain.reporters.resolved([:]) + watcher.reporters)
        let endProcess: @Sendable () -> Void = {
            let words = "a handler holds its thread at the deadline: on Lambda its process ends here, and so do these tests\n"
            _ = words.withCString { write(STDERR_FILENO, $0, strlen($0)) }
            _exit(1)
        }
        _ = await Server.serve(environment, bootstrapsLogging: false, reporter: reporters, endProcess: endProcess) { self }
    }
}
