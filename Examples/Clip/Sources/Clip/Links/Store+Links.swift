import Foundation
import GRDB
import Sluice

extension Store {
    /// Newest first, those before an id.
    func links(before id: Int64? = nil, limit: Int) async throws -> [Link] {
        let end = id ?? Int64.max
        return try await database.read { db in
            try Link.fetchAll(
                db, sql: "SELECT * FROM link WHERE id < ? ORDER BY id DESC LIMIT ?", arguments: [end, limit])
        }
    }

    /// Oldest first, those after an id.
    func links(after id: Int64, limit: Int) async throws -> [Link] {
        try await database.read { db in
            try Link.fetchAll(db, sql: "SELECT * FROM link WHERE id > ? ORDER BY id LIMIT ?", arguments: [id, limit])
        }
    }

    func lastLinkID() async throws -> Int64 {
        try await database.read { db in try Int64.fetchOne(db, sql: "SELECT max(id) FROM link") ?? 0 }
    }

    func link(_ slug: String) async throws -> Link? {
        try await database.read { db in try Self.link(slug, db) }
    }

    /// The link, counted if somebody follows it.
    func follow(_ slug: String, counts: Bool) async throws -> Link? {
        guard counts else { return try await link(slug) }
        return try await database.write { db -> Link? in
            try db.execute(sql: "UPDATE link SET hits = hits + 1 WHERE slug = ?", arguments: [slug])
            return try Self.link(slug, db)
        }
    }

    /// - Throws: `ValidationError`, where the wanted slug is taken.
    func insert(_ draft: LinkDraft, owner: User) async throws -> Link {
        let (target, now) = (draft.address ?? draft.target, Date())
        // A write has the database for itself: nobody takes the slug between the question and the answer.
        return try await database.write { db -> Link in
            var slug = draft.wantedSlug ?? RandomText.make(7)
            while try Self.link(slug, db) != nil {
                guard draft.wantedSlug == nil else { throw ValidationError("slug", "is taken") }
                slug = RandomText.make(7)
            }
            try db.execute(
                sql: "INSERT INTO link (slug, target, owner, createdAt) VALUES (?, ?, ?, ?)",
                arguments: [slug, target, owner.name, now])
            return Link(id: db.lastInsertedRowID, slug: slug, target: target, owner: owner.name, hits: 0, createdAt: now)
        }
    }

    /// - Throws: `HTTPError`: a 404 where there is no such link, a 403 where it is somebody else's.
    func deleteLink(_ slug: String, by user: User) async throws {
        try await database.write { db in
            guard let link = try Self.link(slug, db) else { throw HTTPError(.notFound, "there is no link \(slug)") }
            guard link.owner == user.name else { throw HTTPError(.forbidden, "it is \(link.owner)'s link") }
            try db.execute(sql: "DELETE FROM link WHERE id = ?", arguments: [link.id])
        }
    }

    private static func link(_ slug: String, _ db: Database) throws -> Link? {
        try Link.fetchOne(db, sql: "SELECT * FROM link WHERE slug = ?", arguments: [slug])
    }
}
