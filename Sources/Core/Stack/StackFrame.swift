/// One call of a stack.
public struct StackFrame: Sendable, Hashable, Encodable {
    /// The function's name, demangled; nil where unknown.
    public var function: String?
    /// The function's name, as the linker knows it.
    public var rawFunction: String?
    /// The source file, as the compiler knew it.
    public var file: String?
    /// The line in the file; the first one is 1.
    public var line: Int?
    /// The column in the line; the first one is 1.
    public var column: Int?
    /// The return address in this process.
    public var instructionAddress: UInt
    /// Where the code's image begins.
    public var imageAddress: UInt?
    /// The image's file.
    public var package: String?
    /// Whether it is the app's own code.
    public var inApp: Bool

    /// - Parameters:
    ///   - instructionAddress: The return address in this process.
    ///   - imageAddress: Where the code's image begins; nil where the address is in none.
    ///   - package: The image's file.
    ///   - inApp: Whether it is the app's own code.
    public init(instructionAddress: UInt, imageAddress: UInt? = nil, package: String? = nil, inApp: Bool = false) {
        self.instructionAddress = instructionAddress
        self.imageAddress = imageAddress
        self.package = package
        self.inApp = inApp
    }
}
