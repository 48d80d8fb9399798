internal import SluiceCore

/// Where a reporter's requests go.
public struct ReportDestination: Sendable {
    /// The absolute URL that bodies are posted to, `http` or `https`.
    public var url: String
    /// Headers of each request: a key, say. `Content-Type` is the format's, `Host` and `Content-Length` are made; one
    /// with a control character is not sent.
    public var headers: [(name: String, value: String)]
    /// A PEM file with the authorities to trust; nil for the system's.
    public var caCertificates: String?
    /// A proxy's URL; nil for the environment's `https_proxy`, `http_proxy` and `no_proxy`, empty for none.
    public var proxy: String?
    /// What tells its spool from others', in each process alike; nil for the URL and the headers.
    package var identity: String?
    /// The `User-Agent`.
    package var userAgent = "Sluice/\(Version.current)"
    /// The response header, lower case, in which the server says what it wants no more of; nil where it has none.
    package var limitsHeader: String?

    /// - Parameters:
    ///   - url: The absolute URL that bodies are posted to, `http` or `https`.
    ///   - headers: Headers of each request, beside its content type.
    public init(_ url: String, headers: [(name: String, value: String)] = []) {
        self.url = url
        self.headers = headers
    }

    /// Whether requests can be sent there: an `http` or `https` URL with a host.
    var isUsable: Bool {
        let scheme = url.place(of: "://").map { url[..<$0.lowerBound].lowercased() }
        return (scheme == "http" || scheme == "https") && !host.isEmpty
            && url.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
    }

    /// Whether it is on this machine: not reached through a proxy, whatever the environment says.
    var isLoopback: Bool { ["127.0.0.1", "localhost", "[::1]"].contains(host) }

    /// What tells its spool from others': another key is another owner. Only a hash of it is ever written.
    var spoolName: String {
        identity ?? ([url] + headers.map { "\($0.name): \($0.value)" }).joined(separator: "\n")
    }

    /// Without the user and the port; an IPv6 address in its brackets; empty where there is none.
    private var host: String {
        guard let scheme = url.place(of: "://") else { return "" }
        var rest = url[scheme.upperBound...].prefix(before: "/?#")
        if let (_, after) = rest.cut(at: "@") { rest = after }
        if rest.begins(with: "["), let (inside, _) = rest.cut(at: "]") { return inside + "]" }
        return String(rest.cut(at: ":")?.before ?? rest)
    }
}
