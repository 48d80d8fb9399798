/// The HTTP request of an event, already filtered: secrets never leave, and personal data only where a reporter's options say so.
public struct ReportRequest: Sendable, Hashable, Encodable {
    /// The method, as `GET`.
    public var method: String
    /// The URL, without query, fragment and credentials.
    public var url: String
    /// The query's names and values in the order sent.
    public var query: [Pair] = []
    /// Names and values in the order sent; cookies are apart.
    public var headers: [Pair] = []
    /// The cookies' names and values in the order sent.
    public var cookies: [Pair] = []
    /// The body's text, where personal data may leave; 10,000 bytes at most.
    public var body: String?
    /// The client's address, where personal data may leave.
    public var remoteAddress: String?

    /// A name and its value. Lists of pairs keep repeated names.
    public struct Pair: Sendable, Hashable, Encodable {
        /// The name, as it was sent.
        public var name: String
        /// The value, as it was sent, or `[Filtered]`.
        public var value: String

        /// - Parameter name: The name, as it was sent.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }
}
