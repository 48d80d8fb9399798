public import Sluice

extension Request {
    /// What is known of the client; an empty session for one that brings none.
    ///
    /// - Throws: ``SessionError``, where no ``Sessions`` stands above the route, and what the store threw as it was asked.
    public var session: Session {
        get throws {
            guard let loaded = self[LoadedSession.self] else { throw SessionError.notInstalled }
            return try loaded.get()
        }
    }

    /// Puts a session in the place of the one that ``Sessions`` would find: for the test of a handler. Nobody saves it.
    public mutating func setSession(_ session: Session) { self[LoadedSession.self] = .success(session) }
}

/// Hands down what came of loading: an error concerns those who ask for the session, and nobody else.
enum LoadedSession: RequestKey {
    typealias Value = Result<Session, any Error>
}
