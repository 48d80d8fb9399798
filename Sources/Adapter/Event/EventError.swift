/// Why an event is no usable HTTP request: what is wrong, and where.
struct EventError: Error, Equatable, CustomStringConvertible {
    let description: String
    /// Whether it is an HTTP event all the same: then the client gets a 400, otherwise the invocation fails.
    let isHTTP: Bool
}
