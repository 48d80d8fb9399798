public import HTTPTypes

extension Response {
    /// The response in the form that the client likes best, as `Accept` says (RFC 9110, section 12); it says `Vary: Accept`.
    ///
    /// ```swift
    /// try await Response.negotiated(for: request, [
    ///     "text/html": { page(of: order) },
    ///     "application/json": { try .json(order, for: request) },
    /// ])
    /// ```
    /// - Parameter forms: Media types as of ``Request/accepts(_:)``, the one that you like best first. Only the one that is sent is made.
    /// - Throws: ``HTTPError``, a 406 that names the types, where the client wants none of them; what the form's closure throws.
    public static func negotiated(
        for request: Request, _ forms: KeyValuePairs<String, () async throws -> Response>
    ) async throws -> Response {
        guard let type = request.accepts(among: forms.map(\.key)), let form = forms.first(where: { $0.key == type }) else {
            throw HTTPError(
                .notAcceptable, "there is \(forms.map(\.key).joined(separator: ", "))", headers: [.vary: "Accept"])
        }
        var response = try await form.value()
        response.headers.vary(by: "Accept")
        return response
    }

    /// 201: a JSON response with the value that was made, and in `Location` where it is from now on.
    ///
    /// - Parameter request: As of ``json(_:status:for:)``.
    /// - Throws: What the value's `encode(to:)` throws.
    @_alwaysEmitIntoClient
    public static func created(_ value: some Encodable, at location: String, for request: Request? = nil) throws -> Response {
        var response = try json(value, status: .created, for: request)
        response.headers[.location] = location
        return response
    }
}
