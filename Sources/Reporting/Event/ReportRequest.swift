/// The HTTP request of an event, already filtered: see ``ReportOptions/sendDefaultPII``.
public struct ReportRequest: Sendable, Hashable {
    /// As `GET`.
    public var method: String
    /// Without query, fragment and credentials.
    public var url: String
    /// Names and values in the order sent.
    public var query: [Pair] = []
    /// Names and values in the order sent; cookies are apart.
    public var headers: [Pair] = []
    /// Names and values in the order sent.
    public var cookies: [Pair] = []
    /// Text of the body, with `sendDefaultPII` only; 10,000 bytes at most.
    public var body: String?
    /// The client's address, with `sendDefaultPII` only.
    public var remoteAddress: String?

    /// A name and its value. Lists of pairs keep repeated names.
    public struct Pair: Sendable, Hashable {
        /// As sent.
        public var name: String
        /// As sent, or `[Filtered]`.
        public var value: String

        /// - Parameter name: As sent.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }
}

/// A request as it came, before any filter: what the chain hands over when something is to be reported.
package struct RawRequest: Sendable {
    package var method: String
    package var url: String
    package var query: [(name: String, value: String)]
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    package var remoteAddress: String?

    package init(
        method: String, url: String, query: [(name: String, value: String)], headers: [(name: String, value: String)],
        body: [UInt8], remoteAddress: String?
    ) {
        self.method = method
        self.url = url
        self.query = query
        self.headers = headers
        self.body = body
        self.remoteAddress = remoteAddress
    }

    func header(_ name: String) -> String? {
        let values = headers.filter { $0.name.lowercased() == name }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: ",")
    }
}
