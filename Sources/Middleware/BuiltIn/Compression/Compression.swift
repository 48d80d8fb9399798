internal import HTTPTypes
internal import SluiceCore

/// Compresses responses with gzip or deflate, as the client's `Accept-Encoding` says.
///
/// What gains nothing stays as it is: bodies below the limit, types that are compressed already (images, video, archives), ranges, what has a
/// `Content-Encoding`, and what says `no-transform`. A strong `ETag` becomes a weak one, as the bytes are others, and responses that
/// could have been compressed say `Vary: Accept-Encoding`, whoever asks.
///
/// Streams are left alone unless you ask: under response streaming a Function URL has been seen to decompress gzip and strip the
/// header, and to give 502s behind CloudFront. Under buffered mode compressed bytes travel as base64, a third longer: it pays from about
/// a third saved, which text is.
///
/// - SeeAlso: RFC 9110, sections 8.4 and 12.5.3; RFC 9111, section 5.2.2.6.
public struct Compression: Middleware {
    private let limit: Int
    private let streams: Bool

    /// - Parameters:
    ///   - limit: From how many bytes on a body is compressed.
    ///   - streams: Whether streamed bodies are compressed too, each write on its own so that it arrives when it happens.
    public init(from limit: Int = 1024, streams: Bool = false) {
        self.limit = limit
        self.streams = streams
    }

    /// Runs the rest and compresses its response.
    @inline(__always)
    public func handle(_ request: Request, next: Next) async throws -> Response {
        var response = await next(request)
        if response.status == .notModified { Self.matchTag(of: &response, with: request) }
        let bytes = response.body.bytes
        // As a rule: nothing else is looked at.
        if let bytes, bytes.count < limit { return response }
        guard Self.mayGain(response) else { return response }
        if let bytes {
            response.headers.vary(by: "Accept-Encoding")
            guard let coding = ContentCoding.preferred(by: request) else { return response }
            let compressed = try Deflate.compress(bytes, coding)
            guard compressed.count < bytes.count else { return response }
            response.changeBody(to: .bytes(compressed))
            response.headers[.contentEncoding] = coding.rawValue
        } else if streams {
            response.headers.vary(by: "Accept-Encoding")
            guard let coding = ContentCoding.preferred(by: request) else { return response }
            response.transformBody { DeflateTransform(coding) }
            response.headers[.contentEncoding] = coding.rawValue
        }
        return response
    }

    private static func mayGain(_ response: Response) -> Bool {
        let headers = response.headers
        let status = response.status.code
        guard status >= 200, status != 204, status != 206, status != 304, headers[.contentEncoding] == nil,
            headers[.contentRange] == nil, let type = headers[.contentType].flatMap({ MediaType($0) }), type.isCompressible
        else { return false }
        return headers[.cacheControl]?.split(at: ",").contains { $0.trimmed.isSame(ignoringCase: "no-transform") } != true
    }

    /// A 304 says what the 200 would have said (RFC 9110, section 15.4.5): who has the compressed form knows it by a weak tag.
    private static func matchTag(of response: inout Response, with request: Request) {
        response.headers.vary(by: "Accept-Encoding")
        guard let tag = response.tag, !tag.isWeak, let known = request.header(.ifNoneMatch).flatMap(EntityTag.List.init),
            case .tags(let tags) = known, tags.contains(where: { $0.isWeak && $0.isWeaklySame(as: tag) })
        else { return }
        response.headers[.eTag] = "W/\"\(tag.opaque)\""
    }
}

extension ContentCoding {
    /// The coding that the client likes best, of these; the first of two that it likes the same. Nil where it would rather have none.
    static func preferred(by request: Request, among codings: [ContentCoding] = allCases) -> ContentCoding? {
        guard let text = request.header(.acceptEncoding) else { return nil }
        let list = QualityList(text)
        var best: (coding: ContentCoding?, weight: Int) = (nil, 0)
        for coding in codings {
            // `x-gzip` is its old name (section 8.4.1.3).
            let weight = (coding == .gzip ? list.weight(of: "gzip", "x-gzip") : list.weight(of: coding.rawValue)) ?? 0
            if weight > best.weight { best = (coding, weight) }
        }
        // `identity` is as welcome as what is not named, unless it is named.
        if let plain = list.entries.first(where: { $0.value.isSame(ignoringCase: "identity") })?.weight, plain > best.weight {
            return nil
        }
        return best.coding
    }
}

extension MediaType {
    /// Whether it is text by another name.
    var isCompressible: Bool {
        if essence.hasPrefix("text/") || isJSON || essence.hasSuffix("+xml") || essence.hasSuffix("+text") { return true }
        return Self.compressible.contains(essence)
    }

    private static let compressible: Set<String> = [
        "application/javascript", "application/xml", "application/x-ndjson", "application/ndjson", "application/wasm",
        "application/rtf", "application/yaml", "application/x-www-form-urlencoded", "application/manifest+json",
        "application/vnd.ms-fontobject", "application/x-javascript", "application/graphql", "application/sql", "font/ttf",
        "font/otf", "image/bmp", "image/svg+xml", "image/vnd.microsoft.icon", "image/x-icon",
    ]
}
