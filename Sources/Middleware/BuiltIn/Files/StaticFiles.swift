internal import HTTPTypes
internal import SluiceCore

/// Serves a folder: what is asked for with GET or HEAD and is there; every other request goes on to what stands below.
///
/// Files have a content type by their name, a strong `ETag` made of their bytes, `Last-Modified`, conditions and single byte ranges. Where
/// `style.css.gz` lies beside `style.css`, it is sent to who takes gzip. A folder's path with a slash at its end is its `index.html`;
/// without the slash it leads there. Nothing leads out of the folder: no `..`, no symbolic link, and nothing whose name begins with a
/// dot is served, but what is below `.well-known`.
///
/// Files are read on the worker's thread. Buffered mode carries 6 MB as JSON at most, and binary ones as base64: large files want streaming
/// mode, and a large site wants S3 and CloudFront.
///
/// - SeeAlso: RFC 9110, sections 13 and 14.
public struct StaticFiles: Middleware {
    private let root: String
    private let prefix: [String]
    private let index: String?
    private let cacheControl: String?

    /// - Parameters:
    ///   - folder: A path; a relative one counts from the zip's folder on Lambda (`$LAMBDA_TASK_ROOT`), from the process's own elsewhere.
    ///   - path: Below which paths files are served.
    ///   - index: Which file a folder stands for; nil for none.
    ///   - cacheControl: How long files may be kept, as `public, max-age=31536000, immutable`; nil for no header.
    public init(from folder: String, at path: String = "/", index: String? = "index.html", cacheControl: String? = nil) {
        root = folder.utf8.first == 0x2F ? folder : TaskRoot.path + "/" + folder
        prefix = path.split(at: "/").map(String.init)
        self.index = index
        self.cacheControl = cacheControl
    }

    /// - Throws: ``MiddlewareError``, where the folder is not there.
    public func validate() throws {
        guard (try? FileContent.at(root))??.isFolder == true else {
            throw MiddlewareError(
                "StaticFiles: there is no folder \(root) that can be read; a package must carry it beside 'bootstrap'")
        }
    }

    /// Sends the file, or runs the rest.
    public func handle(_ request: Request, next: Next) async throws -> Response {
        guard request.method == .get || request.method == .head, let names = names(in: request.rawPath),
            let response = try respond(to: request, names)
        else { return await next(request) }
        return response
    }

    /// The names below the prefix, each decoded once; the last one is empty where the path ends with a slash. Nil where it is not ours.
    private func names(in path: String) -> [String]? {
        var names: [String] = []
        for part in path.utf8.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false) {
            guard let name = PercentEncoding.decode(Substring(part)) else { return nil }
            names.append(name)
        }
        guard names.starts(with: prefix, by: { $0.isSame(as: $1) }) else { return nil }
        names.removeFirst(prefix.count)
        for (place, name) in names.enumerated() {
            if name.utf8.first == 0x2E, !(place == 0 && name == ".well-known") { return nil }
        }
        return names
    }

    private func respond(to request: Request, _ names: [String]) throws -> Response? {
        var names = names
        let isFolderPath = names.last?.isEmpty ?? false
        if isFolderPath { names.removeLast() }
        do {
            guard let top = try FileContent.at(root), let found = try top.below(names) else { return nil }
            guard found.isFolder else {
                return isFolderPath ? nil : try send(found, named: names.last ?? "", in: top, names, request)
            }
            guard let index else { return nil }
            guard let page = try found.below([index]), !page.isFolder else { return nil }
            guard isFolderPath else { return redirect(request) }
            return try send(page, named: index, in: top, names + [index], request)
        } catch let error as SystemError {
            throw HTTPError(.internalServerError, detail: "a file below \(root) cannot be read", cause: error)
        }
    }

    /// Relative to the path asked for: one that begins with two slashes would lead to another host.
    private func redirect(_ request: Request) -> Response {
        let last = request.rawPath.utf8.lastIndex(of: 0x2F).map { request.rawPath.utf8.index(after: $0) }
        let name = String(request.rawPath[(last ?? request.rawPath.startIndex)...])
        let query = request.rawQuery.isEmpty ? "" : "?" + request.rawQuery
        return .redirect(to: "./\(name)/\(query)", status: .permanentRedirect)
    }

    private func send(
        _ file: FileContent, named name: String, in top: FileContent, _ names: [String], _ request: Request
    ) throws -> Response {
        let compressed = try top.below(names.dropLast() + [name + ".gz"])
        var answer = FileResponse(file: file, contentType: ContentType.of(name))
        if let compressed, !compressed.isFolder, request.headers[.range] == nil,
            ContentCoding.preferred(by: request, among: [.gzip]) != nil
        {
            answer = FileResponse(file: compressed, contentType: answer.contentType, encoding: "gzip")
        }
        var response = try answer.response(to: request)
        if compressed != nil { response.headers.vary(by: "Accept-Encoding") }
        // An error is nobody's to keep.
        if response.status.kind == .successful || response.status == .notModified {
            response.headers[.cacheControl] = cacheControl
        }
        return response
    }
}
