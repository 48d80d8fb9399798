import Foundation
import Sluice

func fileRoutes(_ store: Store) -> Router {
    var routes = Router()
    routes.get("/files/{id}") { request in
        guard let upload = try await store.upload(request.parameters.require("id")) else {
            throw HTTPError(.notFound, "there is no such file")
        }
        // Always saved and never shown: what somebody has uploaded is no page of ours.
        var response = Response.data(upload.content, contentType: upload.kind, filename: upload.name)
        // An id has one content for ever, and `ConditionalRequests` sends parts of it to who asks for them.
        response.headers[.eTag] = "\"\(upload.id)\""
        response.headers[.acceptRanges] = "bytes"
        response.headers[.cacheControl] = "private, max-age=31536000, immutable"
        return response
    }

    routes.group("", RequireUser(store: store)) { members in
        members.post("/files") { request in
            let user = try request.requirePrincipal(User.self)
            let part = try request.multipart().requireFile("file")
            guard let kind = FileKind(of: part.bytes) else {
                throw HTTPError(.unsupportedMediaType, "PNG, JPEG, GIF, PDF and text can be uploaded")
            }
            let upload = Upload(
                id: RandomText.make(20), name: part.filename ?? "file", kind: kind.rawValue, content: Data(part.bytes),
                owner: user.name)
            try await store.insert(upload)
            return try Response.made(upload.summary, at: "/files/\(upload.id)", for: request)
        }
    }
    return routes
}
