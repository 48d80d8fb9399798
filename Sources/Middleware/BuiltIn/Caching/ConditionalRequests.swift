internal import HTTPTypes
internal import SluiceCore

/// Answers 304 to who has a response already, and 412 to who expected another one.
///
/// It acts on responses of 200 to GET and HEAD. One whose bytes are all there and that has no `ETag` gets a weak one, made of its bytes: the
/// handler still runs, what is saved is the transfer. A handler's own `ETag` and `Last-Modified` are honoured, of streams too. A handler that
/// sets `Accept-Ranges: bytes` has its bytes sent in part where the client asks for one range, `If-Range` included. For a PUT
/// or DELETE the state *before* it counts, which only the handler knows: see ``Request/checkPreconditions(eTag:lastModified:exists:)``.
///
/// Put it inside of `Compression`, which changes the bytes.
///
/// - SeeAlso: RFC 9110, sections 13 and 14.
public struct ConditionalRequests: Middleware {
    /// Makes weak entity tags.
    public init() {}

    /// Runs the rest, and sends what the client has not got.
    @inline(__always)
    public func handle(_ request: Request, next: Next) async throws -> Response {
        var response = await next(request)
        guard request.method == .get || request.method == .head, response.status == .ok, response.error == nil else {
            return response
        }
        // A handler of HEAD has no bytes to make it of.
        if !response.headers.has(.eTag), let bytes = response.body.bytes, request.method == .get || !bytes.isEmpty {
            response.headers.append(HTTPField(name: .eTag, value: ContentHash.weakTag(bytes)))
        }
        if request.hasConditions {
            response.apply(Precondition.evaluate(request, tag: response.tag, modified: response.modified)) {
                next.response(to: HTTPError(.preconditionFailed), for: request)
            }
        }
        if response.status == .ok, response.headers.has(.acceptRanges), response.headers[.acceptRanges] == "bytes",
            request.method == .get,
            Precondition.heedsRange(request, tag: response.tag, modified: response.modified), let bytes = response.body.bytes
        {
            response.send(ByteRange(request.header(.range), of: bytes.count), of: bytes.count) { Array(bytes[$0]) }
        }
        return response
    }
}

extension Response {
    var tag: EntityTag? { headers[.eTag].flatMap { EntityTag($0.trimmed) } }
    var modified: WallClock.Instant? { headers[.lastModified].flatMap(HTTPDate.parse) }

    /// Turns a 200 into the 304 or 412 that the conditions ask for; who waits for its end stays.
    mutating func apply(_ outcome: Precondition, orRespond failed: () -> Response) {
        switch outcome {
        case .holds: return
        case .notModified:
            status = .notModified
            // What it says of a content that is not sent (RFC 9110, section 15.4.5).
            for name: HTTPField.Name in [
                .contentType, .contentLength, .contentEncoding, .contentLanguage, .contentRange, .contentDisposition,
            ] { headers[name] = nil }
        case .failed:
            var other = failed()
            other.wrappers = wrappers
            self = replaced(by: other)
            return
        }
        body = .empty
    }

    /// Turns a 200 into the 206 or 416 that a range asks for.
    mutating func send(_ range: ByteRange, of size: Int, _ slice: (Range<Int>) -> [UInt8]) {
        switch range {
        case .whole: return
        case .part(let part):
            status = .partialContent
            headers[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(size)"
            for name: HTTPField.Name in [.contentMD5, .contentDigest] { headers[name] = nil }
            body = .bytes(slice(part))
        case .unsatisfiable:
            status = .rangeNotSatisfiable
            headers[.contentRange] = "bytes */\(size)"
            // Nor may anybody keep it as long as the content.
            for name: HTTPField.Name in [.contentType, .contentMD5, .contentDigest, .cacheControl, .expires] {
                headers[name] = nil
            }
            body = .empty
        }
    }
}
