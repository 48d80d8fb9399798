/// What was asked for, as text: for whoever tells of a failure. Nothing is filtered yet; made when there is something to tell.
package struct RequestSummary: Sendable {
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

    /// A header's value, several lines of it joined with commas; nil where there is none.
    package func header(_ name: String) -> String? {
        let values = headers.filter { $0.name.lowercased() == name }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: ",")
    }
}
