internal import Sluice

/// What sessions write to the log.
struct SessionLog: Sendable {
    private let logger: Logger?

    /// Made with the first record: the app's list is built before `run()` installs the log's backend.
    private static let standard = Logger(label: "sessions")

    /// - Parameter logger: Nil for one labelled `sessions`.
    init(_ logger: Logger?) { self.logger = logger }

    /// A change has come too late for the cookie, and for the store.
    func lost() {
        (logger ?? Self.standard).warning(
            "a session was changed after its response had been returned: the change is lost, as the cookie's header has left")
    }

    /// A session could not be saved, and the response stands for another error.
    func unsaved(_ error: any Error) {
        (logger ?? Self.standard).error("a session could not be saved", metadata: ["error": "\(error)"])
    }
}
