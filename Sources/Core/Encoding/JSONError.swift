/// What is wrong with a JSON text, and at which byte.
@_spi(JSON)
public struct JSONError: Error, Equatable, CustomStringConvertible {
    /// What is wrong.
    public let problem: String
    /// At which byte of the text.
    public let offset: Int
    /// Both, in words.
    public var description: String { "\(problem) at byte \(offset)" }

    @usableFromInline
    init(problem: String, offset: Int) {
        self.problem = problem
        self.offset = offset
    }
}
