internal import HTTPTypes
internal import SluiceCore
internal import Synchronization

/// A file as a response: type, validators, conditions and ranges.
struct FileResponse {
    let file: FileContent
    let contentType: String
    /// Nil where the file is sent as it is.
    var encoding: String?
    /// Under what name a browser saves it; nil where it may show it.
    var filename: String?

    /// - Throws: `SystemError`, where the file cannot be read; ``HTTPError``, a 412.
    func response(to request: Request?) throws -> Response {
        let tag = try EntityTags.shared.tag(of: file)
        // A date in the future may not be sent (RFC 9110, section 8.8.2.1).
        let modified = file.modified.map { min($0, .now) }
        var headers: HTTPFields = [.contentType: contentType, .eTag: "\"\(tag)\""]
        headers[.lastModified] = modified.map(HTTPDate.text)
        if let filename { headers[.contentDisposition] = ContentDisposition.attachment(filename) }
        headers[.contentEncoding] = encoding
        // A range of a compressed file is of no use to who wants one of the file.
        if encoding == nil { headers[.acceptRanges] = "bytes" }
        var response = Response(headers: headers)
        guard let request else {
            response.body = try file.body(0..<file.size)
            return response
        }
        let outcome = Precondition.evaluate(request, tag: response.tag, modified: modified)
        if case .failed = outcome { throw HTTPError(.preconditionFailed) }
        let whole = response
        response.apply(outcome) { whole }
        guard response.status == .ok, request.method != .head else { return response }
        var part = 0..<file.size
        if encoding == nil, request.method == .get,
            Precondition.heedsRange(request, tag: response.tag, modified: modified)
        {
            let range = ByteRange(request.headers[.range], of: file.size)
            response.send(range, of: file.size) { _ in [] }
            if case .part(let wanted) = range { part = wanted }
        }
        if response.status != .rangeNotSatisfiable { response.body = try file.body(part) }
        return response
    }
}

/// The entity tags of files, made of their bytes: in a zip each file may have the same date, and two versions the same size.
private final class EntityTags: Sendable {
    static let shared = EntityTags()
    private let known = Mutex<[FileContent.Identity: String]>([:])
    private static let limit = 10_000

    /// - Throws: `SystemError`, where the file cannot be read.
    func tag(of file: FileContent) throws(SystemError) -> String {
        if let tag = known.withLock({ $0[file.identity] }) { return tag }
        // Piece by piece: of what is large the pieces' tags are tagged. All of it counts, as a strong tag says.
        var tags: [String] = []
        for start in stride(from: 0, to: max(file.size, 1), by: FileContent.piece) {
            tags.append(ContentHash.text(try file.read(start..<min(start + FileContent.piece, file.size))))
        }
        let tag = tags.count == 1 ? tags[0] : ContentHash.text(Array(tags.joined().utf8))
        known.withLock { known in
            if known.count >= Self.limit { known.removeAll() }
            known[file.identity] = tag
        }
        return tag
    }
}

extension Response {
    /// A file of the disk, with its content type, `ETag` and `Last-Modified`; given a request, also 304, 412, 206 and 416.
    ///
    /// Up to 256 KiB are read at once, more piece by piece as they are sent. The path is yours: never make it of what a client sent, which
    /// is what ``StaticFiles`` is for.
    /// - Parameters:
    ///   - path: Of a file; links are followed. A relative one counts from the process's folder, which on Lambda is that of the zip.
    ///   - contentType: What it is; nil for what its name says.
    ///   - filename: Under what name a browser saves it; nil where it may show it.
    ///   - request: Whose conditions and range count.
    /// - Throws: ``HTTPError``: a 404 where there is no such file; a 500 where it cannot be read.
    public static func file(
        _ path: String, contentType: String? = nil, filename: String? = nil, for request: Request? = nil
    ) throws -> Response {
        do {
            guard let file = try FileContent.at(path), !file.isFolder else {
                throw HTTPError(.notFound, detail: "there is no file \(path)")
            }
            let type = contentType ?? ContentType.of(filename ?? path)
            return try FileResponse(file: file, contentType: type, filename: filename).response(to: request)
        } catch let error as SystemError {
            throw HTTPError(.internalServerError, detail: "the file \(path) cannot be read", cause: error)
        }
    }
}
