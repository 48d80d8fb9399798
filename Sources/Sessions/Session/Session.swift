internal import Sluice
internal import Synchronization

/// What an app knows of a client from one request to the next: `try request.session`.
///
/// ```swift
/// routes.post("/sign-in") { request in
///     let user = try await users.find(request.decode(Credentials.self))
///     let session = try request.session
///     session["user"] = user.id
///     session.renew()                     // another id: who knew the old one does not know this one
///     return Response.redirect(to: "/")
/// }
/// routes.post("/sign-out") { request in
///     try request.session.removeAll()
///     return Response.redirect(to: "/")
/// }
/// ```
/// One object for each request, which any of its tasks may use; what is read is a copy. Nothing is written before the response has been
/// returned, and it is written then also where the handler has thrown: what was set before the error is kept.
///
/// A change that comes later, in a streamed body or in a task that was left running, is too late for a cookie, whose header has left. It
/// reaches a store on the server if the client's session is there already and the body has not ended; otherwise it is lost, with one
/// warning in the log. Of two requests of one client at the same time the last one to be saved wins, as a whole.
///
/// A session has 256 keys of 256 bytes and 256 KiB at most, and less where a cookie holds it; more is a ``SessionError`` as
/// the response is returned.
public final class Session: Sendable {
    private let state: Mutex<SessionState>
    private let log: SessionLog

    init(_ state: SessionState, log: SessionLog) {
        self.state = Mutex(state)
        self.log = log
    }

    /// A session for the test of a handler, by way of `request.setSession(_:)`: nobody saves it.
    public convenience init(_ values: [String: String] = [:]) {
        var state = SessionState()
        for (key, text) in values { state.set(key, JSONFragment.quoted(text)) }
        self.init(state, log: SessionLog(nil))
    }

    /// Whether the request brought none: no cookie, or one that is forged, over, or unknown to the store.
    public var isNew: Bool { read { $0.isNew } }

    /// The text under a key; nil where there is nothing, and where there is another value than a text. Nil removes it.
    public subscript(key: String) -> String? {
        get { read { $0.values[key] }.flatMap(JSONFragment.text) }
        set {
            let fragment = newValue.map(JSONFragment.quoted)
            change { $0.set(key, fragment) }
        }
    }

    /// The value under a key; nil where there is none.
    ///
    /// - Throws: `DecodingError`, where it is no `Value`: one that another version of the app has set, say.
    public func get<Value: Decodable>(_ key: String, as type: Value.Type = Value.self) throws -> Value? {
        guard let fragment = read({ $0.values[key] }) else { return nil }
        return try JSONFragment.value(of: fragment, as: type)
    }

    /// Puts a value under a key, as JSON.
    ///
    /// - Throws: What the value's `encode(to:)` throws; the session is as it was then.
    public func set(_ key: String, _ value: some Encodable) throws {
        let fragment = try JSONFragment.encode(value)
        change { $0.set(key, fragment) }
    }

    /// Removes what is under a key. A session that has nothing left goes, with its cookie.
    public func remove(_ key: String) { change { $0.set(key, nil) } }

    /// Signs out: the values go, the cookie, and what the store has. What is set afterwards begins another session.
    ///
    /// Values that live in the cookie cannot be called back: whoever has kept a copy of it has a session until it is over.
    public func removeAll() { change { $0.removeAll() } }

    /// Gives the session another id, and takes the old one from the store; the values stay.
    ///
    /// To be called whenever a client becomes somebody, or somebody else: an id that an attacker has planted before (session fixation)
    /// is worth nothing then.
    public func renew() { change { $0.renew() } }

    private func read<Value: Sendable>(_ body: (SessionState) -> Value) -> Value {
        state.withLock { state in
            state.isRead = true
            return body(state)
        }
    }

    private func change(_ body: (inout SessionState) -> Void) {
        let isLost = state.withLock { state in
            state.isRead = true
            body(&state)
            return state.takeWarning()
        }
        if isLost { log.lost() }
    }

    /// Whether the response depends on it.
    var isRead: Bool { state.withLock(\.isRead) }

    /// As ``SessionState/settle(at:lifetime:newID:streams:)``.
    func settle(
        at now: WallClock.Instant, lifetime: Duration, newID: () -> String?, streams: Bool
    ) -> SessionState.Settlement {
        state.withLock { $0.settle(at: now, lifetime: lifetime, newID: newID, streams: streams) }
    }

    /// As ``SessionState/close()``.
    func close() -> SessionState.Settlement { state.withLock { $0.close() } }
}
