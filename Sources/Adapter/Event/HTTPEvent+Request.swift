internal import SluiceMiddleware
internal import SluiceReporting
internal import SluiceStreaming
internal import SluiceCore

extension HTTPEvent {
    /// The request that the event stands for.
    ///
    /// - Throws: ``EventError``: bad base64, a method or header name that is no token.
    /// - Parameter event: The text that this was read from.
    func request(of event: [UInt8], id: String, deadline: WallClock.Instant?) throws(EventError) -> Request {
        func problem(_ text: String) -> EventError { EventError(description: text, form: form) }
        guard let method else { throw problem("the field 'requestContext.http.method' is not an HTTP token") }
        guard let body else { throw problem("the field 'body' is not valid base64") }
        if let headerProblem { throw problem(headerProblem) }
        var path = rawPath ?? "/"
        if path.utf8.first != 0x2F { path = "/" + path }
        return Request(
            id: id, method: method, rawPath: PercentEncoding.repair(path, escapingLonePercent: !isFunctionURL),
            rawQuery: rawQuery, scheme: forwardedProto == "http" ? "http" : "https", authority: host ?? domainName ?? "",
            headers: EventHeaders(
                event, at: headersOffset, places: headerPlaces, cookiesAt: cookiesOffset,
                contentLength: declaresLength ? body.count : nil),
            body: .bytes(body), remoteAddress: sourceIP, deadline: deadline)
    }
}

/// An HTTP event of any form, as the request that it stands for.
struct RequestEvent {
    let request: Request
    let form: EventForm

    /// - Parameter invocation: What is known of the request besides, where it came from the platform.
    /// - Throws: ``EventError``.
    init(
        _ event: [UInt8], id: String, deadline: WallClock.Instant?, _ rules: EventRules = EventRules(),
        of invocation: Invocation? = nil
    ) throws(EventError) {
        var request: Request
        do throws(EventError) {
            let payload2 = try HTTPEvent(event)
            (request, form) = (try payload2.request(of: event, id: id, deadline: deadline), payload2.form)
        } catch {
            if error.isHTTP { throw error }
            guard let (other, form) = try GatewayEvent.read(event) else { throw Self.refusal(of: event, error) }
            self.form = form
            request = try other.request(as: form, id: id, deadline: deadline, stageInPath: rules.stageInPath)
        }
        // While there is one reference to it: each change would copy it otherwise.
        if let invocation { request.frontEnd = LambdaContext(invocation, form) }
        if !rules.isEmpty { rules.apply(to: &request) }
        self.request = request
    }

    private static func refusal(of event: [UInt8], _ error: EventError) -> EventError {
        guard let kind = EventKind.describe(event) else { return error }
        return EventError(description: "not an HTTP event: this is \(kind)", form: nil)
    }

    /// The request that an invocation's event stands for, with what only Lambda knows of it.
    ///
    /// - Throws: ``EventError``.
    init(_ invocation: Invocation, _ rules: EventRules = EventRules()) throws(EventError) {
        try self.init(invocation.event, id: invocation.id, deadline: invocation.deadline, rules, of: invocation)
    }
}
