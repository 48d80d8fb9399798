internal import SluiceMiddleware
internal import SluiceReporting
internal import SluiceCore

/// An error as the Runtime API takes it: as a body for `/error` and `init/error`, or in the trailers of a stream.
struct ErrorDocument: Sendable {
    /// `Function.…` or `Runtime.…`: what the platform's metrics and logs show.
    let type: ErrorType
    /// Free text: the Swift type.
    let errorType: String
    let message: String

    /// - Parameter fallback: The reason when the Swift type's name has not the platform's form.
    init(_ error: any Error, category: ErrorType.Category = .function, fallback: String = "HandlerError") {
        errorType = Self.name(of: error)
        type = ErrorType(category, reason: errorType) ?? ErrorType(category, fallback: fallback)
        // It reaches SDK callers: of an HTTPError, only what is meant for them.
        let text = (error as? HTTPError)?.message ?? String(describing: error)
        message = Self.cut(text)
    }

    /// At most ``messageLimit`` bytes, dots included; a character that the limit takes apart is left out.
    private static func cut(_ text: String) -> String {
        guard text.utf8.count > messageLimit else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: messageLimit - 3)
        while end.samePosition(in: text.unicodeScalars) == nil { text.utf8.formIndex(before: &end) }
        return text[..<end] + "…"
    }

    /// The limit in bytes; the platform crops what is longer at a place of its own.
    private static let messageLimit = 8192

    private init(_ type: ErrorType, _ errorType: String, _ message: String) {
        self.type = type
        self.errorType = errorType
        self.message = message
    }

    /// The document of an event that is no HTTP request.
    init(badEvent error: EventError) { self.init(error, category: .runtime, fallback: "InvalidEvent") }

    /// The document of an invocation whose headers cannot be used.
    init(badInvocation error: InvocationError) { self.init(error, category: .runtime, fallback: "InvalidInvocation") }

    /// The document of a start-up that failed.
    init(startUp error: any Error) { self.init(error, category: .runtime, fallback: "InitError") }

    /// The document of a response whose status is listed as an error.
    init(status: Int) {
        self.init(
            ErrorType(.function, fallback: "ErrorStatus"), "ErrorStatus", "the handler answered with status \(status)")
    }

    /// The document of a handler that did not end in time.
    static var timeout: ErrorDocument {
        ErrorDocument(
            ErrorType(.runtime, fallback: "HandlerTimeout"), "TimeoutError", "the handler did not end in time")
    }

    /// The Swift type's name, without its module.
    static func name(of error: any Error) -> String { String(describing: Swift.type(of: error)) }

    var json: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("errorType", errorType)
            json.field("errorMessage", message)
            json.key("stackTrace")
            json.array { _ in }
        }
        return json.bytes
    }

    /// Both names are announced in the head of every stream.
    var trailers: [(String, String)] {
        [
            (Self.typeHeader, type.description),
            (Self.bodyHeader, String(decoding: Base64.encode(json), as: UTF8.self)),
        ]
    }

    static let typeHeader = "Lambda-Runtime-Function-Error-Type"
    static let bodyHeader = "Lambda-Runtime-Function-Error-Body"
}

/// `category.Reason`, in the form that the platform keeps: `(Runtime|Function)\.[A-Z][a-zA-Z]+`. It calls all others
/// `Runtime.Unknown`.
struct ErrorType: Equatable, Sendable, CustomStringConvertible {
    enum Category: String, Sendable { case runtime = "Runtime", function = "Function" }

    let description: String

    /// Nil when the reason has not the form: two letters at least, the first one upper case, ASCII.
    init?(_ category: Category, reason: String) {
        guard reason.utf8.count >= 2, let first = reason.utf8.first, 0x41...0x5A ~= first,
            reason.utf8.allSatisfy({ 0x41...0x5A ~= $0 || 0x61...0x7A ~= $0 })
        else { return nil }
        description = "\(category.rawValue).\(reason)"
    }

    init(_ category: Category, fallback: String) {
        self = ErrorType(category, reason: fallback) ?? ErrorType(unchecked: "\(category.rawValue).Unknown")
    }

    private init(unchecked text: String) { description = text }
}
