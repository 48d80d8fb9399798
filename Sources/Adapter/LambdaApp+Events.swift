internal import Logging
internal import SluiceCore
public import SluiceEvents
internal import SluiceMiddleware
internal import SluiceReporting

extension LambdaApp {
    /// Runs an event's handler in this process, for tests: what Lambda would get as the result, without a deadline. Reporters that the app
    /// names in code hear of failures, those of the environment do not.
    ///
    /// Failed records of a queue or a stream are in the result's `batchItemFailures`.
    /// - Parameter event: An event that is no HTTP request.
    /// - Throws: What fails the invocation: what the handler threw, or why there is none; and what ``validate()`` throws.
    public func respond(to event: LambdaEvent) async throws -> LambdaEvent {
        try await respond(to: event, watchedBy: nil)
    }

    /// As ``respond(to:)-(LambdaEvent)``, for a test client.
    package func respond(to event: LambdaEvent, watchedBy watcher: AppWatcher?) async throws -> LambdaEvent {
        try validate()
        let reporter = Reporters(
            watcher?.logger ?? Logger(label: "sluice"), chain.reporters.resolved([:]) + (watcher?.reporters ?? []))
        let state = InvocationScope.State()
        watcher?.began(state)
        let id = RequestIDSource.next()
        let scope = InvocationScope(requestID: id, state: state, follower: Reports.follower(for: reporter))
        return try await InvocationScope.$current.withValue(scope) {
            let result = try await run(event, id, reporter)
            await chain.runAfterReply(reporter)
            // What `FlushReports(when: .afterReply)` has left for this moment.
            if watcher != nil { await reporter.settle(within: chain.flush.limit) }
            return LambdaEvent(json: try result.get())
        }
    }

    private func run(_ event: LambdaEvent, _ id: String, _ reporter: Reporters) async throws -> Result<[UInt8], any Error> {
        let refusal: EventError
        do throws(EventError) {
            let request = try RequestEvent(event.json, id: id, deadline: nil)
            throw EventError(description: "an HTTP event: send it as a request", form: request.form)
        } catch {
            refusal = error
        }
        guard !refusal.isHTTP, let incoming = IncomingEvent(event.json) else { throw refusal }
        guard let outcome = await chain.respond(to: incoming, requestID: id, reporter)?.fitting else {
            throw refusal.withoutHandler(for: incoming)
        }
        await chain.complete(outcome, reporter)
        return outcome.result
    }
}
