internal import SluiceMiddleware
internal import SluiceReporting
internal import SluiceStreaming

/// The trip of one invocation: event, request, chain, answer. Runs on the worker's loop, in the invocation's scope.
struct Trip: Sendable {
    let invocation: Invocation
    let context: WorkerContext
    let client: Confined<RuntimeClient>
    let token: ReplyToken
    let guarded: GuardedTrip?

    private var mode: Settings.InvokeMode { context.settings.invokeMode }
    private var id: String { invocation.id }

    /// - Throws: ``RuntimeAPIError`` only: everything else has been answered and recorded.
    func run() async throws {
        let request: Request
        do {
            request = try makeRequest()
        } catch {
            return try await answerBadEvent(error)
        }
        guarded?.tell { $0.request = request }
        let response = await context.chain.respond(to: request, reporter: context.reporter)
        switch mode {
        case .buffered: try await sendBuffered(response, to: request)
        case .responseStream: try await sendStream(response, to: request)
        }
    }

    private func makeRequest() throws(EventError) -> Request {
        var request = try HTTPEvent(invocation.event).request(id: id, deadline: invocation.deadline)
        request.lambda = LambdaContext(
            event: LambdaEvent(json: invocation.event), functionARN: invocation.functionARN,
            traceID: invocation.traceID, tenantID: invocation.tenantID, identity: invocation.identity,
            clientContext: invocation.clientContext, deadline: invocation.deadline)
        return request
    }

    // MARK: Events that are no requests

    private func answerBadEvent(_ error: EventError) async throws {
        context.reporter.record(
            FailureRecord(
                .badEvent, error.isHTTP ? "the request was answered with 400" : "the event is no HTTP request",
                error: error, status: error.isHTTP ? 400 : nil, level: error.isHTTP ? .warning : .error))
        guard error.isHTTP else {
            guard token.take(.answer) else { return }
            return try await accepted {
                try await client.value.fail(id, ErrorDocument(error, category: .runtime, fallback: "InvalidEvent"))
            }
        }
        var request = Request(.get, "/")
        request.id = id
        let answer = HTTPError(.badRequest, "Invalid request", detail: error.description, cause: error)
        let response = Response(answering: answer, to: request, with: context.chain.answer)
        switch mode {
        case .buffered: try await post(response)
        case .responseStream: try await stream(response, for: request)
        }
    }

    // MARK: Buffered

    private func sendBuffered(_ response: Response, to request: Request) async throws {
        let whole = await response.collected(for: request, with: context.chain.answer, limit: Envelope.limit)
        if context.settings.errorStatusCodes.contains(whole.status.code) {
            return try await failInvocation(whole, request)
        }
        try await post(whole, of: request)
    }

    private func post(_ response: Response, of request: Request? = nil) async throws {
        var bytes = Envelope.encode(response)
        if bytes.count > Envelope.limit {
            let error = ReplyTooLarge(size: bytes.count)
            capture(
                FailureRecord(.replyUnusable, "the answer is too large and became a 500", error: error, status: 500), request)
            let request = request ?? Request(.get, "/")
            bytes = Envelope.encode(response.replaced(by: error, for: request, with: context.chain.answer))
        }
        guard token.take(.answer) else { return }
        let body = bytes
        try await accepted { try await client.value.respond(id, body) }
    }

    /// A status that `AWS_LWA_ERROR_STATUS_CODES` lists makes the invocation a failed one.
    private func failInvocation(_ response: Response, _ request: Request) async throws {
        let status = response.status.code
        // From 500 on the failure has its record already, unless that was switched off.
        if !context.scopeHasFailed {
            capture(
                FailureRecord(
                    .errorStatus, "an answer with \(status) fails the invocation", error: response.error, status: status),
                request)
        }
        guard token.take(.answer) else { return }
        let document = ErrorDocument(
            type: ErrorType(.function, fallback: "ErrorStatus"), errorType: "ErrorStatus",
            message: "the handler answered with status \(status)")
        try await accepted { try await client.value.fail(id, document) }
    }

    // MARK: Streamed

    private func sendStream(_ response: Response, to request: Request) async throws {
        if context.settings.errorStatusCodes.contains(response.status.code) {
            // The body runs all the same: whoever waits for its end must see it.
            let whole = await response.collected(for: request, with: context.chain.answer, limit: Envelope.limit)
            return try await failInvocation(whole, request)
        }
        try await stream(response, for: request)
    }

    private func stream(_ response: Response, for request: Request) async throws {
        let reply = StreamReply(id, client.value, token, prelude: Prelude.encode(response))
        guarded?.tell { $0.stream = reply }
        let empty: @Sendable () -> [UInt8] = { Prelude.encodeEmpty(response, as: context.settings.emptyStream) }
        do {
            try await response.body.write(to: BodyWriter(reply))
        } catch  where !reply.headIsGone {
            return try await streamError(response.replaced(by: error, for: request, with: context.chain.answer))
        } catch {
            let document = ErrorDocument(error)
            return try await finished(reply, request) { try await reply.finish(document, empty: empty) }
        }
        try await finished(reply, request) { try await reply.finish(empty: empty) }
    }

    /// The answer to an error that came before the head: a whole one.
    private func streamError(_ response: Response) async throws {
        let reply = StreamReply(id, client.value, token, prelude: Prelude.encode(response))
        guarded?.tell { $0.stream = reply }
        try await finished(reply, nil) {
            try await reply.write(response.body.bytes)
            try await reply.finish { Prelude.encodeEmpty(response, as: context.settings.emptyStream) }
        }
    }

    private func finished(_ reply: StreamReply, _ request: Request?, _ body: () async throws -> Void) async throws {
        do {
            try await accepted(body)
        } catch BodyWriterError.finished {
            // The guard has answered in the meantime, and recorded it.
        } catch let error as BodyWriterError {
            // The handler's own write has failed and is on record, unless the handler kept it to itself.
            if !context.scopeHasFailed {
                capture(FailureRecord(.replyRefused, "the Runtime API stopped reading the answer", error: error), request)
            }
        }
    }

    // MARK: What the Runtime API says

    /// Runs a call; a refusal that the sandbox survives is recorded.
    private func accepted(_ call: () async throws -> Void) async throws {
        do {
            try await call()
        } catch let refused as ReplyRefused {
            capture(
                FailureRecord(.replyRefused, "the Runtime API did not take the answer", error: refused, status: refused.status),
                nil)
        }
    }

    private func capture(_ failure: FailureRecord, _ request: Request?) {
        var failure = failure
        failure.method = request?.method.rawValue
        failure.path = request?.rawPath
        context.reporter.record(failure)
    }
}

extension WorkerContext {
    /// Whether the current invocation has a failure on record.
    var scopeHasFailed: Bool { InvocationScope.current?.progress.hasFailed == true }
}
