internal import HTTPTypes
package import SluiceCore
package import SluiceEvents
internal import SluiceStreaming

/// An app's list, ready to answer requests. A class: each invocation has it.
package final class Chain: Sendable {
    private let links: Links
    /// Lines of the list that take no part in requests.
    package let processParts: [any ProcessPart]
    private let table: RouteTable
    private let capture: CaptureErrors
    package let flush: FlushReports
    package let responder: ErrorResponder
    /// Nil: the standard ones.
    private let coders: JSONCoders?
    /// What is not HTTP; nil where the app has no line of it.
    private let events: EventHandlers?

    package init(_ pipeline: CompletePipeline, responder: @escaping ErrorResponder, json: JSONCoders? = nil) {
        coders = json
        let table = RouteTable(pipeline.routers, responder: responder)
        self.table = table
        let steps = pipeline.middleware.filter { !($0 is any ProcessPart) }
        processParts = (pipeline.middleware + table.middleware).compactMap { $0 as? any ProcessPart }
        links = Links(steps, responder: responder, .routes(table))
        events = pipeline.events.isEmpty ? nil : EventHandlers(pipeline.events, json)
        capture = pipeline.capture
        flush = pipeline.flush
        self.responder = responder
    }

    /// Who hears of failures.
    package var reporters: CaptureErrors.Reporters { capture.reporters }

    /// Whether the app says who hears of failures; else the environment does.
    package var namesReporters: Bool { if case .ofEnvironment = capture.reporters { false } else { true } }

    /// What must stop start-up: routes and events that cannot be served, then what a middleware has against the way it was made.
    package func validate() throws {
        if let problem = table.problems.first { throw problem }
        if let problem = events?.problem { throw problem }
        for step in links.middleware { try step.validate() }
        for step in table.middleware { try step.validate() }
        for part in processParts { try part.validate() }
    }

    /// Runs the chain. Whoever sends the response tells ``complete(_:cutBy:bytesWritten:of:isRecorded:_:)`` of it before the last byte.
    package func respond(to request: Request) async -> Response {
        if let follower = InvocationScope.current?.follower { follower.began { RequestSummary(request) } }
        var request = request
        if let coders { request.fields.coders = coders }
        var response = await Next(links)(request)
        if !UnusableStatus.isUsable(response.status) {
            // A mistake of the app: a 500 that says so.
            let wrappers = response.wrappers
            response = self.response(
                to: response.error ?? UnusableStatus(code: response.status.code), of: response, to: request)
            response.wrappers = wrappers + response.wrappers
        }
        response.dropForbiddenBody(for: request)
        return response
    }

    /// The response to an error that came before anything of `response` was sent: the one place that decides it, for the client, the
    /// access line, the record and the report.
    package func response(to error: any Error, of response: Response, to request: Request) -> Response {
        for recovery in response.recoveries {
            guard var other = recovery(error) else { continue }
            other = response.replaced(by: other)
            other.dropForbiddenBody(for: request)
            if UnusableStatus.isUsable(other.status) { return other }
        }
        let replacement = response.replaced(by: error, for: request, with: responder)
        // The app's own shape may have a status that no final response may have (1xx, below 100, over 999).
        return UnusableStatus.isUsable(replacement.status)
            ? replacement : response.replaced(by: error, for: request, with: problemResponse)
    }

    /// As ``response(to:of:to:)``, with its bytes all there: the app's own shape may be a stream, and fail in its turn.
    package func wholeResponse(
        to error: any Error, of response: Response, to request: Request, limit: Int
    ) async -> Response {
        await self.response(to: error, of: response, to: request).collected(limit: limit) { _ in
            response.replaced(by: error, for: request, with: problemResponse)
        }
    }

    /// The response with its body written into memory: how buffered mode answers. An error of the body becomes the response.
    package func collected(_ response: Response, to request: Request, limit: Int) async -> Response {
        guard !response.isPlain else { return response }
        var failure: (any Error)?
        let whole = await response.collected(limit: limit) { error in
            failure = error
            return response
        }
        guard let failure else { return whole }
        return await wholeResponse(to: failure, of: response, to: request, limit: limit)
    }

    /// Accounts for a response when it is known what the client gets, and before its last byte leaves: tells those who wait for its
    /// end, captures its failure, and delivers what was captured.
    ///
    /// - Parameters:
    ///   - response: What is sent, its error set where it stands for one.
    ///   - error: What cut the body after the head was sent.
    ///   - bytesWritten: Of the body; nil where the body is plain and is sent whole.
    ///   - isRecorded: Whether somebody else has the record of this end.
    package func complete(
        _ response: Response, cutBy error: (any Error)? = nil, bytesWritten: Int? = nil, of request: Request,
        isRecorded: Bool = false, _ reporter: any SettlingReporter
    ) async {
        let end = ResponseEnd(
            status: response.status, bytesWritten: bytesWritten ?? response.body.plainBytes.count,
            error: error ?? response.error, isCut: error != nil)
        for observer in response.observers { observer(end) }
        if !isRecorded { capture.capture(end, of: request, reporter) }
        await flush.flush(reporter)
    }

    /// Runs the handler of an event. Whoever gives the reply tells ``complete(_:_:)`` of what came of it before.
    ///
    /// - Returns: Nil where the app has no handler for it.
    package func respond(to event: IncomingEvent, requestID: String, _ reporter: any SettlingReporter) async -> EventOutcome? {
        await events?.run(event, requestID: requestID, reporter)
    }

    /// Accounts for what came of an event before the reply leaves, as ``complete(_:cutBy:bytesWritten:of:isRecorded:_:)`` does for a response.
    package func complete(_ outcome: EventOutcome, _ reporter: any SettlingReporter) async {
        if let failure = outcome.failure { reporter.recordOnce(failure) }
        await flush.flush(reporter)
    }

    /// Records a failure that the chain could not see, and delivers it as the app's `FlushReports` says.
    package func record(_ failure: Failure, _ reporter: any SettlingReporter) async {
        reporter.record(failure)
        await flush.flush(reporter)
    }
}
