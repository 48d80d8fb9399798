/// Status, header lines and body for the client, as a front end reads them from a reply.
struct WireResponse: Sendable {
    var status: Int
    /// What stands behind the status in the first line; nil for the usual words.
    var reason: String?
    var lines: [(String, String)]
    var body: [UInt8] = []
    /// What the developer should know of it.
    var notes: [String] = []

    init(status: Int, lines: [(String, String)], body: [UInt8] = []) {
        (self.status, self.lines, self.body) = (status, lines, body)
    }
}
