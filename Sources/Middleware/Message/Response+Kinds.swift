internal import FoundationEssentials
public import HTTPTypes
public import SluiceStreaming

extension Response {
    /// A plain text response, UTF-8.
    public static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: "text/plain; charset=utf-8"], body: .text(text))
    }

    /// A JSON response.
    ///
    /// - Parameter request: Whose app's ``JSONCoders`` write it; the standard ones when left out: dates are ISO 8601.
    /// - Throws: What the value's `encode(to:)` throws.
    public static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, for request: Request? = nil
    ) throws -> Response {
        let data = try (request?.coders ?? .standard).makeEncoder().encode(value)
        return Response(
            status: status, headers: [.contentType: "application/json"], body: .bytes([UInt8](data)))
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
    public static func events(
        headers: HTTPFields = [:], _ body: @escaping @Sendable (EventWriter) async throws -> Void
    ) -> Response {
        var headers = headers
        headers[.cacheControl] = headers[.cacheControl] ?? "no-cache"
        return stream(contentType: "text/event-stream", headers: headers) { writer in
            try await writer.flush()
            try await body(EventWriter(writer))
        }
    }
}
