internal import SluiceCore
internal import SluiceMiddleware
internal import SluiceStreaming

/// The way of one invocation: event, request, chain, response, reply. Runs on the worker's loop, in the invocation's scope. A class: what
/// it is made of would lie in the frame of each call.
final class InvocationHandler: Sendable {
    let invocation: Invocation
    let chain: Chain
    let reporter: any SettlingReporter
    let reply: Reply
    let rules: EventRules
    let guarded: GuardedInvocation?
    /// What the app wants done after a thaw that was this long; nil without one. Done when the event is known: the guard may have to answer
    /// in its form meanwhile.
    let thaw: (life: Life, gap: Duration)?

    init(
        invocation: Invocation, chain: Chain, reporter: any SettlingReporter, reply: Reply, rules: EventRules = EventRules(),
        guarded: GuardedInvocation?, thaw: (life: Life, gap: Duration)? = nil
    ) {
        (self.invocation, self.chain, self.reporter, self.reply) = (invocation, chain, reporter, reply)
        (self.rules, self.guarded, self.thaw) = (rules, guarded, thaw)
    }

    /// - Throws: ``RuntimeAPIError`` only: everything else has been answered and recorded.
    func run() async throws {
        let request: Request
        do {
            let event = try RequestEvent(invocation, rules)
            (request, reply.form) = (event.request, event.form)
        } catch {
            return error.isHTTP ? try await respondToBadEvent(error) : try await respondToEvent(orRefuse: error)
        }
        guarded?.tell { $0.request = request }
        if let thaw { await thaw.life.thaw(after: thaw.gap, reporter) }
        let response = await chain.respond(to: request)
        if reply.isWrittenAsItComes(response) {
            try await stream(response, to: request)
        } else {
            try await sendWhole(response, to: request)
        }
    }

    // MARK: Events that are no requests

    func respondToBadEvent(_ error: EventError) async throws {
        guard reply.commit() == .made else { return }
        await capture(.badEvent(error))
        guard let form = error.form else {
            return try await accepted(nil) { try await reply.fail(ErrorDocument(badEvent: error)) }
        }
        reply.form = form
        var request = Request(.get, "/")
        request.id = invocation.id
        let refusal = HTTPError(.badRequest, "Invalid request", detail: error.description, cause: error)
        let response = await chain.wholeResponse(to: refusal, of: Response(), to: request, limit: Reply.limit)
        try await accepted(request) { try await reply.send(reply.draft(response, to: request.method)) }
    }

    // MARK: Responses

    /// Collects a response, accounts for it, and sends it in one message.
    private func sendWhole(_ response: Response, to request: Request) async throws {
        var whole = response.isPlain ? response : await chain.collected(response, to: request, limit: Reply.limit)
        var draft = reply.draft(whole, to: request.method)
        if let problem = draft.problem {
            whole = await chain.wholeResponse(to: problem, of: whole, to: request, limit: Reply.limit)
            draft = reply.draft(whole, to: request.method)
            if draft.problem != nil {
                // Its headers are what is too large.
                whole = Response(respondingTo: problem, to: request, with: problemResponse).observed(as: whole)
                draft = reply.draft(whole, to: request.method)
            }
        }
        guard await complete(whole, of: request) else { return }
        if reply.failsInvocation(whole.status) {
            try await fail(with: whole.status.code, request)
        } else {
            // Without a closure: each invocation comes by here.
            do { try await reply.send(draft) } catch { try await outlive(error, request) }
        }
    }

    /// Sends a response while its body is produced, and accounts for it before the last chunk.
    private func stream(_ response: Response, to request: Request) async throws {
        let stream: StreamReply
        do throws(ReplyTooLarge) {
            stream = try reply.stream(response, to: request.method)
        } catch {
            return try await sendWhole(
                await chain.wholeResponse(to: error, of: response, to: request, limit: Reply.limit), to: request)
        }
        reply.keep(timeoutMark: response.failureMark(of: HTTPError(.gatewayTimeout), for: request))
        do {
            try await response.writeBody(to: BodyWriter(stream))
        } catch  where !stream.headIsGone {
            stream.letGo()
            // Nothing has left: the response can still be an honest one.
            return try await sendWhole(
                await chain.wholeResponse(to: error, of: response, to: request, limit: Reply.limit), to: request)
        } catch {
            let mark = response.failureMark(of: error, for: request)
            // Where it cannot be written the reader is gone, or the guard has the stream: both are told below.
            if !mark.isEmpty {
                stream.goesOnWhenCancelled()
                try? await stream.write(mark)
            }
            let isOurs = await complete(response, cutBy: error, bytesWritten: stream.bytesWritten, of: request)
            guard isOurs else { return }
            return try await accepted(request, isRecorded: true) { try await stream.finish(ErrorDocument(error)) }
        }
        guard await complete(response, bytesWritten: stream.headIsGone ? stream.bytesWritten : nil, of: request) else { return }
        try await accepted(request) { try await stream.finish() }
    }

    /// A status that `AWS_LWA_ERROR_STATUS_CODES` lists makes the invocation a failed one.
    private func fail(with status: Int, _ request: Request) async throws {
        // From 500 on the failure has its record already, unless that was switched off.
        if InvocationScope.current?.state.hasFailed != true { await capture(.errorStatus(status, request)) }
        try await accepted(request) { try await reply.fail(ErrorDocument(status: status)) }
    }

    /// Commits this worker to the response and accounts for it; without `bytesWritten` nothing has left yet.
    ///
    /// - Returns: False where the guard has taken the reply over: status and record are the guard's, and nothing is to be sent.
    func complete(
        _ response: Response, cutBy error: (any Error)? = nil, bytesWritten: Int? = nil, of request: Request
    ) async -> Bool {
        guard reply.commit() == .takenOver else {
            await chain.complete(response, cutBy: error, bytesWritten: bytesWritten, of: request, reporter)
            return true
        }
        if bytesWritten != nil {
            await chain.complete(
                response, cutBy: error ?? HandlerTimeout(), bytesWritten: bytesWritten, of: request, isRecorded: true,
                reporter)
        } else {
            let late = response.replaced(
                by: HandlerTimeout(), for: request, with: { _, _ in Response(status: reply.guardStatus) })
            await chain.complete(late, of: request, isRecorded: true, reporter)
        }
        return false
    }

    // MARK: What the Runtime API says

    /// Sends something; what the Runtime API does not take, and the sandbox survives, is recorded.
    ///
    /// - Parameter isRecorded: Whether a failure of the stream itself is on record already.
    func accepted(
        _ request: Request?, isRecorded: Bool = false, _ call: () async throws -> Void
    ) async throws {
        do { try await call() } catch { try await outlive(error, request, isRecorded: isRecorded) }
    }

    private func outlive(_ error: any Error, _ request: Request?, isRecorded: Bool = false) async throws {
        switch error {
        case let refused as ReplyRefused:
            reply.wasRefused()
            await capture(.refused(refused, request))
        case BodyWriterError.finished:
            // The guard has answered in the meantime, and recorded it.
            break
        case let error as BodyWriterError:
            reply.wasRefused()
            if !isRecorded, let request { await capture(.readerGone(error, request)) }
        default: throw error
        }
    }

    /// Records a failure that the chain could not see, and delivers it before the response leaves.
    func capture(_ failure: Failure) async { await chain.record(failure, reporter) }
}
