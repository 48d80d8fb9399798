internal import Sluice

extension Sessions {
    /// The session that the request brings; a new one where it brings none that is good.
    func load(_ request: Request) async throws -> Session {
        Session(try await known(request) ?? SessionState(), log: log)
    }

    private func known(_ request: Request) async throws -> SessionState? {
        guard let opened = seal.open(request.cookies, at: now()), let expires = opened.expires else { return nil }
        switch place {
        case .cookie:
            return SessionValues(opened.value).map { SessionState($0, kept: .init(id: nil, expires: expires)) }
        case .store(let store):
            guard let id = String(validating: opened.value, as: UTF8.self), let bytes = try await store.load(id) else {
                return nil
            }
            return SessionValues(bytes).map { SessionState($0, kept: .init(id: id, expires: expires)) }
        }
    }

    /// Keeps what the session has become, and says so to the client.
    func save(_ session: Session, in response: inout Response) async throws {
        let isOnServer = if case .store = place { true } else { false }
        let streams = isOnServer && response.body.isStream
        let settlement = session.settle(
            at: now(), lifetime: lifetime, newID: { isOnServer ? SessionID.make() : nil }, streams: streams)
        try await tellStore(settlement, mayBeGone: !session.isNew)
        try tellClient(settlement, in: &response)
        guard streams else { return }
        let sessions = self
        response.wrapBody { writer, body in
            do {
                try await body(writer)
            } catch {
                // The body's own error is the one that cuts the response.
                do { try await sessions.tellStore(session.close()) } catch let failure { sessions.log.unsaved(failure) }
                throw error
            }
            try await sessions.tellStore(session.close())
        }
    }

    /// - Parameter mayBeGone: Whether the store had the session before, so that another request may have removed it.
    private func tellStore(_ settlement: SessionState.Settlement, mayBeGone: Bool = true) async throws {
        guard case .store(let store) = place else { return }
        switch settlement {
        case .nothing: return
        case .remove(let id): if let id { try await store.delete(id) }
        case .save(let values, let kept, let obsolete):
            guard let id = kept.id else { return }
            // Another request may have signed out meanwhile: it is not undone. (One that does so just now is; the store cannot tell.)
            if mayBeGone, obsolete == nil, try await store.load(id) == nil { return }
            try await store.save(id, values.encoded(), until: kept.expires)
            if let obsolete { try await store.delete(obsolete) }
        }
    }

    private func tellClient(_ settlement: SessionState.Settlement, in response: inout Response) throws {
        switch settlement {
        case .nothing: return
        case .remove: try response.setCookie(cookie.removal)
        case .save(let values, let kept, _):
            let value = try kept.id.map { Array($0.utf8) } ?? values.encoded()
            let text = seal.seal(value, expires: kept.expires)
            let size = cookie.name.utf8.count + text.utf8.count
            guard size <= CookieSeal.longest else {
                throw SessionError.cookieTooLarge(size, limit: CookieSeal.longest, of: values)
            }
            try response.setCookie(cookie.setting(text, for: lifetime))
        }
        // Nobody else may get it (RFC 9111, section 7.3).
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
    }
}
