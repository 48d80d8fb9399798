internal import HTTPTypes
internal import SluiceMiddleware
internal import SluiceReporting
internal import SluiceStreaming

/// The trip of one invocation: event, request, chain, response. Runs on the worker's loop, in the invocation's scope.
struct InvocationHandler: Sendable {
    let invocation: Invocation
    let context: WorkerContext
    let client: Confined<RuntimeClient>
    let token: ReplyToken
    let guarded: GuardedInvocation?

    private var mode: Settings.InvokeMode { context.settings.invokeMode }
    private var id: String { invocation.id }

    /// - Throws: ``RuntimeAPIError`` only: everything else has been answered and recorded.
    func run() async throws {
        let request: Request
        do {
            request = try makeRequest()
        } catch {
            return try await respondToBadEvent(error)
        }
        guarded?.tell { $0.request = request }
        let response = await context.chain.respond(to: request)
        switch mode {
        case .buffered: try await sendBuffered(response, to: request)
        case .responseStream: try await sendStream(response, to: request)
        }
    }

    private func makeRequest() throws(EventError) -> Request {
        var request = try HTTPEvent(invocation.event).request(
            of: invocation.event, id: id, deadline: invocation.deadline)
        request.frontEnd = LambdaContext(invocation)
        return request
    }

    // MARK: Events that are no requests

    private func respondToBadEvent(_ error: EventError) async throws {
        guard token.take(.settle) else { return }
        await capture(
            Failure(
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
        let response = await context.chain.wholeResponse(to: refusal, of: Response(), to: request, limit: Envelope.limit)
        switch mode {
        case .buffered: try await post(Envelope.encode(response), of: request)
        case .responseStream: try await sendWhole(response, to: request)
        }
    }

    // MARK: What the client gets

    /// Commits this worker to the response and accounts for it; without `bytesWritten` nothing has left yet.
    ///
    /// - Returns: False where the guard has taken the reply over: status and record are the guard's, and nothing is to be sent.
    private func complete(
        _ response: Response, cutBy error: (any Error)? = nil, bytesWritten: Int? = nil, of request: Request
    ) async -> Bool {
        let chain = context.chain
        if token.take(.settle) {
            await chain.complete(response, cutBy: error, bytesWritten: bytesWritten, of: request, context.reporter)
            return true
        }
        guard token.isTakenOver else {
            // Broken: the Runtime API has stopped reading.
            await chain.complete(response, cutBy: error, bytesWritten: bytesWritten, of: request, context.reporter)
            return true
        }
        if bytesWritten != nil {
            await chain.complete(
                response, cutBy: error ?? HandlerTimeout(), bytesWritten: bytesWritten, of: request, isRecorded: true,
                context.reporter)
        } else {
            let late = response.replaced(
                by: HandlerTimeout(), for: request, with: { _, _ in Response(status: .gatewayTimeout) })
            await chain.complete(late, of: request, isRecorded: true, context.reporter)
        }
        return false
    }

    // MARK: Buffered

    private func sendBuffered(_ response: Response, to request: Request) async throws {
        let chain = context.chain
        var whole = await chain.collected(response, to: request, limit: Envelope.limit)
        var bytes = Envelope.encode(whole)
        if bytes.count > Envelope.limit {
            let error = ReplyTooLarge(size: bytes.count)
            whole = await chain.wholeResponse(to: error, of: whole, to: request, limit: Envelope.limit)
            bytes = Envelope.encode(whole)
            if bytes.count > Envelope.limit {
                // Its headers are what is too large.
                whole = Response(respondingTo: error, to: request, with: problemResponse).observed(as: whole)
                bytes = Envelope.encode(whole)
            }
        }
        if isListed(whole.status) { return try await failInvocation(whole, request) }
        guard await complete(whole, of: request) else { return }
        try await post(bytes, of: request)
    }

    private func post(_ bytes: [UInt8], of request: Request) async throws {
        guard token.take(.answer) else { return }
        try await accepted(request) { try await client.value.respond(id, bytes) }
    }

    private func isListed(_ status: HTTPResponse.Status) -> Bool { context.settings.errorStatusCodes.contains(status.code) }

    /// A status that `AWS_LWA_ERROR_STATUS_CODES` lists makes the invocation a failed one.
    private func failInvocation(_ response: Response, _ request: Request) async throws {
        guard await complete(response, of: request) else { return }
        let status = response.status
        // From 500 on the failure has its record already, unless that was switched off.
        if !hasFailed {
            await capture(
                Failure(
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
            return try await failInvocation(
                await context.chain.collected(response, to: request, limit: Envelope.limit), request)
        }
        if response.isPlain, response.body.bytes.count < RuntimeClient.joined {
            guard await complete(response, of: request) else { return }
            try await sendWhole(response, to: request)
        } else {
            try await stream(response, to: request)
        }
    }

    /// Sends a response that is all there and accounted for, in one message.
    private func sendWhole(_ response: Response, to request: Request) async throws {
        let reply = makeReply(response, to: request)
        try await finished(request) { try await reply.writeWhole(response.body.bytes) }
    }

    private func stream(_ response: Response, to request: Request) async throws {
        let reply = makeReply(response, to: request)
        do {
            try await response.writeBody(to: BodyWriter(reply))
        } catch  where !reply.headIsGone {
            reply.letGo()
            // Nothing has left: the response can still be an honest one.
            let honest = await context.chain.wholeResponse(
                to: error, of: response, to: request, limit: Envelope.limit)
            if isListed(honest.status) { return try await failInvocation(honest, request) }
            guard await complete(honest, of: request) else { return }
            return try await sendWhole(honest, to: request)
        } catch {
            let isOurs = await complete(response, cutBy: error, bytesWritten: reply.bytesWritten, of: request)
            guard isOurs else { return }
            let document = ErrorDocument(error)
            return try await finished(request, isRecorded: true) { try await reply.finish(document) }
        }
        guard await complete(response, bytesWritten: reply.headIsGone ? reply.bytesWritten : nil, of: request) else { return }
        try await finished(request) { try await reply.finish() }
    }

    private func makeReply(_ response: Response, to request: Request) -> StreamReply {
        let form = StreamForm(response, to: request.method, context.settings.emptyStream)
        let reply = StreamReply(id, client.value, token, form, isStream: response.body.isStream)
        guarded?.tell { $0.stream = reply }
        return reply
    }

    /// - Parameter isRecorded: Whether a failure of the stream itself is on record already.
    private func finished(_ request: Request, isRecorded: Bool = false, _ body: () async throws -> Void) async throws {
        do {
            try await accepted(request, body)
        } catch BodyWriterError.finished {
            // The guard has answered in the meantime, and recorded it.
        } catch let error as BodyWriterError {
            if !isRecorded {
                await capture(Failure(.replyRefused, "the Runtime API stopped reading the answer", error: error), request)
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
                Failure(
                    .replyRefused, "the Runtime API did not take the answer", error: refused, status: refused.status), request)
        }
    }

    private var hasFailed: Bool { InvocationScope.current?.state.hasFailed == true }

    /// Records a failure that the chain could not see, and delivers it before the response leaves.
    private func capture(_ failure: Failure, _ request: Request?) async {
        var failure = failure
        failure.method = request?.method.rawValue
        failure.path = request?.rawPath
        context.reporter.record(failure)
        await context.chain.flush.flush(context.reporter)
    }
}
