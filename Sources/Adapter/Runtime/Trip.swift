internal import HTTPTypes
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
    private var answer: ErrorAnswer { context.chain.answer }

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
        var request = try HTTPEvent(invocation.event).request(
            of: invocation.event, id: id, deadline: invocation.deadline)
        request.door = LambdaContext(invocation)
        return request
    }

    // MARK: Events that are no requests

    private func answerBadEvent(_ error: EventError) async throws {
        await capture(
            FailureRecord(
                .badEvent, error.isHTTP ? "the request was answered with 400" : "the event is no HTTP request",
                error: error, status: error.isHTTP ? 400 : nil, level: error.isHTTP ? .warning : .error), nil)
        guard error.isHTTP else {
            guard token.take(.answer) else { return }
            return try await accepted(nil) {
                try await client.value.fail(id, ErrorDocument(error, category: .runtime, fallback: "InvalidEvent"))
            }
        }
        var request = Request(.get, "/")
        request.id = id
        let refusal = HTTPError(.badRequest, "Invalid request", detail: error.description, cause: error)
        let response = Response(answering: refusal, to: request, with: answer)
        switch mode {
        case .buffered: try await post(response, of: request)
        case .responseStream: try await stream(response, to: request)
        }
    }

    // MARK: Buffered

    private func sendBuffered(_ response: Response, to request: Request) async throws {
        let whole = await response.collected(for: request, with: answer, limit: Envelope.limit)
        if isListed(whole.status) { return try await failInvocation(whole.status, request) }
        try await post(whole, of: request)
    }

    private func post(_ response: Response, of request: Request) async throws {
        var bytes = Envelope.encode(response)
        if bytes.count > Envelope.limit {
            let error = ReplyTooLarge(size: bytes.count)
            if !hasFailed {
                await capture(
                    FailureRecord(.replyUnusable, "the answer is too large and became a 500", error: error, status: 500),
                    request)
            }
            bytes = Envelope.encode(response.replaced(by: error, for: request, with: answer))
            if bytes.count > Envelope.limit {
                // Its headers are what is too large.
                bytes = Envelope.encode(Response(answering: error, to: request, with: problemAnswer))
            }
        }
        guard token.take(.answer) else { return }
        let body = bytes
        try await accepted(request) { try await client.value.respond(id, body) }
    }

    private func isListed(_ status: HTTPResponse.Status) -> Bool { context.settings.errorStatusCodes.contains(status.code) }

    /// A status that `AWS_LWA_ERROR_STATUS_CODES` lists makes the invocation a failed one.
    private func failInvocation(_ status: HTTPResponse.Status, _ request: Request) async throws {
        // From 500 on the failure has its record already, unless that was switched off.
        if !hasFailed {
            await capture(
                FailureRecord(
                    .errorStatus, "an answer with \(status.code) fails the invocation", error: nil, status: status.code),
                request)
        }
        guard token.take(.answer) else { return }
        let document = ErrorDocument(
            type: ErrorType(.function, fallback: "ErrorStatus"), errorType: "ErrorStatus",
            message: "the handler answered with status \(status.code)")
        try await accepted(request) { try await client.value.fail(id, document) }
    }

    // MARK: Streamed

    private func sendStream(_ response: Response, to request: Request) async throws {
        if isListed(response.status) {
            // The body runs all the same: whoever waits for its end must see it.
            let whole = await response.collected(for: request, with: answer, limit: Envelope.limit)
            return try await failInvocation(whole.status, request)
        }
        try await stream(response, to: request)
    }

    private func stream(_ response: Response, to request: Request) async throws {
        let reply = makeReply(response, to: request)
        if response.body.isPlain, response.body.bytes.count < RuntimeClient.joined {
            return try await finished(request) { try await reply.writeWhole(response.body.bytes) }
        }
        do {
            try await response.body.write(to: BodyWriter(reply))
        } catch  where !reply.headIsGone {
            // Nothing has left: the answer can still be an honest one.
            let honest = response.replaced(by: error, for: request, with: answer)
            if isListed(honest.status) { return try await failInvocation(honest.status, request) }
            let reply = makeReply(honest, to: request)
            return try await finished(request) {
                try await reply.write(honest.body.bytes)
                try await reply.finish()
            }
        } catch {
            let document = ErrorDocument(error)
            return try await finished(request) { try await reply.finish(document) }
        }
        try await finished(request) { try await reply.finish() }
    }

    private func makeReply(_ response: Response, to request: Request) -> StreamReply {
        let form = StreamForm(response, to: request.method, context.settings.emptyStream)
        let reply = StreamReply(id, client.value, token, form, isStream: response.body.isStream)
        guarded?.tell { $0.stream = reply }
        return reply
    }

    private func finished(_ request: Request, _ body: () async throws -> Void) async throws {
        do {
            try await accepted(request, body)
        } catch BodyWriterError.finished {
            // The guard has answered in the meantime, and recorded it.
        } catch let error as BodyWriterError {
            // A write of the handler that failed is on record already.
            if !hasFailed {
                await capture(FailureRecord(.replyRefused, "the Runtime API stopped reading the answer", error: error), request)
            }
        }
    }

    // MARK: What the Runtime API says

    /// Runs a call; a refusal that the sandbox survives is recorded.
    private func accepted(_ request: Request?, _ call: () async throws -> Void) async throws {
        do {
            try await call()
        } catch let refused as ReplyRefused {
            await capture(
                FailureRecord(
                    .replyRefused, "the Runtime API did not take the answer", error: refused, status: refused.status), request)
        }
    }

    private var hasFailed: Bool { InvocationScope.current?.progress.hasFailed == true }

    /// Records a failure that the chain could not see, and delivers it before the answer leaves.
    private func capture(_ failure: FailureRecord, _ request: Request?) async {
        var failure = failure
        failure.method = request?.method.rawValue
        failure.path = request?.rawPath
        context.reporter.record(failure)
        if context.chain.flush.moment == .beforeReply { await context.reporter.flush(within: context.chain.flush.limit) }
    }
}
