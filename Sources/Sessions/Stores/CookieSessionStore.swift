/// Keeps a session's values in its cookie, signed: nothing is kept on the server, and nothing has to be set up.
///
/// The client can read the values, and cannot change them. Name and value of the cookie have 4096 bytes at most, which is about
/// 3000 bytes of JSON; more is a ``SessionError`` that names the size. A session ends with its time, or with its secret, and not
/// before: a copy of the cookie is good after a sign-out too, and an older one of the same session after a newer one. What must be
/// called back, counted or hidden belongs into a ``SessionStore``.
public struct CookieSessionStore: Sendable {
    /// A store without settings: the cookie's are those of ``Sessions/Cookie``.
    public init() {}
}
