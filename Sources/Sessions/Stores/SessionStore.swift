public import Sluice

/// Keeps sessions on the server: in a table of a database, as a rule.
///
/// The client has the id alone, signed: who sees ids in the store cannot make cookies of them. A store may be asked by several requests at
/// once, also of one session. What it throws fails the request that needs the session.
public protocol SessionStore: Sendable {
    /// What was saved last under an id; nil where there is nothing.
    ///
    /// Asked once for each request with a good cookie, before the handler. What is over may still be there: the cookie's own time has been
    /// looked at. Bytes that ``save(_:_:until:)`` was not given are taken for nothing.
    /// - Parameter id: 32 characters: letters, digits, `-` and `_`.
    func load(_ id: String) async throws -> [UInt8]?

    /// Keeps values under an id, in the place of those that are there.
    ///
    /// Called after the handler, where something has changed or more than half of the time is over.
    /// - Parameters:
    ///   - values: One JSON object in UTF-8, 256 KiB at most.
    ///   - expires: From when on nobody will ask for them any more, unless they are saved again.
    func save(_ id: String, _ values: [UInt8], until expires: WallClock.Instant) async throws

    /// Forgets what is kept under an id; where there is nothing, that is no error.
    func delete(_ id: String) async throws
}
