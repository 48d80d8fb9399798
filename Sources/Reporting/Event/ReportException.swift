/// One error of a chain of errors, as it is reported.
public struct ReportException: Sendable, Hashable {
    /// The Swift type's name, without its module.
    public var type: String
    /// What the error says of itself; cut at 8192 characters.
    public var value: String
    /// The Swift module that the type is from.
    public var module: String?
    /// How it came to be captured.
    public var mechanism: Mechanism
    /// Oldest call first; empty where no stack is known.
    public var frames: [ReportFrame] = []

    /// How an error came to be captured.
    public struct Mechanism: Sendable, Hashable {
        /// `generic` for `Reports.capture`, `auto.http.lambda` for what came out of a request, `chained` for causes.
        public var type: String
        /// False where the app's own code did not handle it; nil for causes.
        public var handled: Bool?
        /// 0 is the error that was thrown.
        public var exceptionID = 0
        /// Whose cause this is.
        public var parentID: Int?
        /// `cause`, in a chain.
        public var source: String?
    }
}

/// One call of a stack.
public struct ReportFrame: Sendable, Hashable {
    /// Demangled; nil where unknown.
    public var function: String?
    /// As the linker knows it.
    public var rawFunction: String?
    /// The source file, as the compiler knew it.
    public var file: String?
    /// From 1.
    public var line: Int?
    /// From 1.
    public var column: Int?
    /// The return address in this process.
    public var instructionAddress: UInt
    /// Where the code's image begins.
    public var imageAddress: UInt?
    /// The image's file.
    public var package: String?
    /// Whether it is the app's own code.
    public var inApp: Bool
}

/// A loaded ELF file, for symbolication by the server.
struct ReportImage: Sendable, Hashable {
    var address: UInt
    var size: UInt
    var path: String
    /// The GNU build id, lower-case hexadecimal; nil without one.
    var codeID: String?
    var debugID: String

    func contains(_ codeAddress: UInt) -> Bool { codeAddress >= address && codeAddress - address < size }
}
