internal import HTTPTypes
internal import SluiceCore
internal import SluiceMiddleware
internal import SluiceStreaming

extension GatewayEvent {
    /// The request that the event stands for.
    ///
    /// - Throws: ``EventError``: bad base64, a method or header name that is no token, no path.
    func request(
        as form: EventForm, id: String, deadline: WallClock.Instant?, stageInPath: Bool
    ) throws(EventError) -> Request {
        func problem(_ text: String) -> EventError { EventError(description: text, form: form) }
        let methodName = form == .lattice1 || form == .lattice2 ? "method" : "httpMethod"
        guard let method else { throw problem("the field '\(methodName)' is missing, or not an HTTP token") }
        guard let path else { throw problem("the field '\(form == .lattice1 ? "raw_path" : "path")' is missing") }
        guard let body else { throw problem("the field 'body' is not valid base64") }
        var fields = HTTPFields()
        var cookies: [String] = []
        for header in headers {
            guard let name = HTTPField.Name(header.name) else {
                let shown = String(header.name.unicodeScalars.prefix(100)).debugDescription
                throw problem("the field 'headers' has the name \(shown), which is not an HTTP token")
            }
            let isLattices = (form == .lattice1 || form == .lattice2) && name.canonicalName == "x-amzn-lattice-identity"
            if !isLattices, EventNames.isForged(name) { continue }
            switch name {
            case .cookie: cookies += header.values
            case .contentLength: fields[.contentLength] = String(body.count)
            default: for value in header.values { fields.append(HTTPField(name: name, value: value)) }
            }
        }
        // Appended, not set: setting would split it into one field for each cookie, as HTTP/2 does.
        if !cookies.isEmpty { fields.append(HTTPField(name: .cookie, value: cookies.joined(separator: "; "))) }
        let (rawPath, rawQuery) = target(path, form, stageInPath: stageInPath)
        return Request(
            id: id, method: method, rawPath: rawPath, rawQuery: rawQuery,
            // Lattice has a name of its own.
            scheme: (header("x-forwarded-proto") ?? header("x-forwarded-for-proto"))?.first == "http" ? "http" : "https",
            authority: fields[.host] ?? domainName ?? "", headers: GivenHeaders(fields), body: .bytes(body),
            remoteAddress: sourceIP ?? lastForwarded, deadline: deadline)
    }

    private func header(_ name: String) -> [String]? { headers.first { $0.name.isSame(ignoringCase: name) }?.values }

    /// Who stands before a load balancer: the last entry is the one that it has added itself; a client can forge the others.
    private var lastForwarded: String? {
        let entry = header("x-forwarded-for")?.last?.split(at: ",").last?.trimmed ?? ""
        return entry.isEmpty ? nil : String(entry)
    }

    private func target(_ path: String, _ form: EventForm, stageInPath: Bool) -> (path: String, query: String) {
        var (path, query) = (path, "")
        switch form {
        case .lattice1, .lattice2:
            // The path has the query behind it, as the client sent it.
            if let parts = path.cut(at: "?") {
                (path, query) = (String(parts.before), String(parts.after))
            } else {
                query = joined { $0 }
            }
        case .loadBalancer, .loadBalancerMulti:
            // Handed on as they came: to encode them again would change them.
            query = joined { $0 }
        default:
            query = joined(PercentEncoding.unreserved)
        }
        if path.utf8.first != 0x2F { path = "/" + path }
        if stageInPath, form == .restAPI, let stage, stage != "$default", !stage.isEmpty {
            let prefix = "/" + stage
            if !path.hasSegments(prefix) { path = prefix + path }
        }
        return (PercentEncoding.repair(path, escapingLonePercent: form == .httpAPI1), query)
    }

    private func joined(_ encode: (String) -> String) -> String {
        query.flatMap { entry in entry.values.map { "\(encode(entry.name))=\(encode($0))" } }.joined(separator: "&")
    }
}

extension String {
    /// Whether a path begins with the whole segments of this one.
    func hasSegments(_ prefix: String) -> Bool {
        utf8.starts(with: prefix.utf8) && (utf8.count == prefix.utf8.count || utf8.dropFirst(prefix.utf8.count).first == 0x2F)
    }
}

/// Headers that are there already.
private final class GivenHeaders: LazyHeaders {
    let fields: HTTPFields
    init(_ fields: HTTPFields) { self.fields = fields }
    func value(of name: HTTPField.Name) -> String? { fields[name] }
}
