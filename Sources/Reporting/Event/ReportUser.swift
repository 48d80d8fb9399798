/// Who the request is for. Sent as given: what is set by hand is never filtered.
public struct ReportUser: Sendable, Hashable, Encodable {
    /// The app's own id.
    public var id: String?
    /// A name to log in with.
    public var username: String?
    /// An address.
    public var email: String?
    /// IPv4 or IPv6.
    public var ipAddress: String?

    /// - Parameter id: The app's own id.
    public init(id: String? = nil, username: String? = nil, email: String? = nil, ipAddress: String? = nil) {
        self.id = id
        self.username = username
        self.email = email
        self.ipAddress = ipAddress
    }

    package var isEmpty: Bool { [id, username, email, ipAddress].allSatisfy { $0?.isEmpty ?? true } }
}
