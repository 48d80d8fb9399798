public import SluiceCore

/// One error of a chain of errors, as it is reported.
public struct ReportException: Sendable, Hashable, Encodable {
    /// The Swift type's name, without its module.
    public var type: String
    /// What the error says of itself; cut at 8192 characters.
    public var value: String
    /// The Swift module that the type is from.
    public var module: String?
    /// How it came to be captured.
    public var mechanism: Mechanism
    /// Oldest call first; empty where no stack is known.
    public var frames: [StackFrame] = []

    /// How an error came to be captured.
    public struct Mechanism: Sendable, Hashable, Encodable {
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

extension ReportException {
    package init(_ error: any Error, mechanism: Mechanism) {
        let type = Swift.type(of: error)
        let qualified = String(reflecting: type)
        self.init(
            type: String(describing: type), value: String(describing: error),
            module: qualified.split(at: ".").first.map(String.init), mechanism: mechanism)
    }
}
