internal import HTTPTypes
@_spi(JSON) internal import SluiceCore
internal import SluiceEvents
internal import SluiceMiddleware
internal import SluiceStreaming

/// Events that are no HTTP requests: to their own handlers, or to a route where the settings name one. Never streamed.
extension InvocationHandler {
    /// - Parameter error: Why the event is no request.
    func respondToEvent(orRefuse error: EventError) async throws {
        guarded?.tell { $0.isEvent = true }
        if let thaw { await thaw.life.thaw(after: thaw.gap, reporter) }
        guard let event = IncomingEvent(invocation.event) else { return try await respondToBadEvent(error) }
        if let outcome = await chain.respond(to: event, requestID: invocation.id, reporter) {
            return try await send(outcome)
        }
        if let path = reply.passThroughPath { return try await passThrough(to: path) }
        try await respondToBadEvent(error.withoutHandler(for: event))
    }

    private func send(_ outcome: EventOutcome) async throws {
        let outcome = outcome.fitting
        // Else the guard has failed the invocation, and recorded that.
        guard reply.commit() == .made else { return }
        await chain.complete(outcome, reporter)
        try await accepted(nil) {
            switch outcome.result {
            case .success(let json): try await reply.send(result: json)
            case .failure(let error): try await reply.fail(ErrorDocument(error))
            }
        }
    }

    /// The event as the body of a POST through the app's whole list. Its response's body is the result, if it is JSON.
    private func passThrough(to path: String) async throws {
        let request = Request(passing: invocation, to: path)
        guarded?.tell { $0.request = request }
        var whole = await chain.collected(await chain.respond(to: request), to: request, limit: Reply.limit)
        let size = whole.body.plainBytes.count
        if size > Reply.limit {
            whole = await chain.wholeResponse(
                to: ReplyTooLarge(size: size, limit: Reply.limit), of: whole, to: request, limit: Reply.limit)
        }
        guard await complete(whole, of: request) else { return }
        let status = whole.status
        if whole.error == nil, status.code < 500, !reply.failsInvocation(status) {
            let json = whole.body.plainBytes
            return try await accepted(request) { try await reply.send(result: IncomingEvent(json) == nil ? Self.null : json) }
        }
        // From 500 on the failure has its record already, unless that was switched off.
        if InvocationScope.current?.state.hasFailed != true {
            await capture(.errorStatus(status.code, request, whole.error))
        }
        let document = whole.error.map { ErrorDocument($0) } ?? ErrorDocument(status: status.code)
        try await accepted(request) { try await reply.fail(document) }
    }

    private static let null = Array("null".utf8)
}

extension EventOutcome {
    /// The same, or a failure where the platform cannot carry the result.
    var fitting: EventOutcome {
        guard case .success(let json) = result, json.count > Reply.limit else { return self }
        let error = ReplyTooLarge(size: json.count, limit: Reply.limit, part: "result")
        return EventOutcome(
            .failure(error), Failure(.replyUnusable, "the event's result does not fit into a reply", error: error))
    }
}

extension EventError {
    /// The same, with what to do about it where somebody could handle such events.
    func withoutHandler(for event: IncomingEvent) -> EventError {
        guard event.source != .other else { return self }
        return EventError(
            description: "\(description); or register a handler for it: \(event.source.registration)", form: form)
    }
}

extension Request {
    /// A request that carries an event to a route.
    fileprivate init(passing invocation: Invocation, to path: String) {
        self.init(.post, path, headers: [.contentType: "application/json"], body: .bytes(invocation.event))
        id = invocation.id
        deadline = invocation.deadline
        frontEnd = LambdaContext(invocation, nil)
    }
}
