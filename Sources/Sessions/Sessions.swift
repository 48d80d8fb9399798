public import Sluice

/// Remembers clients from one request to the next: gives each request its `session`, and keeps what the app puts there.
///
/// ```swift
/// import Sluice
/// import SluiceSessions
///
/// let keys = try SigningKeys(secret)
/// var routes = Router()
/// routes.get("/") { request in
///     let session = try request.session
///     let visits = (try session.get("visits", as: Int.self) ?? 0) + 1
///     try session.set("visits", visits)
///     return "visit \(visits)"
/// }
/// let app = LambdaApp {
///     Sessions(keys: keys)
///     routes
/// }
/// ```
/// Values live in a signed cookie, which the client can read and cannot change, or in a ``SessionStore`` on the server, of which the cookie
/// has the id. A cookie is trusted for its signature alone, made with ``SigningKeys`` over its name, its value and its expiry: one that is
/// forged, cut, over, doubled or huge is no error, but a new session.
///
/// The cookie is set when the session has changed, and when it is read while less than half of its time is left, so that a client who
/// comes back is not signed out. Such a response has `Cache-Control: no-store`, unless it has one of its own: where that lets others keep
/// it, they keep the cookie too, so `CacheControl` goes above this. A response for which the session was read has `Vary: Cookie`. A
/// session without values costs nothing: no cookie, no entry in the store.
///
/// A store is asked before the handler, for each request with a good cookie: put this above the routes that use it, in their group. When
/// the store fails, the routes that ask for the session fail, and no others; when it fails to save, the response is a 500. Values set
/// before a handler has thrown are saved. What a session promises besides: ``Session``.
public struct Sessions: Middleware {
    /// Where values live.
    enum Place: Sendable {
        case cookie
        case store(any SessionStore)
    }

    let place: Place
    let cookie: Cookie
    let seal: CookieSeal
    let lifetime: Duration
    let log: SessionLog
    let now: @Sendable () -> WallClock.Instant

    init(
        keys: SigningKeys, place: Place, cookie: Cookie = Cookie(), lifetime: Duration, logger: Logger? = nil,
        now: @escaping @Sendable () -> WallClock.Instant
    ) {
        let purpose: CookieSeal.Purpose =
            switch place {
            case .cookie: .sessionValues
            case .store: .sessionID
            }
        seal = CookieSeal(keys: keys, purpose: purpose, name: cookie.name)
        (self.place, self.cookie, self.lifetime, self.now) = (place, cookie, lifetime, now)
        log = SessionLog(logger)
    }

    /// Sessions whose values live in their cookie.
    ///
    /// - Parameters:
    ///   - keys: What cookies are signed with. Another first secret signs out nobody as long as the old one is in the list.
    ///   - store: What it means that the client has the values: ``CookieSessionStore``.
    ///   - cookie: Name and attributes of the cookie.
    ///   - lifetime: How long a session lives without a request: a second at least, and 400 days, as browsers keep no cookie longer.
    ///   - logger: Where records go; one labelled `sessions` when left out.
    public init(
        keys: SigningKeys, store: CookieSessionStore = CookieSessionStore(), cookie: Cookie = Cookie(),
        lifetime: Duration = .seconds(14 * 86_400), logger: Logger? = nil
    ) {
        self.init(keys: keys, place: .cookie, cookie: cookie, lifetime: lifetime, logger: logger) { .now }
    }

    /// Sessions whose values live on the server.
    ///
    /// - Parameters:
    ///   - keys: What cookies are signed with. Another first secret signs out nobody as long as the old one is in the list.
    ///   - store: What keeps the values.
    ///   - cookie: Name and attributes of the cookie.
    ///   - lifetime: How long a session lives without a request: a second at least, and 400 days, as browsers keep no cookie longer.
    ///   - logger: Where records go; one labelled `sessions` when left out.
    public init(
        keys: SigningKeys, store: some SessionStore, cookie: Cookie = Cookie(), lifetime: Duration = .seconds(14 * 86_400),
        logger: Logger? = nil
    ) {
        self.init(keys: keys, place: .store(store), cookie: cookie, lifetime: lifetime, logger: logger) { .now }
    }

    /// - Throws: `MiddlewareError`, for a lifetime that no session has, and for a cookie that browsers would refuse.
    public func validate() throws {
        guard lifetime >= .seconds(1) else {
            throw MiddlewareError("Sessions: a lifetime of \(lifetime) is over at once; it has a second at least")
        }
        do {
            _ = try cookie.setting("x", for: lifetime).header()
        } catch {
            throw MiddlewareError("Sessions: \(error)")
        }
    }

    /// Runs the rest with the client's session, and keeps what has become of it.
    ///
    /// - Throws: ``SessionError``, where it is too large, and what the store throws as it saves. Where the response stands for another
    ///   error already, that one stays, and this one is a record in the log.
    public func handle(_ request: Request, next: Next) async throws -> Response {
        var request = request
        let session: Session
        do {
            session = try await load(request)
        } catch {
            request[LoadedSession.self] = .failure(error)
            return await next(request)
        }
        request[LoadedSession.self] = .success(session)
        var response = await next(request)
        if session.isRead { response.headers.vary(by: "Cookie") }
        do {
            try await save(session, in: &response)
        } catch {
            guard response.error != nil else { throw error }
            log.unsaved(error)
        }
        return response
    }
}
