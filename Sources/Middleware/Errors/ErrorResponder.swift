internal import HTTPTypes
internal import SluiceCore

/// Shapes the response to an error. The app may replace it: `LambdaApp(errorResponse: …) { … }`.
///
/// Gets the error as an ``HTTPError`` (one that was thrown, what an ``HTTPErrorConvertible`` says of itself, or a 500 whose `cause` is what
/// was thrown) and the request as it
/// was where the error was caught. The response's ``Response/error`` is set afterwards.
public typealias ErrorResponder = @Sendable (_ error: HTTPError, _ request: Request) -> Response

/// The response to an error as `application/problem+json` (RFC 9457): title, status, the public words, what is wrong with which part
/// of the request, and the request's id.
public func problemResponse(to error: HTTPError, for request: Request) -> Response {
    let title = error.status.reasonPhrase
    var json = JSONWriter()
    json.object { json in
        if error.message != title { json.field("detail", error.message) }
        if !error.problems.isEmpty {
            json.key("errors")
            json.array { json in
                for problem in error.problems {
                    json.object { json in
                        json.field("detail", problem.message)
                        // A pointer as the fragment of a URI (RFC 6901, section 6).
                        json.field("pointer", "#" + PercentEncoding.fragment(problem.pointer))
                    }
                }
            }
        }
        json.field("requestId", request.id)
        json.field("status", error.status.code)
        json.field("title", title.isEmpty ? "Error" : title)
    }
    return Response(status: error.status, headers: [.contentType: "application/problem+json"], body: .bytes(json.bytes))
}

extension HTTPError {
    /// What a thrown error means to the client: its own words, 504 once the deadline guard has cancelled the handler, and
    /// otherwise a 500 that tells nothing.
    package init(respondingTo error: any Error) {
        if let known = error as? HTTPError ?? (error as? any HTTPErrorConvertible)?.httpError {
            // A status that cannot end an exchange is our mistake, whoever threw it.
            self =
                UnusableStatus.isUsable(known.status)
                ? known : HTTPError(.internalServerError, cause: UnusableStatus(code: known.status.code))
        } else if error is CancellationError, InvocationScope.current?.state.isTimedOut == true {
            self.init(.gatewayTimeout, detail: "cancelled by the deadline guard", cause: error)
        } else {
            self.init(.internalServerError, cause: error)
        }
    }
}

extension Response {
    /// The response to what was thrown, its ``error`` set.
    package init(respondingTo error: any Error, to request: Request, with responder: ErrorResponder) {
        let known = HTTPError(respondingTo: error)
        self = responder(known, request)
        // Whatever shape the app gives it: without its challenge a 401 is none.
        for field in known.headers where headers[field.name] == nil {
            headers[values: field.name] = known.headers[values: field.name]
        }
        self.error = error
    }

    /// The response to an error of this response's body that came before the head was sent.
    ///
    /// What middleware put on the response stays (request id, CORS, cookies); what described the body goes.
    package func replaced(by error: any Error, for request: Request, with responder: ErrorResponder) -> Response {
        var replacement = replaced(by: Response(respondingTo: error, to: request, with: responder))
        replacement.dropForbiddenBody(for: request)
        return replacement
    }

    /// Another response in the place of this one, with what middleware put on this one and those who wait for its end.
    func replaced(by other: Response) -> Response {
        var replacement = other
        replacement.route = replacement.route ?? route
        if !observers.isEmpty { replacement.observers = observers + replacement.observers }
        for field in headers where !Self.representation.contains(field.name) && replacement.headers[field.name] == nil {
            replacement.headers[values: field.name] = headers[values: field.name]
        }
        return replacement
    }

    /// This response in the place of another one: those who wait for the other's end hear of this one's.
    package func observed(as other: Response) -> Response {
        var response = self
        response.observers = other.observers
        return response
    }

    private static let representation: Set<HTTPField.Name> = [
        .contentType, .contentLength, .contentEncoding, .contentLanguage, .contentLocation, .contentRange,
        .contentDisposition, .contentMD5, .contentDigest, .reprDigest, .digest, .eTag, .lastModified, .cacheControl, .expires,
        .acceptRanges, .location, .transferEncoding,
    ]
}
