internal import HTTPTypes
internal import SluiceCore

extension RequestSummary {
    /// What a report may say of a request; nothing is filtered yet.
    init(_ request: Request) {
        self.init(
            method: request.method.rawValue,
            url: (request.authority.isEmpty ? "" : "\(request.scheme)://\(request.authority)") + request.rawPath,
            query: request.query.fields, headers: request.headers.map { ($0.name.rawName, $0.value) },
            body: request.body.plainBytes, remoteAddress: request.remoteAddress)
    }
}
