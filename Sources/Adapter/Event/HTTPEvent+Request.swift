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
        guard let method else {
            throw EventError(description: "the field 'requestContext.http.method' is not an HTTP token", isHTTP: true)
        }
        guard let body else { throw EventError(description: "the field 'body' is not valid base64", isHTTP: true) }
        if let headerProblem { throw EventError(description: headerProblem, isHTTP: true) }
        var path = rawPath ?? "/"
        if path.utf8.first != 0x2F { path = "/" + path }
        return Request(
            id: id, method: method, rawPath: PercentEncoding.repair(path, escapingLonePercent: !isFunctionURL),
            rawQuery: rawQuery, scheme: forwardedProto == "http" ? "http" : "https", authority: host ?? domainName ?? "",
            headers: EventHeaders(
                event, at: headersOffset, places: headerPlaces, cookies: cookies,
                contentLength: declaresLength ? body.count : nil),
            body: .bytes(body), remoteAddress: sourceIP, deadline: deadline)
    }
}

extension Request {
    /// The request that an invocation's event stands for, with what only Lambda knows of it.
    init(_ invocation: Invocation) throws(EventError) {
        self = try HTTPEvent(invocation.event).request(
            of: invocation.event, id: invocation.id, deadline: invocation.deadline)
        frontEnd = LambdaContext(invocation)
    }
}
