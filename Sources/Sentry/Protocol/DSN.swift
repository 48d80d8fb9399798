internal import SluiceCore

/// Where reports go, and with which key.
///
/// `{http|https}://{public_key}[:{secret_key}]@{host}[:{port}]{/path}/{project_id}`; a query is ignored.
/// - SeeAlso: Sentry's developer documentation, "Authentication".
struct DSN: Sendable, Equatable, CustomStringConvertible {
    let scheme: String
    let publicKey: String
    let secretKey: String?
    /// IPv6 addresses in brackets.
    let host: String
    let port: UInt16?
    /// Empty, or segments each with a slash before it.
    let path: String
    /// Digits.
    let projectID: String

    /// - Throws: ``DSNError``; its words never have the keys.
    init(_ text: String) throws(DSNError) {
        guard let separator = text.place(of: "://") else { throw .noScheme }
        scheme = text[..<separator.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { throw .scheme }
        var rest = text[separator.upperBound...]
        rest = rest.prefix(before: "?#")
        guard let slash = rest.utf8.firstIndex(of: UInt8(ascii: "/")) else { throw .noProject }
        let authority = rest[..<slash]
        guard let at = authority.utf8.lastIndex(of: UInt8(ascii: "@")) else { throw .noKey }
        let keys = authority[..<at].split(at: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let key = keys.first, !key.isEmpty, key.utf8.allSatisfy(Self.isKeyByte) else { throw .noKey }
        publicKey = String(key)
        secretKey = keys.count > 1 && !keys[1].isEmpty ? String(keys[1]) : nil
        guard secretKey?.utf8.allSatisfy(Self.isKeyByte) ?? true else { throw .noKey }
        (host, port) = try Self.address(authority[authority.utf8.index(after: at)...])
        let segments = rest[slash...].split(at: "/", omittingEmptySubsequences: false).dropFirst()
        guard let project = segments.last, !project.isEmpty else { throw .noProject }
        guard project.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { throw .project }
        guard segments.allSatisfy({ $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }) else { throw .project }
        projectID = String(project)
        path = segments.dropLast().map { "/" + $0 }.joined()
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F && byte != 0x2C && byte != 0x22 }

    private static func address(_ text: Substring) throws(DSNError) -> (String, UInt16?) {
        var host = text
        var port: Substring?
        if text.begins(with: "[") {
            guard let end = text.utf8.firstIndex(of: UInt8(ascii: "]")) else { throw .host }
            host = Substring(text.utf8[...end])
            let after = Substring(text.utf8[text.utf8.index(after: end)...])
            guard after.isEmpty || after.begins(with: ":") else { throw .host }
            port = after.isEmpty ? nil : Substring(after.utf8.dropFirst())
        } else if let (before, after) = text.cut(at: ":") {
            (host, port) = (before, after)
        }
        let allowed = host.utf8.allSatisfy {
            switch $0 {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x5B, 0x5D, 0x3A, 0x25: true
            default: false
            }
        }
        guard !host.isEmpty, allowed else { throw .host }
        guard let port else { return (String(host), nil) }
        guard let number = UInt16(port), number > 0 else { throw .port }
        return (String(host), number)
    }

    /// `…/api/{project}/envelope/`; a default port is not written.
    var envelopeURL: String {
        let isDefault = port == nil || (scheme == "https" && port == 443) || (scheme == "http" && port == 80)
        let place = isDefault ? host : host + ":" + (port.map { String($0) } ?? "")
        return "\(scheme)://\(place)\(path)/api/\(projectID)/envelope/"
    }

    /// The value of `X-Sentry-Auth`.
    func authorization(_ sdk: SDK = .current) -> String {
        var text = "Sentry sentry_version=7, sentry_client=\(sdk.userAgent), sentry_key=\(publicKey)"
        if let secretKey { text += ", sentry_secret=\(secretKey)" }
        return text
    }

    /// The id in a host that starts with `o<digits>.ingest.`.
    var organizationID: String? {
        let labels = host.split(at: ".")
        guard labels.count > 2, labels[1] == "ingest", let first = labels.first, first.hasPrefix("o") else { return nil }
        let digits = first.dropFirst()
        return !digits.isEmpty && digits.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? String(digits) : nil
    }

    /// The DSN without the secret key.
    var description: String {
        "\(scheme)://\(publicKey)@\(host)\(port.map { ":\($0)" } ?? "")\(path)/\(projectID)"
    }

    var isLoopback: Bool { ["127.0.0.1", "localhost", "[::1]"].contains(host) }

    /// What tells one destination from another. On this machine ports change from run to run, and what an earlier run left behind
    /// is wanted by the next.
    var destination: String {
        isLoopback ? "\(scheme)://\(publicKey)@\(host)\(path)/\(projectID)" : description
    }

    /// The whole, for the envelope header where a tunnel is in between.
    var full: String {
        "\(scheme)://\(publicKey)\(secretKey.map { ":\($0)" } ?? "")@\(host)\(port.map { ":\($0)" } ?? "")\(path)/\(projectID)"
    }
}

/// Why a DSN cannot be used; none of the words repeats its keys.
enum DSNError: String, Error, CustomStringConvertible {
    case noScheme = "it has no scheme: expected https://key@host/project"
    case scheme = "its scheme is neither http nor https"
    case noKey = "it has no public key: expected https://key@host/project"
    case host = "its host cannot be read"
    case port = "its port is no number from 1 to 65535"
    case noProject = "it has no project id: expected https://key@host/project"
    case project = "its project id is not a number"

    var description: String { rawValue }
}
