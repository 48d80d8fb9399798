public import FoundationEssentials
public import HTTPTypes
public import SluiceCore
public import SluiceStreaming

extension Response {
    // Made once: most responses have one of these.
    private static let plainText: HTTPFields = [.contentType: "text/plain; charset=utf-8"]
    private static let jsonText: HTTPFields = [.contentType: "application/json"]

    /// A plain text response, UTF-8.
    public static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: plainText, body: .text(text))
    }

    /// A page, UTF-8, of a text that is there already: it is sent as it is. A literal is an ``HTML``, which escapes what is put into it.
    @_disfavoredOverload
    public static func html(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: "text/html; charset=utf-8"], body: .text(text))
    }

    /// Has a browser save the response under this name, and not show it.
    public mutating func setAttachment(_ filename: String) {
        headers[.contentDisposition] = ContentDisposition.attachment(filename)
    }

    /// Bytes of any type.
    ///
    /// - Parameter filename: Under what name a browser saves them; nil where it may show them.
    public static func data(
        _ bytes: some Sequence<UInt8>, contentType: String = "application/octet-stream", filename: String? = nil,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        var headers: HTTPFields = [.contentType: contentType]
        if let filename { headers[.contentDisposition] = ContentDisposition.attachment(filename) }
        return Response(status: status, headers: headers, body: .bytes(Array(bytes)))
    }

    /// A JSON response, its keys sorted: equal values have equal bytes.
    ///
    /// - Parameter request: Whose app's ``JSONCoders`` write it; the standard ones when left out: dates are ISO 8601.
    /// - Throws: What the value's `encode(to:)` throws.
    @_alwaysEmitIntoClient
    public static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, for request: Request? = nil
    ) throws -> Response {
        json(bytes: try JSONCoders.encode(value, with: request?.coders), status: status)
    }

    @usableFromInline
    static func json(bytes: [UInt8], status: HTTPResponse.Status) -> Response {
        Response(status: status, headers: jsonText, body: .bytes(bytes))
    }

    /// What a handler has returned: `Data` as bytes, everything else as JSON.
    @_alwaysEmitIntoClient
    static func encoded<Value: Encodable>(_ value: Value, for request: Request) throws -> Response {
        if Value.self == Data.self, let bytes = value as? Data { return data(bytes) }
        return try json(value, for: request)
    }

    /// Sends the client elsewhere: 302 unless told otherwise.
    public static func redirect(to location: String, status: HTTPResponse.Status = .found) -> Response {
        Response(status: status, headers: [.location: location])
    }

    /// A body that is written while it is sent; under buffered mode it is collected first.
    ///
    /// Status and headers leave with the first write: an error before it is still an honest 500.
    public static func stream(
        contentType: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:],
        _ body: @escaping Body.Producer
    ) -> Response {
        var headers = headers
        headers[.contentType] = contentType
        return Response(status: status, headers: headers, body: .stream(body))
    }

    /// Server-sent events. Status and headers leave at once, so that the browser knows it is connected.
    ///
    /// - Parameters:
    ///   - heartbeat: After how long without an event a comment is sent, which browsers ignore, so that nothing on the way takes the
    ///     stream for dead; nil for never. It stops when `body` has ended.
    public static func events(
        heartbeat: Duration? = nil, headers: HTTPFields = [:],
        _ body: @escaping @Sendable (EventWriter) async throws -> Void
    ) -> Response {
        var headers = headers
        headers[.cacheControl] = headers[.cacheControl] ?? "no-cache"
        return stream(contentType: "text/event-stream", headers: headers) { writer in
            try await writer.flush()
            guard let heartbeat else { return try await body(EventWriter(writer)) }
            try await EventWriter(writer).run(heartbeat: heartbeat, body)
        }
    }
}
