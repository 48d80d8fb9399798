package import SluiceCore

/// What came of an event.
package struct EventOutcome: Sendable {
    /// The reply, as JSON, or why the invocation has failed.
    package let result: Result<[UInt8], any Error>
    /// What is not on record yet, as it is the invocation's own failure: to be recorded by whoever gives the reply, once nobody else can.
    package let failure: Failure?

    package init(_ result: Result<[UInt8], any Error>, _ failure: Failure? = nil) {
        (self.result, self.failure) = (result, failure)
    }

    /// The invocation fails, and has that one failure.
    static func failed(_ error: any Error, _ what: String, _ tags: [String: String]) -> EventOutcome {
        EventOutcome(.failure(error), .of(error, "\(what) failed", tags))
    }
}

extension Failure {
    /// The failure of a handler.
    static func of(_ error: any Error, _ message: String, _ tags: [String: String]) -> Failure {
        let isPastGuard = InvocationScope.current?.state.isTimedOut == true
        var failure = Failure(isPastGuard ? .timeout : .eventError, message, error: error)
        failure.tags = tags
        return failure
    }
}

extension SettlingReporter {
    /// Records a failure, unless it is what a time-out led to, and that has its record: it has exactly one, whoever comes to write it.
    package func recordOnce(_ failure: Failure) {
        if let state = InvocationScope.current?.state, state.isTimedOut, !state.takeTimeoutRecord() { return }
        record(failure)
    }
}

/// A record that a reply could not name, should it fail: then the whole batch has to be repeated.
struct UnnamedRecord: Error, CustomStringConvertible {
    let field: String
    var description: String { "a record has no '\(field)': a reply could not name it, so that none was handled" }
}
