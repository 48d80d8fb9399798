/// What follows from a status of the Runtime API: a table, kept apart from the code that acts on it.
enum RuntimeRule: Equatable {
    /// All is as it should be.
    case accepted
    /// The platform holds an error for this invocation already: record it, ask for the next.
    case goOn
    /// Not recoverable: record it, end the process with a status other than 0.
    case exit

    /// After `next`: an event comes with exactly 200.
    static func next(_ status: Int) -> RuntimeRule { status == 200 ? .accepted : .exit }

    /// After a response or an error: taken with exactly 202. A 5xx is a container error.
    static func post(_ status: Int) -> RuntimeRule {
        switch status {
        case 202: .accepted
        case 500...: .exit
        default: .goOn
        }
    }
}

/// The Runtime API did not do as it should.
enum RuntimeAPIError: Error, CustomStringConvertible {
    /// No connection, or it broke and one more attempt did not help.
    case unreachable(call: String, reason: String)
    /// A status that ends the process.
    case status(call: String, Int, body: String)

    /// An invocation came without its id: it cannot be answered.
    case noID

    var description: String {
        switch self {
        case .noID: "an invocation came without the header Lambda-Runtime-Aws-Request-Id"
        case .unreachable(let call, let reason): "the Runtime API is gone (\(call)): \(reason)"
        case .status(let call, let status, let body): "the Runtime API answered \(call) with \(status): \(body)"
        }
    }
}

/// The Runtime API did not take a response; the sandbox lives on.
struct ReplyRefused: Error, CustomStringConvertible {
    let status: Int
    let body: String
    var description: String { "the Runtime API answered \(status): \(body)" }
}
