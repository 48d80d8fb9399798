internal import HTTPTypes
public import SluiceCore

/// What a request's conditions come to (RFC 9110, section 13.2.2).
enum Precondition {
    case holds, notModified, failed

    /// - Parameters:
    ///   - tag: Of what is there now; nil where it has none.
    ///   - modified: When that was last changed; nil where nobody knows.
    static func evaluate(_ request: Request, tag: EntityTag?, modified: WallClock.Instant?, exists: Bool = true) -> Precondition
    {
        let isRead = request.method == .get || request.method == .head
        // What cannot be read matches nothing: no condition would be the more dangerous reading.
        if let text = request.header(.ifMatch) {
            switch EntityTag.List(text) {
            case nil: return .failed
            case .any: if !exists { return .failed }
            case .tags(let tags):
                guard let tag, exists, tags.contains(where: { $0.isStronglySame(as: tag) }) else { return .failed }
            }
        } else if let limit = request.header(.ifUnmodifiedSince).flatMap(HTTPDate.parse), let modified,
            seconds(modified) > seconds(limit)
        {
            return .failed
        }
        if let text = request.header(.ifNoneMatch) {
            let isKnown =
                switch EntityTag.List(text) {
                case nil: false
                case .any: exists
                case .tags(let tags): tag.map { tag in exists && tags.contains { $0.isWeaklySame(as: tag) } } ?? false
                }
            if isKnown { return isRead ? .notModified : .failed }
        } else if isRead, let since = request.header(.ifModifiedSince).flatMap(HTTPDate.parse), let modified,
            seconds(modified) <= seconds(since)
        {
            return .notModified
        }
        return .holds
    }

    /// Whether `Range` is to be heeded (section 13.1.5): a part of what has changed is no part of what the client has.
    static func heedsRange(_ request: Request, tag: EntityTag?, modified: WallClock.Instant?) -> Bool {
        guard let condition = request.header(.ifRange) else { return true }
        if let wanted = EntityTag(condition.trimmed) { return tag?.isStronglySame(as: wanted) ?? false }
        guard let moment = HTTPDate.parse(condition), let modified else { return false }
        return seconds(moment) == seconds(modified)
    }

    private static func seconds(_ moment: WallClock.Instant) -> Int64 { moment.millisecondsSinceEpoch / 1000 }
}

extension Request {
    /// Whether any condition is to be looked at.
    var hasConditions: Bool {
        header(.ifNoneMatch) != nil || header(.ifModifiedSince) != nil || header(.ifMatch) != nil
            || header(.ifUnmodifiedSince) != nil
    }

    /// Checks `If-Match`, `If-None-Match`, `If-Unmodified-Since` and `If-Modified-Since` against what is there now, before a handler changes it.
    ///
    /// ```swift
    /// let order = try await store.find(id)
    /// try request.checkPreconditions(eTag: "\"\(order.version)\"")
    /// ```
    /// - Parameters:
    ///   - eTag: The entity tag of what is there now, quotation marks included.
    ///   - lastModified: When that was last changed.
    ///   - exists: Whether there is anything: `If-None-Match: *` creates, and never overwrites.
    /// - Throws: ``HTTPError``, a 412 where the client has seen another state. Of a GET or HEAD that the client has already, a 304. A 500
    ///   where `eTag` is no entity tag: without its quotation marks, say.
    public func checkPreconditions(
        eTag: String? = nil, lastModified: WallClock.Instant? = nil, exists: Bool = true
    ) throws {
        let tag = eTag.flatMap { EntityTag($0) }
        if let eTag, tag == nil {
            throw HTTPError(.internalServerError, detail: "'\(eTag)' is no entity tag: one is written '\"…\"' or 'W/\"…\"'")
        }
        switch Precondition.evaluate(self, tag: tag, modified: lastModified, exists: exists) {
        case .holds: return
        case .notModified:
            var headers: HTTPFields = [:]
            headers[.eTag] = eTag
            headers[.lastModified] = lastModified.map(HTTPDate.text)
            throw HTTPError(.notModified, headers: headers)
        case .failed: throw HTTPError(.preconditionFailed)
        }
    }
}
