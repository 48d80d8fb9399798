/// A middleware that cannot do its work as it was made; stops start-up.
public struct MiddlewareError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, and what to write instead.
    public let description: String

    /// - Parameter description: What is wrong, and what to write instead.
    public init(_ description: String) { self.description = description }
}
