internal import HTTPTypes

/// All that is wrong with what the client sent: a 422 whose problem document lists each failure with its place.
///
/// ```json
/// {"title":"Unprocessable Content","status":422,"errors":[{"detail":"must not be empty","pointer":"#/name"}],…}
/// ```
/// - SeeAlso: RFC 9457, section 3, whose example has the member `errors`; RFC 6901 for pointers.
public struct ValidationError: Error, Equatable, HTTPErrorConvertible, CustomStringConvertible {
    /// One thing that is wrong.
    public struct Failure: Sendable, Hashable {
        /// Where, as a JSON pointer: `/items/3/price`; empty for the whole value.
        public let pointer: String
        /// What, in words for the client.
        public let message: String

        /// - Parameters:
        ///   - pointer: A JSON pointer (RFC 6901): `/items/3/price`; empty for the whole value.
        ///   - message: Words for the client.
        public init(pointer: String, message: String) {
            self.pointer = pointer
            self.message = message
        }
    }

    /// What is wrong, in the order in which it was found.
    public let failures: [Failure]

    /// - Parameter failures: What is wrong; at least one.
    public init(_ failures: [Failure]) { self.failures = failures }

    /// A failure of one field: `ValidationError("email", "is taken")`.
    public init(_ field: String, _ message: String) {
        var checks = Validation()
        checks.fail(field, message)
        failures = checks.failures
    }

    /// A 422 that says how many failures there are; the problem document has them all.
    public var httpError: HTTPError {
        HTTPError(.unprocessableContent, Self.summary(failures), problems: failures)
    }

    /// Each failure with its place, for the log.
    public var description: String { failures.map { "\($0.pointer) \($0.message)" }.joined(separator: "; ") }

    private static func summary(_ failures: [Failure]) -> String {
        failures.count == 1 ? "1 field is not valid" : "\(failures.count) fields are not valid"
    }
}
