internal import HTTPTypes
internal import SluiceMiddleware
internal import SluiceReporting
internal import SluiceStreaming

extension HTTPEvent {
    /// The request that the event stands for.
    ///
    /// - Throws: ``EventError``: bad base64, a method or header name that is no token.
    func request(id: String, deadline: Deadline?) throws(EventError) -> Request {
        guard let method = HTTPRequest.Method(method) else {
            throw EventError(description: "the field 'requestContext.http.method' is not an HTTP token", isHTTP: true)
        }
        let bytes = try bodyBytes()
        var fields = try headerFields()
        if fields[.contentLength] != nil {
            // What the client declared may be wrong; the decoded body is what there is.
            fields[.contentLength] = String(bytes.count)
        }
        let forwarded = fields[.forwardedProto]
        var path = rawPath ?? "/"
        if !path.hasPrefix("/") { path = "/" + path }
        return Request(
            id: id, method: method, rawPath: PercentEncoding.repair(path, escapingLonePercent: !isFunctionURL),
            rawQuery: rawQuery,
            scheme: forwarded == "http" ? "http" : "https", authority: fields[.host] ?? domainName ?? "",
            headers: fields, body: .bytes(bytes), remoteAddress: sourceIP, deadline: deadline)
    }

    private func bodyBytes() throws(EventError) -> [UInt8] {
        guard isBase64 else { return Array(body) }
        guard let decoded = Base64.decode(body) else {
            throw EventError(description: "the field 'body' is not valid base64", isHTTP: true)
        }
        return decoded
    }

    private static let headerLimit = 10_000

    private func headerFields() throws(EventError) -> HTTPFields {
        // Far more than any front end lets through; swift-http-types itself stops the process at 65,535.
        guard headers.count <= Self.headerLimit else {
            throw EventError(description: "the field 'headers' has more than \(Self.headerLimit) names", isHTTP: true)
        }
        var fields = HTTPFields()
        fields.reserveCapacity(headers.count)
        for (name, value) in headers {
            guard let token = HTTPField.Name(name) else {
                let shown = name.prefix(100).debugDescription
                throw EventError(
                    description: "the field 'headers' has the name \(shown), which is not an HTTP token", isHTTP: true)
            }
            // Function URLs deliver cookies twice; the array is the one that HTTP APIs have too.
            if token == .cookie, !cookies.isEmpty { continue }
            fields.append(HTTPField(name: token, value: value))
        }
        // Appended, not set: setting would split it into one field for each cookie, as HTTP/2 does.
        if !cookies.isEmpty { fields.append(HTTPField(name: .cookie, value: cookies.joined(separator: "; "))) }
        return fields
    }
}

extension HTTPField.Name {
    static let forwardedProto = Self("x-forwarded-proto")!  // a literal that is a token
}
