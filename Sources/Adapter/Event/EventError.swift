/// Why an event is no usable HTTP request: what is wrong, and where.
struct EventError: Error, Equatable, CustomStringConvertible {
    let description: String
    /// Of an HTTP event, whose client gets a 400 in this form; nil where it is none, and the invocation fails.
    let form: EventForm?

    var isHTTP: Bool { form != nil }
}
